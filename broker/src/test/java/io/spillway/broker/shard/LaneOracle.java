package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.protocol.v1.Segment;
import java.util.stream.LongStream;

/**
 * What a replay may do that delivers to the members of a group beside its live records: what the group may, in its own
 * bounds, with nothing that was taken out, and only while it is let.
 */
final class LaneOracle extends GroupOracle {
    final String jobId;
    private final GroupOracle parent;
    private final long[] from;
    private final long[] until;
    /** Held back by its job. */
    boolean held = true;
    /** It has delivered, or could have. */
    boolean begun;

    LaneOracle(GroupOracle parent, String jobId, long[] from, long[] until) {
        super(parent.name + " replay " + jobId, parent.mode, from.length, parent.published, parent.shard);
        this.parent = parent;
        this.jobId = jobId;
        this.from = from;
        this.until = until;
        step = parent.step;
        for (int partition = 0; partition < from.length; partition++) {
            parts.get(partition).removedTo = parent.parts.get(partition).removedTo;
        }
        if (parent.filter != null) {
            filters.add(parent.filter);
        }
    }

    /** Whether a delivery is of this replay. */
    boolean holds(Segment segment) {
        return place(segment.getPartition()).state.find(segment.getFence()) != null;
    }

    @Override
    void delivered(ModelMember.Delivery delivery) {
        assertThat(held).as("%s: %s is held back", step, name).isFalse();
        paused = parent.paused;
        filter = parent.filter;
        maxInFlight = parent.maxInFlight;
        parent.replayed += delivery.offsets().size();
        super.delivered(delivery);
    }

    @Override
    void check(ModelMember.Delivery delivery, int partition, long offset, long nowMs) {
        String what = what(partition, offset);
        assertThat(offset).as("%s: begins", what).isGreaterThanOrEqualTo(from[partition]);
        assertThat(offset).as("%s: ends", what).isLessThan(until[partition]);
        assertThat(parts.get(partition).excused.get((int) offset))
                .as("%s: was taken out", what)
                .isFalse();
        super.check(delivery, partition, offset, nowMs);
    }

    /** Records are taken out of it. */
    void skipped(int partition, long first, long end) {
        parts.get(partition).excused.set((int) first, (int) end);
    }

    @Override
    void restarted() {
        super.restarted();
        held = group().paused();
        for (int partition = 0; partition < from.length; partition++) {
            Part part = parts.get(partition);
            Group.Place truth = place(partition);
            for (int at = part.excused.nextSetBit(0); at >= 0; at = part.excused.nextSetBit(at + 1)) {
                part.excused.set(at, truth.state.isSettled(at));
            }
        }
    }

    /** A kill takes nothing of it. */
    void checkSurvived() {
        assertThat(group().paused()).as("%s: %s is held back", step, name).isEqualTo(held);
        for (int partition = 0; partition < from.length; partition++) {
            Group.Place truth = place(partition);
            String what = step + ": " + name + " " + partition;
            if (from[partition] < until[partition]) {
                assertThat(truth.until).as(what).isEqualTo(until[partition]);
            }
            parts.get(partition).excused.stream()
                    .forEach(at -> assertThat(truth.state.isSettled(at))
                            .as("%s/%d", what, at)
                            .isTrue());
        }
    }

    @Override
    Group group() {
        return parent.group().lanes.stream()
                .filter(lane -> lane.created.getReplayId().equals(jobId))
                .findFirst()
                .orElseThrow();
    }

    @Override
    long begin(int partition) {
        return from[partition];
    }

    @Override
    long end(int partition) {
        return until[partition];
    }

    boolean hasBacklog() {
        return LongStream.range(0, from.length)
                .anyMatch(partition -> place((int) partition).state.cursor() < until[(int) partition]);
    }
}

package io.spillway.broker.replay;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Inbox;
import io.spillway.broker.base.Pace;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.records.Position;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.GroupPartition;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A job that copies: reads a few records of the plan, publishes their copies, and goes on when all of them are answered. It
 * holds what it has still to read. After a crash it goes on at its last checkpoint; what it had copied beyond is known by
 * its idempotency key and not added again.
 */
final class CopyWork extends Work {
    static final int TOPIC = 3;
    static final int ORIGIN = 4;
    private static final int RECORDS_AT_ONCE = 1_000;
    private static final int BYTES_AT_ONCE = 1 << 20;
    private static final long LAG_LOOK_MS = 1_000;
    /** How often the hold follows the job. */
    private static final long HOLD_MS = 10_000;

    private final PlannedRecords records;
    private final Copy.Maker copies;
    private final Pace pace;
    /** Names of the topics that copies go to; of dead letters, those that were seen. */
    private final Set<String> targets = new LinkedHashSet<>();

    private final Inbox inbox;
    private final Clock clock;
    private @Nullable Outgoing outgoing;
    /** Whether the records of {@link #outgoing} are all there and sent. */
    private boolean sent;

    private int gathered;
    private long storedBefore;
    private boolean asked;
    private boolean ended;
    private long nextKeepMs;
    private long keptPosition;
    private long nextLagMs;
    private long nextHoldMs;

    CopyWork(
            JobRecord job,
            Ranges ranges,
            TopicSpec source,
            Shards shards,
            Store store,
            Consumer<Work> ended,
            Inbox inbox,
            Clock clock) {
        super(job, ranges, source, shards, store, ended);
        this.inbox = inbox;
        this.clock = clock;
        records = new PlannedRecords(ranges);
        records.goTo(job.position);
        copies = new Copy.Maker(job, source, job.wire.getTarget().getKind() == ORIGIN);
        pace = new Pace(job.wire.getRate());
        keptPosition = job.position;
        if (job.wire.getTarget().getKind() == TOPIC) {
            targets.add(job.wire.getTarget().getName());
        }
    }

    @Override
    void open(Answer<Boolean> answer) {
        hold(held(), answer);
    }

    private void hold(List<Position> from, Answer<Boolean> answer) {
        shards.ask(
                source,
                reply -> new io.spillway.broker.shard.ReplayCommand.Hold(job.id(), source.topicId(), from, reply),
                answer);
    }

    /** From where on each partition is still needed. */
    private List<Position> held() {
        List<Position> held = new ArrayList<>();
        boolean reached = false;
        for (Ranges.InPartition in : ranges.partitions()) {
            boolean isHere = !reached && !records.isAtEnd() && in.partition() == records.partition();
            reached |= isHere;
            if (reached) {
                held.add(Position.newBuilder()
                        .setPartitionId(source.partitionId(in.partition()))
                        .setOffset(isHere ? records.offset() : in.from())
                        .build());
            }
        }
        return held;
    }

    @Override
    void resume() {}

    @Override
    int step(long nowMs) {
        if (asked) {
            return 0;
        }
        if (sent) {
            return settle(nowMs);
        }
        if (!job.isRunning()) {
            return 0;
        }
        if (job.wire.getStops().getConsumerLag() > 0 && nowMs >= nextLagMs && !targets.isEmpty()) {
            nextLagMs = nowMs + LAG_LOOK_MS;
            lookAtLag();
            return 1;
        }
        return gather(nowMs);
    }

    private int gather(long nowMs) {
        long allowed = Math.min(RECORDS_AT_ONCE, pace.available(RECORDS_AT_ONCE, nowMs));
        if (gathered == 0 && allowed == 0) {
            return 0;
        }
        String target = job.wire.getTarget().getName();
        if (job.wire.getTarget().getKind() == TOPIC && shards.catalog().find(target) == null) {
            end(JobRecord.FAILED, "topic " + target + " was deleted");
            return 1;
        }
        Outgoing out = outgoing == null ? new Outgoing(shards, inbox, clock) : outgoing;
        outgoing = out;
        while (gathered < allowed && out.bytes() < BYTES_AT_ONCE && !hasTooManyErrors(out.errors())) {
            switch (records.state()) {
                case HERE -> add(out);
                case LOST ->
                    out.failed(source.name() + "/" + records.partition() + " has no readable record at offset "
                            + records.offset());
                case WANTED -> {
                    read();
                    return 1;
                }
                case END -> allowed = 0;
            }
            if (allowed > 0) {
                records.advance();
                gathered++;
            }
        }
        if (gathered == 0) {
            if (records.isAtEnd()) {
                end(JobRecord.DONE, "");
            } else {
                checkStops(0);
            }
            return 1;
        }
        pace.take(gathered);
        sent = true;
        out.send();
        return 1;
    }

    private void add(Outgoing out) {
        try {
            Copy copy = copies.of(records.view(), records.partition(), records.offset(), shards.catalog());
            out.add(copy);
            targets.add(copy.topic().name());
        } catch (SpillwayException e) {
            out.failed(e.toString());
        }
    }

    private void read() {
        asked = true;
        shards.read(
                source,
                records.partition(),
                records.offset(),
                PlanScan.READ_BYTES,
                Answer.of(
                        read -> {
                            asked = false;
                            if (ended) {
                                read.batches().release();
                            } else {
                                records.supply(read.batches(), read.next());
                            }
                        },
                        why -> {
                            asked = false;
                            wentWrong(why);
                        }));
    }

    private int settle(long nowMs) {
        Outgoing.Result result = outgoing == null ? null : outgoing.result();
        if (result == null) {
            return 0;
        }
        if (result.failure() != null) {
            storedBefore += result.stored();
            rewind();
            wentWrong(result.failure());
            return 1;
        }
        wentWell();
        job.position += gathered;
        long again = Math.min(storedBefore, result.duplicates());
        count(result.stored() + again, result.duplicates() - again, result);
        storedBefore = 0;
        outgoing = null;
        sent = false;
        gathered = 0;
        checkpoint(nowMs);
        checkStops(0);
        return 1;
    }

    private void count(long stored, long duplicates, Outgoing.Result result) {
        var wire = job.wire;
        wire.setDone(job.position)
                .setOpen(Math.max(0, wire.getRecords() - job.position))
                .setRedelivered(wire.getRedelivered() + stored)
                .setAcked(wire.getAcked() + stored)
                .setDuplicates(wire.getDuplicates() + duplicates)
                .setErrors(wire.getErrors() + result.errors());
        if (result.errors() > 0 && job.isRunning()) {
            wire.setWhy("last error: " + result.error());
        }
    }

    /** The same records again. */
    private void rewind() {
        outgoing = null;
        sent = false;
        gathered = 0;
        records.goTo(job.position);
    }

    private void checkpoint(long nowMs) {
        if (job.position - keptPosition >= RECORDS_AT_ONCE || nowMs >= nextKeepMs) {
            nextKeepMs = nowMs + CHECKPOINT_MS;
            keptPosition = job.position;
            keep();
        }
        if (nowMs >= nextHoldMs) {
            boolean first = nextHoldMs == 0;
            nextHoldMs = nowMs + HOLD_MS;
            if (!first && !records.isAtEnd()) {
                hold(held(), Answer.of(done -> {}, this::wentWrong));
            }
        }
    }

    /** Of the topics that copies go to, one after the other. */
    private void lookAtLag() {
        lookAtLag(
                targets.stream()
                        .map(name -> shards.catalog().find(name))
                        .filter(Objects::nonNull)
                        .iterator(),
                0);
    }

    private void lookAtLag(Iterator<TopicSpec> left, long most) {
        asked = left.hasNext();
        if (!asked) {
            checkStops(most);
            return;
        }
        TopicSpec topic = left.next();
        shards.send(
                topic.shard(),
                (Reply<List<GroupInfo>> reply) -> new ShardCommand.DescribeGroups(topic.topicId(), null, reply),
                Answer.of(
                        groups -> lookAtLag(
                                left,
                                groups.stream().mapToLong(CopyWork::backlog).reduce(most, Math::max)),
                        why -> {
                            asked = false;
                            wentWrong(why);
                        }),
                late -> {});
    }

    private static long backlog(GroupInfo group) {
        return group.getPartitionsList().stream()
                .mapToLong(GroupPartition::getBacklog)
                .sum();
    }

    /** What is on its way is still taken up. */
    @Override
    void setActive(boolean active, Answer<Boolean> answer) {
        answer.ok(true);
    }

    @Override
    void refresh(Answer<Boolean> answer) {
        answer.ok(true);
    }

    @Override
    void release() {
        ended = true;
        records.release();
        if (outgoing != null && !sent) {
            outgoing.release();
        }
    }

    @Override
    void close(Answer<Boolean> answer) {
        release();
        hold(List.of(), answer);
    }
}

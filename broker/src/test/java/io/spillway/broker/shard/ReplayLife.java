package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.PartitionInfo;
import io.spillway.protocol.v1.Start;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/** What replays do beside the live records of the groups, and purges that must not take anything from them. */
final class ReplayLife {
    private static final int MAX_LANES = 2;

    private final ModelShard shard;
    private final RandomGenerator random;
    private final List<GroupOracle> groups;
    /** All there ever were, by job: a power cut may bring one back that was closed. */
    private final Map<String, LaneOracle> known = new HashMap<>();

    private final int topicId;
    private final int partitions;

    ReplayLife(ModelShard shard, RandomGenerator random, List<GroupOracle> groups, int topicId, int partitions) {
        this.shard = shard;
        this.random = random;
        this.groups = groups;
        this.topicId = topicId;
        this.partitions = partitions;
    }

    void act(GroupOracle group) {
        if (group.lanes.isEmpty() || (group.lanes.size() < MAX_LANES && random.nextInt(4) == 0)) {
            open(group);
            return;
        }
        LaneOracle lane = group.lanes.get(random.nextInt(group.lanes.size()));
        if (!lane.begun) {
            if (random.nextBoolean()) {
                skip(lane);
            } else {
                set(lane, true);
            }
        } else if (!lane.hasBacklog() || random.nextInt(6) == 0) {
            close(group, lane);
        } else {
            set(lane, lane.held);
        }
    }

    /** The group itself, or one of its replays. */
    GroupOracle oneOf(GroupOracle group) {
        int which = random.nextInt(group.lanes.size() + 1);
        return which == 0 ? group : group.lanes.get(which - 1);
    }

    private boolean ask(Function<Reply<Boolean>, ReplayCommand> command) {
        return shard.<Boolean>ask(reply -> new ShardCommand.Replay(command.apply(reply)));
    }

    private void open(GroupOracle group) {
        shard.settle();
        long[] from = new long[partitions];
        long[] until = new long[partitions];
        List<ReplayCommand.Span> spans = new ArrayList<>();
        int only = random.nextInt(2 * partitions);
        for (int i = 0; i < partitions; i++) {
            Partition partition = group.place(i).partition;
            long start = shard.log.startOffset(partition.id);
            long end = partition.visibleEnd;
            from[i] = end;
            until[i] = end;
            if ((only == i || only >= partitions) && start < end) {
                from[i] = random.nextLong(start, end);
                until[i] = Math.min(end, from[i] + random.nextInt(random.nextBoolean() ? 30 : 400));
                spans.add(new ReplayCommand.Span(i, from[i], until[i], new long[0]));
            }
        }
        String jobId = "job-" + known.size();
        LaneOracle lane = new LaneOracle(group, jobId, from, until);
        int rate = random.nextInt(4) > 0 ? 0 : 100 + random.nextInt(2_000);
        group.lanes.add(lane);
        known.put(jobId, lane);
        boolean isNew = ask(reply -> new ReplayCommand.OpenLane(jobId, topicId, group.name, false, spans, rate, reply));
        assertThat(isNew).as("%s: opened %s", lane.step, lane.name).isTrue();
        assertThat(ask(reply -> new ReplayCommand.OpenLane(jobId, topicId, group.name, false, spans, rate, reply)))
                .as("%s: opened %s twice", lane.step, lane.name)
                .isFalse();
    }

    private void skip(LaneOracle lane) {
        int partition = random.nextInt(partitions);
        List<Long> bounds = new ArrayList<>();
        long at = lane.begin(partition);
        while (at < lane.end(partition) && bounds.size() < 20) {
            long first = at + random.nextInt(10);
            long end = Math.min(lane.end(partition), first + 1 + random.nextInt(20));
            if (first < end) {
                bounds.add(first);
                bounds.add(end);
                lane.skipped(partition, first, end);
            }
            at = end + 1;
        }
        long[] all = bounds.stream().mapToLong(Long::longValue).toArray();
        ask(reply -> new ReplayCommand.SkipInLane(lane.jobId, topicId, partition, all, reply));
    }

    private void set(LaneOracle lane, boolean active) {
        boolean changes = lane.held == active;
        lane.held = !active;
        lane.begun |= active;
        boolean changed = ask(reply -> new ReplayCommand.SetLane(lane.jobId, topicId, active, reply));
        assertThat(changed)
                .as("%s: %s became active %s", lane.step, lane.name, active)
                .isEqualTo(changes);
    }

    private void close(GroupOracle group, LaneOracle lane) {
        shard.settle();
        if (!lane.hasBacklog()) {
            checkNothingIsLost(lane);
        }
        group.closed(lane);
        if (random.nextInt(4) == 0) {
            Set<String> others = new HashSet<>();
            groups.forEach(any -> any.lanes.forEach(other -> others.add(other.jobId)));
            ask(reply -> new ReplayCommand.KeepOnly(others, reply));
        } else {
            assertThat(ask(reply -> new ReplayCommand.CloseLane(lane.jobId, topicId, reply)))
                    .as("%s: closed %s", lane.step, lane.name)
                    .isTrue();
        }
    }

    private void checkNothingIsLost(LaneOracle lane) {
        lane.checkNothingIsLost(DeadLetterReader.read(
                shard, ShardLife.DEAD_LETTERS, lane.group().name()));
    }

    /** After a kill everything is there that was; after a power cut, what was there at the image. */
    void restarted(boolean isKill) {
        for (GroupOracle group : groups) {
            List<String> there = group.group().lanes.stream()
                    .map(lane -> lane.created.getReplayId())
                    .collect(Collectors.toList());
            if (isKill) {
                assertThat(there)
                        .as("%s: replays of %s", group.step, group.name)
                        .containsExactlyInAnyOrderElementsOf(
                                group.lanes.stream().map(lane -> lane.jobId).toList());
                group.lanes.forEach(LaneOracle::checkSurvived);
            }
            group.lanes.clear();
            there.forEach(jobId -> group.lanes.add(known.get(jobId)));
            group.lanes.forEach(lane -> lane.at(group.step));
        }
    }

    /** Mostly of what nobody needs any more; what a group has not settled may go, what a replay has not may not. */
    void purge() {
        shard.settle();
        int partition = random.nextInt(partitions);
        Partition truth = groups.get(0).place(partition).partition;
        long start = shard.log.startOffset(truth.id);
        long needed = groups.stream()
                .mapToLong(group -> group.place(partition).state.cursor())
                .min()
                .orElseThrow();
        long held = groups.stream()
                .flatMap(group -> group.lanes.stream())
                .filter(lane -> lane.place(partition).state.cursor() < lane.end(partition))
                .mapToLong(lane -> lane.place(partition).state.cursor())
                .min()
                .orElse(Long.MAX_VALUE);
        long to = random.nextInt(4) == 0
                ? needed + random.nextInt(20)
                : start + random.nextInt(1 + (int) Math.max(0, Math.min(needed, held) - start));
        long before = Math.max(start, Math.min(to, truth.visibleEnd));
        if (before <= held) {
            groups.forEach(group -> group.removed(partition, before));
        }
        Start position = Start.newBuilder()
                .setKind(GroupAdministration.START_OFFSET)
                .setPartition(partition)
                .setOffset(before)
                .build();
        String what = groups.get(0).step + ": purge of " + partition + " before " + before + ", held from " + held;
        try {
            List<PartitionInfo> infos = shard.ask(reply -> new ShardCommand.PurgeTopic(topicId, position, 0, reply));
            assertThat(infos.get(partition).getStartOffset()).as(what).isEqualTo(before);
            assertThat(before).as(what).isLessThanOrEqualTo(held);
        } catch (SpillwayException e) {
            assertThat(e.code()).as(what).isEqualTo(Code.WRONG_STATE);
            assertThat(before).as(what).isGreaterThan(held);
        }
    }

    /** Every replay may go on. */
    void resume() {
        groups.stream()
                .flatMap(group -> List.copyOf(group.lanes).stream())
                .filter(lane -> lane.held)
                .forEach(lane -> set(lane, true));
    }

    /** All that was meant to be replayed was, so that they can end. */
    void finish() {
        groups.forEach(group -> List.copyOf(group.lanes).forEach(lane -> close(group, lane)));
        groups.forEach(GroupOracle::checkCredit);
    }
}

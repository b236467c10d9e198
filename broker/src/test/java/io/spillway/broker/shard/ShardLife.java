package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.shard.GroupOracle.Held;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.Durability;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.SeekResult;
import io.spillway.protocol.v1.Start;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** One random life: what happens to a shard, and what its oracles are told of it. */
final class ShardLife {
    private static final String TOPIC = "orders";
    static final String DEAD_LETTERS = TOPIC + ".dlq";
    private static final int PARTITIONS = 2;
    private static final int MAX_MEMBERS = 4;
    /** Longer than any record waits for its time, or to come again. */
    private static final int MAX_IDLE_MS = 30_000;

    private static final int ACCEPT = 0;
    private static final int EXTEND = 2;

    private final RandomGenerator random;
    private final PublishedRecords published;
    private final ModelShard shard;
    private final List<GroupOracle> groups = new ArrayList<>();
    /** Acks that were answered, by group and partition: they outlive a kill. */
    private final Map<String, Map<Integer, BitSet>> confirmed = new HashMap<>();

    private final ReplayLife replays;
    private final boolean synced;
    private TopicSpec topic;
    private String step = "";

    ShardLife(Path directory, RandomGenerator random) {
        this.random = random;
        published = new PublishedRecords(random, PARTITIONS);
        shard = new ModelShard(directory, ModelShard.config(random.nextBoolean() ? 1 << 20 : 60), random);
        synced = random.nextInt(3) == 0;
        topic = shard.ask(reply -> new ShardCommand.CreateTopic(
                TOPIC, PARTITIONS, Map.of("durability", synced ? "synced" : "mapped"), reply));
        for (String name : List.of("shared", "ordered", "exclusive")) {
            groups.add(new GroupOracle(name, groups.size(), PARTITIONS, published, shard));
            change(
                    name,
                    new GroupChange.Create(
                            groups.size() - 1,
                            Start.newBuilder().setKind(1).build(),
                            Map.of("dlq.breaker.percent", "0")));
        }
        replays = new ReplayLife(shard, random, groups, topic.topicId(), PARTITIONS);
    }

    private void change(String group, GroupChange change) {
        shard.<GroupChange.Done>ask(
                reply -> new ShardCommand.ChangeGroup(topic.topicId(), group, change, 0, "test", reply));
    }

    long deliveries() {
        return groups.stream().mapToLong(group -> group.deliveries).sum();
    }

    long replayed() {
        return groups.stream().mapToLong(group -> group.replayed).sum();
    }

    void act(int number) {
        step = "operation " + number;
        groups.forEach(group -> group.at(step));
        GroupOracle group = groups.get(random.nextInt(groups.size()));
        int what = random.nextInt(100);
        if (what < 14) {
            publish();
        } else if (what < 17) {
            group.report(random);
        } else if (what < 57) {
            settle(replays.oneOf(group));
        } else if (what < 65) {
            credit(group);
        } else if (what < 71) {
            join(group);
        } else if (what < 73) {
            leave(group);
        } else if (what < 89) {
            time();
        } else if (what < 92) {
            replays.act(group);
        } else if (what < 98) {
            administer(group);
        } else {
            disturb();
        }
        if (random.nextInt(8) > 0) {
            shard.settle();
        } else {
            shard.step();
        }
        groups.forEach(GroupOracle::checkCredit);
        groups.stream().filter(one -> one.mode == Group.EXCLUSIVE).forEach(GroupOracle::checkTurns);
        groups.stream().filter(ordered -> ordered.mode == Group.KEY_ORDERED).forEach(GroupOracle::checkArrivals);
    }

    private void publish() {
        int partition = random.nextInt(PARTITIONS);
        ByteBuf batch = published.batch(partition, shard.clock.nowMs());
        boolean keyed = Batches.admit(batch, batch.readerIndex());
        shard.offer(ShardCommand.Publish.of(
                new PublisherPort() {
                    @Override
                    public void appended(ShardCommand.Publish command, PublishOutcome outcome) {}

                    @Override
                    public void refused(ShardCommand.Publish command, SpillwayException why) {
                        throw new AssertionError(step + ": a publish was refused", why);
                    }
                },
                topic.partitionId(partition),
                batch,
                keyed,
                0,
                shard.clock.nanoTime(),
                0,
                Durability.DUR_DEFAULT));
        // Appended now: a kill must find what the oracle counts as published.
        shard.step();
    }

    private void join(GroupOracle group) {
        if (group.members.size() < MAX_MEMBERS) {
            join(
                    group,
                    random.nextInt(3) == 0 ? 1 + random.nextInt(4) : 5 + random.nextInt(200),
                    50 + random.nextInt(2_000));
        }
    }

    private void join(GroupOracle group, int maxUnacked, int leaseMs) {
        ModelMember member = new ModelMember(group::onDelivery, maxUnacked, leaseMs);
        member.standsBy = group.mode != Group.SHARED && random.nextInt(4) == 0;
        member.fenced = group::fenced;
        ShardCommand.Subscribed subscribed = shard.ask(reply -> new ShardCommand.SubscribeGroup(
                topic.topicId(),
                group.name,
                group.mode,
                Start.getDefaultInstance(),
                member.leaseMs,
                maxUnacked,
                Map.of(),
                "",
                member.standsBy,
                member,
                reply));
        boolean isActive = group.members.isEmpty() || (group.mode != Group.EXCLUSIVE && !member.standsBy);
        assertThat(subscribed.active())
                .as("%s: a member of %s", step, group.name)
                .isIn(isActive, member.standsBy);
        member.id = subscribed.memberId();
        member.active = subscribed.active();
        group.members.add(member);
        shard.offer(member.grant(random.nextInt(20), random.nextInt(4_000)));
    }

    private void leave(GroupOracle group) {
        if (group.members.isEmpty()) {
            return;
        }
        ModelMember member = group.members.get(random.nextInt(group.members.size()));
        shard.step();
        group.left(member);
        shard.end(new ShardCommand.Unsubscribe(member, null));
        shard.step();
        if (group.mode == Group.EXCLUSIVE) {
            group.checkTurns();
        }
    }

    private void credit(GroupOracle group) {
        if (group.members.isEmpty()) {
            return;
        }
        ModelMember member = group.members.get(random.nextInt(group.members.size()));
        if (random.nextInt(10) == 0) {
            member.writable = false;
        } else if (!member.writable) {
            member.writable = true;
            shard.end(new ShardCommand.Writable(member));
        }
        shard.offer(member.grant(random.nextInt(20), random.nextInt(6_000)));
    }

    private void time() {
        shard.holdSyncs(random.nextInt(6) == 0);
        int span = random.nextInt(10) == 0 ? 1_500 : random.nextInt(3) == 0 ? 100 : 8;
        int by = 1 + random.nextInt(span);
        if (random.nextBoolean()) {
            shard.clock.advance(by);
        } else {
            for (int i = 0; i < by; i += 5) {
                shard.clock.advance(5);
                shard.step();
            }
        }
    }

    private void settle(GroupOracle group) {
        Held held = pick(group);
        if (held == null || held.member.gone) {
            return;
        }
        long first = pickOf(held.selected);
        long last = random.nextInt(3) > 0 ? first : pickOf(held.selected);
        if (random.nextInt(3) == 0) {
            first = held.selected.first();
            last = held.selected.last();
        }
        if (random.nextInt(12) == 0) {
            last += random.nextInt(3);
        }
        settle(group, held, first, last, random.nextInt(3) > 0 ? ACCEPT : random.nextInt(5));
    }

    private void settle(GroupOracle group, Held held, long first, long last, int outcome) {
        int delayMs = random.nextBoolean() ? 0 : random.nextInt(400);
        AckItem item = AckItem.newBuilder()
                .setPartition(held.partition)
                .setFence(held.fence)
                .setFirst(first)
                .setLast(last)
                .setOutcome(outcome)
                .setDelayMs(delayMs)
                .build();
        boolean known = group.leases.get(held.fence) == held;
        boolean fits = outcome == EXTEND ? first <= last : held.covers(first, last);
        boolean mayEnd = group.mayHaveEnded(held);
        boolean confirm = random.nextInt(10) == 0;
        long nowMs = shard.clock.nowMs();
        AtomicReference<@Nullable List<ItemError>> errors = new AtomicReference<>();
        shard.offer(new ShardCommand.Settle(held.member, List.of(item), confirm, new Reply<>() {
            @Override
            public void ok(List<ItemError> result) {
                errors.set(result);
            }

            @Override
            public void failed(SpillwayException why) {
                throw new AssertionError(step, why);
            }
        }));
        // What goes out in this very turn goes out after the settle: the oracle has to hear of it first.
        boolean expected = known && fits;
        long extendedMs = nowMs + (delayMs > 0 ? delayMs : held.member.leaseMs);
        if (expected && !mayEnd) {
            if (outcome == EXTEND) {
                held.deadlineMs = extendedMs;
            } else {
                group.settled(held, first, last, outcome, nowMs + delayMs);
            }
        }
        shard.holdSyncs(false);
        shard.step();
        for (int i = 0; confirm && errors.get() == null; i++) {
            assertThat(i).as("%s: turns to an answer", step).isLessThan(1_000);
            shard.clock.advance(1);
            shard.step();
        }
        List<ItemError> answer = errors.get();
        boolean worked = answer == null || answer.isEmpty();
        String what = step + ": [" + first + ", " + last + "] outcome " + outcome + " fence " + held.fence + " of "
                + group.name + " by member " + held.member.id;
        if (!mayEnd) {
            assertThat(worked).as(what).isEqualTo(expected);
        } else if (!expected) {
            assertThat(worked).as(what).isFalse();
        } else if (!worked) {
            group.lost(held);
        } else if (outcome == EXTEND) {
            held.deadlineMs = extendedMs;
        } else {
            group.settled(held, first, last, outcome, nowMs + delayMs);
        }
        if (worked && confirm && outcome == ACCEPT) {
            BitSet acked = confirmed
                    .computeIfAbsent(group.name, name -> new HashMap<>())
                    .computeIfAbsent(held.partition, partition -> new BitSet());
            held.selected.subSet(first, true, last, true).forEach(offset -> acked.set(offset.intValue()));
        }
    }

    private @Nullable Held pick(GroupOracle group) {
        if (!group.ended.isEmpty() && random.nextInt(12) == 0) {
            return group.ended.get(random.nextInt(group.ended.size()));
        }
        if (group.leases.isEmpty()) {
            return null;
        }
        Map.Entry<Long, Held> entry = random.nextBoolean()
                ? group.leases.firstEntry()
                : group.leases.floorEntry(random.nextLong(group.leases.firstKey(), group.leases.lastKey() + 1));
        return entry.getValue();
    }

    private long pickOf(TreeSet<Long> offsets) {
        Long found = offsets.ceiling(random.nextLong(offsets.first(), offsets.last() + 1));
        return found == null ? offsets.last() : found;
    }

    private void administer(GroupOracle group) {
        switch (random.nextInt(10)) {
            case 0 -> seek(group);
            case 1 -> alter(group, "poison.members", random.nextBoolean() ? "0" : GroupOracle.POISON_MEMBERS + "");
            case 2, 3 -> {
                group.paused = random.nextInt(3) == 0;
                change(group.name, group.paused ? new GroupChange.Pause() : new GroupChange.Resume());
            }
            case 4, 5 -> alter(group, "filter", random.nextInt(3) == 0 ? published.colour() : "");
            case 6 ->
                alter(group, "max.inflight", random.nextBoolean() ? "0" : Integer.toString(1 + random.nextInt(100)));
            case 7 -> replays.purge();
            default -> alter(group, "max.deliveries", random.nextBoolean() ? "0" : "3");
        }
    }

    private void alter(GroupOracle group, String key, String value) {
        boolean isFilter = key.equals("filter");
        if (isFilter && !value.isEmpty()) {
            group.wants(value);
        }
        String text = isFilter && !value.isEmpty() ? "colour = '" + value + "'" : value;
        shard.settle();
        if (isFilter) {
            group.filter = value.isEmpty() ? null : value;
        } else if (key.equals("max.inflight")) {
            group.maxInFlight = Integer.parseInt(value);
        }
        change(group.name, new GroupChange.Alter(Map.of(key, text)));
    }

    private void seek(GroupOracle group) {
        int partition = random.nextInt(PARTITIONS);
        Group.Place place = group.place(partition);
        long end = place.partition.visibleEnd;
        long start = shard.log.startOffset(place.partition.id);
        long target = place.state.cursor() + (random.nextInt(3) > 0 ? -random.nextInt(30) : random.nextInt(20));
        long to = Math.max(start, Math.min(end, target));
        shard.settle();
        group.moved(partition, place.state.cursor(), to);
        Map<Integer, BitSet> acked = confirmed.get(group.name);
        if (acked != null) {
            acked.remove(partition);
        }
        shard.<SeekResult>ask(reply -> new ShardCommand.Seek(
                topic.topicId(),
                group.name,
                Start.newBuilder()
                        .setKind(GroupAdministration.START_OFFSET)
                        .setPartition(partition)
                        .setOffset(to)
                        .build(),
                false,
                0,
                "test",
                reply));
    }

    private void disturb() {
        int what = random.nextInt(10);
        if (what < 4) {
            int sent = published.of(0).size() + published.of(1).size();
            shard.kill();
            restarted(true);
            assertThat(published.of(0).size() + published.of(1).size())
                    .as("%s: records", step)
                    .isEqualTo(sent);
            groups.forEach(this::checkAcked);
            groups.forEach(group -> group.lanes.forEach(this::checkAcked));
        } else if (what == 4 && shard.cutPower()) {
            confirmed.clear();
            restarted(false);
        } else if (what == 5) {
            shard.wantImage();
        }
    }

    private void checkAcked(GroupOracle group) {
        group.checkAcked(confirmed.getOrDefault(group.name, Map.of()));
    }

    private void restarted(boolean isKill) {
        topic = shard.state.catalog.get().get(TOPIC);
        for (int partition = 0; partition < PARTITIONS; partition++) {
            shard.checkReadable(step, shard.state.topic(topic.topicId()).partitions[partition]);
            long end = shard.state.topic(topic.topicId()).partitions[partition].endOffset;
            published.truncate(partition, end);
            for (GroupOracle group : groups) {
                group.truncated(partition, (int) end);
            }
        }
        replays.restarted(isKill);
        for (GroupOracle group : groups) {
            group.restarted();
            group.lanes.forEach(LaneOracle::restarted);
            Group truth = group.group();
            group.paused = truth.paused();
            String filter = truth.config().filter();
            group.maxInFlight = truth.config().maxInFlight();
            group.filter = filter.isEmpty() ? null : filter.substring(filter.indexOf('\'') + 1, filter.length() - 1);
        }
    }

    /** Everybody takes everything: then nothing may be left, and nothing may be lost. */
    void finish() {
        step = "the end";
        for (GroupOracle group : groups) {
            group.at(step);
            group.paused = false;
            change(group.name, new GroupChange.Resume());
            alter(group, "max.inflight", "0");
            while (!group.members.isEmpty()) {
                leave(group);
            }
            // A round takes as long as its confirmed settles do: a shorter lease might never be settled in time.
            join(group, 1_000, 600_000);
        }
        replays.resume();
        long[] settled = new long[groups.size()];
        long[] settledMs = new long[groups.size()];
        do {
            takeEverything();
            for (GroupOracle group : groups) {
                if (settled[group.mode] != group.settledRecords() || !hasBacklog(group)) {
                    settled[group.mode] = group.settledRecords();
                    settledMs[group.mode] = shard.clock.nowMs();
                } else if (shard.clock.nowMs() - settledMs[group.mode] > MAX_IDLE_MS) {
                    throw new AssertionError("records of " + group.name + " are left: " + groups);
                }
            }
        } while (groups.stream().anyMatch(this::hasBacklog));
        replays.finish();
        for (Partition partition : shard.state.topic(topic.topicId()).partitions) {
            shard.checkReadable(step, partition);
        }
        for (GroupOracle group : groups) {
            group.checkNothingIsLost(DeadLetterReader.read(shard, DEAD_LETTERS, group.name));
            group.checkPoison(DeadLetterReader.read(shard, DEAD_LETTERS, group.name, "MEMBERS_FAILED"));
        }
        shard.close();
    }

    private void takeEverything() {
        for (GroupOracle group : groups) {
            for (ModelMember member : group.members) {
                member.writable = true;
                shard.end(new ShardCommand.Writable(member));
                shard.offer(member.grant(1_000, 1 << 20));
            }
            settleAll(group);
            group.lanes.forEach(this::settleAll);
        }
        shard.clock.advance(20);
        shard.settle();
    }

    private void settleAll(GroupOracle group) {
        for (Held held : new ArrayList<>(group.leases.values())) {
            if (!held.open.isEmpty()) {
                settle(group, held, held.open.first(), held.open.first(), ACCEPT);
            }
            if (held.open.size() > 1) {
                settle(group, held, held.open.first(), held.open.last(), ACCEPT);
            }
        }
    }

    private boolean hasBacklog(GroupOracle group) {
        for (int partition = 0; partition < PARTITIONS; partition++) {
            Group.Place place = group.place(partition);
            if (place.state.cursor() < place.partition.endOffset) {
                return true;
            }
        }
        return group.lanes.stream().anyMatch(LaneOracle::hasBacklog);
    }
}

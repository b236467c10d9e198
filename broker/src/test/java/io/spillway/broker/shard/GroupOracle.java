package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.dispatch.HealthReport;
import io.spillway.broker.shard.PublishedRecords.Sent;
import io.spillway.broker.subscription.SubscriptionState;
import io.spillway.protocol.v1.Segment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a group may do, told record by record and without a thought for speed: it hears of every delivery and every
 * settle, and says when one breaks a promise.
 */
sealed class GroupOracle permits LaneOracle {
    /** The fewest members a record fails with before it is given up for that. */
    static final int POISON_MEMBERS = 2;

    /** Records that one member holds. */
    static final class Held {
        final ModelMember member;
        final int partition;
        final long fence;
        final TreeSet<Long> selected;
        final TreeSet<Long> open;
        long deadlineMs;

        Held(ModelMember member, int partition, long fence, List<Long> offsets, long deadlineMs) {
            this.member = member;
            this.partition = partition;
            this.fence = fence;
            this.selected = new TreeSet<>(offsets);
            this.open = new TreeSet<>(offsets);
            this.deadlineMs = deadlineMs;
        }

        /** Whether a settle of [first, last] has to work, as long as the lease lives. */
        boolean covers(long first, long last) {
            if (first > last || first < selected.first() || last > selected.last()) {
                return false;
            }
            var meant = selected.subSet(first, true, last, true);
            return !meant.isEmpty() && open.containsAll(meant);
        }
    }

    /** A group in one partition. */
    static final class Part {
        /** Settled by an ack that worked, at some time. */
        final BitSet acked = new BitSet();
        /** Not wanted by a filter the group had, or passed over by a seek, or removed by a purge. */
        final BitSet excused = new BitSet();
        /** Acked, and nothing happened since that brings it back. */
        final BitSet done = new BitSet();

        /** What lies before was purged. */
        long removedTo;

        final Map<Long, Held> holders = new HashMap<>();
        final Map<Long, Long> dueMs = new HashMap<>();
        /** By key, the first of its records that is not known to be settled. */
        final Map<Integer, Long> unsettledFrom = new HashMap<>();
    }

    final String name;
    final int mode;
    final List<ModelMember> members = new ArrayList<>();
    final TreeMap<Long, Held> leases = new TreeMap<>();
    /** Some that ended, for late settles. */
    final List<Held> ended = new ArrayList<>();

    /** Replays that deliver beside its own records. */
    final List<LaneOracle> lanes = new ArrayList<>();

    final PublishedRecords published;
    final ModelShard shard;
    final List<Part> parts = new ArrayList<>();
    /** The colour the group wants; null = all. */
    @Nullable
    String filter;

    /** All that were wanted alone at some time. */
    final TreeSet<String> filters = new TreeSet<>();

    boolean paused;
    int maxInFlight;
    String step = "";
    /** By partition and offset, the members that ever had a record, of itself or a replay. */
    private final Map<List<Long>, TreeSet<Long>> tried = new HashMap<>();

    long deliveries;
    /** Records its replays delivered. */
    long replayed;

    GroupOracle(String name, int mode, int partitions, PublishedRecords published, ModelShard shard) {
        this.name = name;
        this.mode = mode;
        this.published = published;
        this.shard = shard;
        for (int i = 0; i < partitions; i++) {
            parts.add(new Part());
        }
    }

    String what(int partition, long offset) {
        return step + ": " + name + " " + partition + "/" + offset;
    }

    void at(String now) {
        step = now;
        lanes.forEach(lane -> lane.at(now));
    }

    /** The group wants this colour alone from now on. */
    void wants(String colour) {
        filters.add(colour);
        lanes.forEach(lane -> lane.wants(colour));
    }

    /** Of the group itself, or of a replay: whose lease it is tells. */
    void onDelivery(ModelMember.Delivery delivery) {
        for (long offset : delivery.offsets()) {
            tried.computeIfAbsent(List.of((long) delivery.segment().getPartition(), offset), at -> new TreeSet<>())
                    .add(delivery.member().id);
        }
        for (LaneOracle lane : lanes) {
            if (lane.holds(delivery.segment())) {
                lane.delivered(delivery);
                return;
            }
        }
        delivered(delivery);
    }

    void delivered(ModelMember.Delivery delivery) {
        Segment segment = delivery.segment();
        long nowMs = shard.clock.nowMs();
        int partition = segment.getPartition();
        deliveries += delivery.offsets().size();
        assertThat(paused)
                .as("%s: %s is paused, truly %s", step, name, group().paused())
                .isFalse();
        assertThat(delivery.member().active)
                .as("%s: delivers to a standby", step)
                .isTrue();
        assertThat(segment.getFailures()).as(step).isLessThan(segment.getAttempt());
        assertThat(leases).as("%s: a fence is given once", step).doesNotContainKey(segment.getFence());
        Held held = new Held(
                delivery.member(), partition, segment.getFence(), delivery.offsets(), nowMs + segment.getLeaseMs());
        for (long offset : delivery.offsets()) {
            check(delivery, partition, offset, nowMs);
            take(held, offset, nowMs);
        }
        leases.put(held.fence, held);
        if (maxInFlight > 0) {
            assertThat(inFlight()).as("%s: in flight of %s", step, name).isLessThanOrEqualTo(maxInFlight);
        }
    }

    void check(ModelMember.Delivery delivery, int partition, long offset, long nowMs) {
        String what = what(partition, offset);
        Part part = parts.get(partition);
        assertThat(offset).as(what).isLessThan(published.of(partition).size());
        assertThat(offset).as("%s: was removed", what).isGreaterThanOrEqualTo(part.removedTo);
        Sent sent = published.at(partition, offset);
        assertThat(sent.deliverAtMs()).as("%s: to be delivered at", what).isLessThanOrEqualTo(nowMs);
        if (sent.expiresAtMs() >= 0) {
            assertThat(sent.expiresAtMs()).as("%s: expires at", what).isGreaterThan(nowMs);
            assertThat(delivery.unixMs()).as("%s: the clock", what).isEqualTo(nowMs);
        }
        if (filter != null) {
            assertThat(sent.colour()).as("%s: filter", what).isEqualTo(filter);
        }
        assertThat(part.done.get((int) offset)).as("%s: was acked", what).isFalse();
        assertThat(part.dueMs.getOrDefault(offset, 0L)).as("%s: due", what).isLessThanOrEqualTo(nowMs);
        if (mode == Group.KEY_ORDERED && sent.key() != 0) {
            checkTurn(partition, offset, sent, what);
        }
    }

    /** All records of the key before this one are settled for good, and nobody holds one behind it. */
    private void checkTurn(int partition, long offset, Sent sent, String what) {
        Part part = parts.get(partition);
        SubscriptionState truth = place(partition).state;
        long at = part.unsettledFrom.getOrDefault(sent.key(), begin(partition));
        while (at < offset && !blocks(partition, at, sent, truth)) {
            at++;
        }
        part.unsettledFrom.put(sent.key(), at);
        assertThat(at)
                .as("%s: the first unsettled record of key %d", what, sent.key())
                .isEqualTo(offset);
        part.holders.forEach((other, held) -> {
            boolean isLive = held.deadlineMs > shard.clock.nowMs();
            if (other != offset && isLive && published.at(partition, other).key() == sent.key()) {
                throw new AssertionError(what + ": " + other + " of the same key is out as well");
            }
        });
    }

    /** Whether a record is of the key and not out of its way; what a filter did not want never was in it. */
    private boolean blocks(int partition, long at, Sent sent, SubscriptionState truth) {
        Sent other = published.at(partition, at);
        return other.key() == sent.key() && !truth.isSettled(at) && !isUnwanted(other);
    }

    private boolean isUnwanted(Sent sent) {
        return filters.stream().anyMatch(wanted -> !wanted.equals(sent.colour()));
    }

    private void take(Held held, long offset, long nowMs) {
        Held before = parts.get(held.partition).holders.put(offset, held);
        if (before != null) {
            assertThat(before.deadlineMs)
                    .as("%s: the end of lease %d, which holds it", what(held.partition, offset), before.fence)
                    .isLessThanOrEqualTo(nowMs);
            before.open.remove(offset);
            if (before.open.isEmpty()) {
                forget(before);
            }
        }
    }

    /** Whether the shard may still know the lease: it ends some time after its deadline. */
    boolean mayHaveEnded(Held held) {
        return held.deadlineMs <= shard.clock.nowMs();
    }

    /** A settle worked. */
    void settled(Held held, long first, long last, int outcome, long dueMs) {
        Part part = parts.get(held.partition);
        for (long offset : new ArrayList<>(held.selected.subSet(first, true, last, true))) {
            held.open.remove(offset);
            part.holders.remove(offset, held);
            if (outcome == 0) {
                part.acked.set((int) offset);
                part.done.set((int) offset);
            } else if (outcome == 1) {
                part.dueMs.put(offset, dueMs);
            }
        }
        if (held.open.isEmpty()) {
            forget(held);
        }
    }

    /** A lease ended without its member's doing. */
    void lost(Held held) {
        held.open.forEach(offset -> parts.get(held.partition).holders.remove(offset, held));
        forget(held);
    }

    private void forget(Held held) {
        leases.remove(held.fence);
        retire(held);
    }

    private void retire(Held held) {
        if (ended.size() < 50) {
            ended.add(held);
        } else {
            ended.set((int) (held.fence % 50), held);
        }
    }

    void left(ModelMember member) {
        member.gone = true;
        members.remove(member);
        new ArrayList<>(leases.values())
                .stream().filter(held -> held.member == member).forEach(this::lost);
        lanes.forEach(lane -> lane.left(member));
    }

    /** A member says how it is; most are well, or nothing would go on. */
    void report(RandomGenerator random) {
        if (!members.isEmpty()) {
            ModelMember member = members.get(random.nextInt(members.size()));
            HealthReport report = ModelMember.health(random);
            for (int i = random.nextInt(4); i >= 0; i--) {
                shard.offer(new ShardCommand.Health(member, report));
            }
        }
    }

    /** Others took over from a member, and the time in which it kept what it held is over. */
    void fenced(ModelMember member) {
        new ArrayList<>(leases.values())
                .stream().filter(held -> held.member == member).forEach(this::lost);
        lanes.forEach(lane -> lane.fenced(member));
    }

    /** Of an EXCLUSIVE group one member has the turn, or nobody while it goes from one to another. */
    void checkTurns() {
        long active = members.stream().filter(member -> member.active).count();
        long expected = members.isEmpty() || group().handingOver ? 0 : 1;
        assertThat(active)
                .as("%s: members of %s that have the turn", step, name)
                .isEqualTo(expected);
    }

    /** A replay ended, and its leases with it. */
    void closed(LaneOracle lane) {
        lanes.remove(lane);
        new ArrayList<>(lane.leases.values()).forEach(held -> {
            lane.lost(held);
            retire(held);
        });
    }

    /** Records are gone; who holds some may still settle them, and they are in nobody's way. */
    void removed(int partition, long to) {
        Part part = parts.get(partition);
        part.removedTo = to;
        part.excused.set(0, (int) to);
        part.holders.keySet().removeIf(offset -> offset < to);
        lanes.forEach(lane -> lane.parts.get(partition).removedTo = to);
    }

    /** The group goes on somewhere else in a partition; forward means that what lies between is not delivered. */
    void moved(int partition, long from, long to) {
        Part part = parts.get(partition);
        part.excused.set((int) from, (int) Math.max(from, to));
        part.done.clear();
        part.dueMs.clear();
        part.unsettledFrom.clear();
        new ArrayList<>(leases.values())
                .stream().filter(held -> held.partition == partition).forEach(this::lost);
    }

    /** Everybody is gone; what the log kept is the truth. */
    void restarted() {
        members.clear();
        for (int i = 0; i < parts.size(); i++) {
            moved(i, 0, 0);
            Part part = parts.get(i);
            part.removedTo = shard.log.startOffset(place(i).partition.id);
            SubscriptionState truth = place(i).state;
            for (int at = part.acked.nextSetBit(0); at >= 0; at = part.acked.nextSetBit(at + 1)) {
                part.done.set(at, truth.isSettled(at));
            }
        }
        ended.clear();
    }

    /** The log ends here: what was there before counts no more. */
    void truncated(int partition, int end) {
        Part part = parts.get(partition);
        part.acked.clear(end, Integer.MAX_VALUE);
        part.excused.clear(end, Integer.MAX_VALUE);
        part.done.clear(end, Integer.MAX_VALUE);
    }

    Group group() {
        return shard.state.topics.values().stream()
                .map(topic -> topic.groups.get(name))
                .filter(java.util.Objects::nonNull)
                .findFirst()
                .orElseThrow();
    }

    /** Where it begins, and where it ends. */
    long begin(int partition) {
        return 0;
    }

    long end(int partition) {
        return published.of(partition).size();
    }

    Group.Place place(int partition) {
        return group().places[partition];
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(name + " room " + group().room() + " leases " + leases.size());
        for (GroupMember joined : group().ports.values()) {
            text.append(" member ").append(joined.member.id()).append(" room ").append(joined.member.room());
            text.append(joined.member.canTake() ? " takes" : " takes not");
        }
        for (Group.Place place : group().places) {
            SubscriptionState truth = place.state;
            text.append("; cursor ").append(truth.cursor()).append(" of ").append(place.partition.visibleEnd);
            text.append(" in flight ")
                    .append(truth.inFlight())
                    .append(" retry ")
                    .append(truth.waitingRetry());
            text.append(" scheduled ")
                    .append(truth.scheduled())
                    .append(" blocked ")
                    .append(truth.keyBlocked())
                    .append(" arrived up to ")
                    .append(truth.arrivalsFrom());
        }
        return text.append(group().pause == null ? "\n" : " paused\n").toString();
    }

    long settledRecords() {
        long inLanes = lanes.stream().mapToLong(LaneOracle::settledRecords).sum();
        return inLanes
                + Stream.of(group().places)
                        .mapToLong(place -> place.state.cursor() + place.state.settledAbove())
                        .sum();
    }

    private long inFlight() {
        return group().ports.values().stream()
                .mapToLong(joined -> joined.member.unacked())
                .sum();
    }

    /** What each member is charged for is what it holds. */
    void checkCredit() {
        Map<Long, Long> charged = new HashMap<>();
        Group truth = group();
        assertThat(truth.lanes).as("%s: replays", step).hasSameSizeAs(lanes);
        Stream.concat(Stream.of(truth), truth.lanes.stream())
                .flatMap(holder -> Stream.of(holder.places))
                .forEach(place -> {
                    place.state.forEachLease(
                            lease -> charged.merge(lease.memberId(), (long) lease.unsettled(), Long::sum));
                    assertThat(place.state.inFlight()).as(step).isNotNegative();
                });
        assertThat(truth.ports.keySet())
                .as("%s: who holds records of %s is there", step, name)
                .containsAll(charged.keySet());
        for (GroupMember joined : truth.ports.values()) {
            assertThat((long) joined.member.unacked())
                    .as("%s: records charged to member %d of %s", step, joined.member.id(), name)
                    .isEqualTo(charged.getOrDefault(joined.member.id(), 0L));
        }
    }

    /** Of an ordered group, whose records arrive before they are delivered, some always can when none is out. */
    void checkArrivals() {
        for (Group.Place place : group().places) {
            SubscriptionState truth = place.state;
            boolean isOut = truth.arrivalsFrom() > truth.cursor();
            assertThat(isOut || truth.cursor() >= place.limit() || truth.canArrive(place.limit()))
                    .as("%s: records may arrive: %s", step, this)
                    .isTrue();
        }
        lanes.forEach(LaneOracle::checkArrivals);
    }

    /** Everything that is acked and confirmed has outlived what happened. */
    void checkAcked(Map<Integer, BitSet> confirmed) {
        confirmed.forEach((partition, offsets) -> {
            SubscriptionState truth = place(partition).state;
            for (int at = offsets.nextSetBit(0); at >= 0; at = offsets.nextSetBit(at + 1)) {
                assertThat(truth.isSettled(at))
                        .as("%s: acked and confirmed", what(partition, at))
                        .isTrue();
            }
        });
    }

    /** Only what several members had is given up because it failed with several. */
    void checkPoison(Map<Integer, BitSet> deadLettered) {
        deadLettered.forEach((partition, offsets) -> offsets.stream()
                .forEach(at -> assertThat(tried.getOrDefault(List.of((long) partition, (long) at), new TreeSet<>()))
                        .as("%s: members that had it", what(partition, at))
                        .hasSizeGreaterThanOrEqualTo(POISON_MEMBERS)));
    }

    /** Nothing is lost: each record was acked, dead-lettered, or is one the group need not see. */
    void checkNothingIsLost(Map<Integer, BitSet> deadLettered) {
        long dead = 0;
        for (int partition = 0; partition < parts.size(); partition++) {
            Part part = parts.get(partition);
            for (int at = (int) begin(partition); at < end(partition); at++) {
                boolean isHandled =
                        part.acked.get(at) || part.excused.get(at) || isUnwanted(published.at(partition, at));
                if (!isHandled) {
                    assertThat(deadLettered
                                    .getOrDefault(partition, new BitSet())
                                    .get(at))
                            .as("%s: was handled", what(partition, at))
                            .isTrue();
                    dead++;
                }
            }
        }
        // A group and its replays share their name, and so do their dead letters.
        assertThat(dead).as("%s: dead letters of %s", step, name).isLessThanOrEqualTo(group().deadLettered);
    }
}

package io.spillway.broker.shard;

import io.spillway.broker.base.Pace;
import io.spillway.broker.catalog.GroupConfig;
import io.spillway.broker.dispatch.ConsumerSet;
import io.spillway.broker.dispatch.KeySlots;
import io.spillway.broker.dispatch.Member;
import io.spillway.broker.filter.Filter;
import io.spillway.broker.flow.FlowKey;
import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.records.FailedRange;
import io.spillway.broker.records.GroupCreated;
import io.spillway.broker.records.GroupPaused;
import io.spillway.broker.records.GroupSnapshotState;
import io.spillway.broker.subscription.DeadLetterBreaker;
import io.spillway.broker.subscription.SubscriptionState;
import io.spillway.broker.toggles.KnownToggles;
import io.spillway.broker.toggles.ToggleUnit;
import io.spillway.broker.toggles.Toggles;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.agrona.collections.LongArrayList;
import org.jspecify.annotations.Nullable;

/** One group in its shard: its place in each partition, its members, and settles not yet written. Confined to the shard thread. */
final class Group extends Outlet {
    /** Wire numbers of the modes that have a group. */
    static final int SHARED = 0;

    static final int KEY_ORDERED = 1;
    static final int EXCLUSIVE = 2;

    /** What the reason of a pause begins with when too many records became dead letters. */
    static final String BREAKER = "DLQ_BREAKER";

    /** A group's place in one partition. */
    static final class Place {
        final Partition partition;
        final SubscriptionState state;
        final BatchCursor cursor;
        /** Where a group that a replay made ends. */
        long until = Long.MAX_VALUE;

        /** Settled, not yet written: from, to, from, to, ... */
        final LongArrayList settled = new LongArrayList();
        /** How many of those a member acked. */
        long acked;
        /** Failed, not yet written. */
        final List<FailedRange> failed = new ArrayList<>();
        /** What was visible at the last look; nothing more has become so since the one before that, although it is there. */
        long watchedEnd = -1;

        boolean isHidden;
        /** Unsettled records that were removed because the topic had reached a bound of its backlog. */
        long dropped;

        Place(Partition partition, SubscriptionState state, BatchCursor cursor) {
            this.partition = partition;
            this.state = state;
            this.cursor = cursor;
        }

        /** The end of what may be delivered. */
        long limit() {
            return Math.min(until, partition.visibleEnd);
        }

        /** A member acked these. */
        void ack(long from, long to) {
            settle(from, to);
            acked += to - from;
        }

        /** Forgets what is not written, when the group was moved. */
        void forget() {
            settled.clear();
            acked = 0;
            failed.clear();
        }

        void settle(long from, long to) {
            int size = settled.size();
            if (size > 0 && settled.getLong(size - 1) == from) {
                settled.setLong(size - 1, to);
            } else {
                settled.addLong(from);
                settled.addLong(to);
            }
        }
    }

    final int id;
    final TopicState topic;
    final Place[] places;
    /** The group whose side lane this is, or null. */
    final @Nullable Group parent;

    /** Side lanes that replays made; they share the members. */
    final List<Group> lanes = new ArrayList<>();

    final ConsumerSet members;
    final Map<Long, GroupMember> ports;
    /** Who has which keys of a KEY_ORDERED group. */
    final KeySlots slots;

    private final Pace pace;
    private Toggles toggles = Toggles.NONE;
    private int allowance = Integer.MAX_VALUE;
    GroupCreated created;
    private GroupConfig config;
    private @Nullable Filter filter;
    /** Why and since when it delivers nothing, or null. */
    @Nullable
    GroupPaused pause;

    /** What was kept under a name, in the order it was taken. */
    final Map<String, GroupSnapshotState> snapshots = new LinkedHashMap<>();

    /** Rises when the group is moved or altered; never 0, which asks for no particular one. */
    long revision = 1;
    /** Records its members acked, and records it gave up, since it began. */
    long acked;

    long deadLettered;
    /** Failed deliveries since it began. */
    long failures;

    final DeadLetterBreaker breaker;
    /** Records sent to its members since the broker started. */
    long deliveredRecords;
    /** Why it does or does not deliver, as of the last look. */
    final Watched watched = new Watched();

    boolean unwritten;
    int nextPlace;
    /** The active member of an EXCLUSIVE group was relieved and still holds records: nobody gets any until that is over. */
    boolean handingOver;
    /** Places of members of a KEY_ORDERED group that are gone; one that stands by has such a place until another comes. */
    int vacant;
    /** Until when a relieved member may keep what it holds, the next of them; the largest long when there is none. */
    long drainedMs = Long.MAX_VALUE;
    /** When slots move on towards an equal share; the largest long when all have theirs. */
    long evenMs = Long.MAX_VALUE;
    /** Whose turn it is: its own, or that of a lane. */
    int nextTurn;

    Group(GroupCreated created, TopicState topic, Place[] places, KeySlots slots, @Nullable Group parent) {
        this.parent = parent;
        this.slots = slots;
        members = parent == null ? new ConsumerSet(new HealthEvents(topic, created)::changed) : parent.members;
        ports = parent == null ? new HashMap<>() : parent.ports;
        pace = new Pace(created.getRate());
        this.id = created.getGroupId();
        this.created = created;
        this.config = GroupConfig.ofRecord(created);
        this.filter = filterOf(config);
        GroupConfig.Breaker limits = config.breaker();
        this.breaker = new DeadLetterBreaker(limits.percent(), limits.min(), limits.windowMs());
        this.topic = topic;
        this.places = places;
    }

    @Override
    public TopicState topic() {
        return topic;
    }

    /** That of the member that has been there longest. */
    @Override
    FlowKey flow() {
        GroupMember eldest =
                members.size() == 0 ? null : ports.get(members.get(0).id());
        return eldest == null ? FlowKey.BROKER : eldest.port.flow();
    }

    @Override
    boolean isGone() {
        return topic.deleted || topic.groups.get(name()) != this;
    }

    String name() {
        return created.getName();
    }

    /** A side lane has those of its group. */
    GroupConfig config() {
        return parent == null ? config : parent.config();
    }

    /** Whether a replay made it. */
    boolean isReplay() {
        return !created.getReplayId().isEmpty();
    }

    /** Looks what its rate allows now. */
    void refill(long nowMs) {
        allowance = (int) pace.available(Integer.MAX_VALUE, nowMs);
    }

    /** Counts against its rate. */
    void delivered(int records) {
        deliveredRecords += records;
        pace.take(records);
        allowance -= isRated() ? records : 0;
    }

    private boolean isRated() {
        return created.getRate() != 0;
    }

    /** Grows with whatever it does: records it gets, settles, or looks at and does not want. */
    long progress() {
        long sum = deliveredRecords;
        for (Place place : places) {
            sum += place.state.cursor() + place.state.settledAbove() + place.state.arrivalsFrom();
        }
        return sum;
    }

    /** Whether it has a rate and that allows nothing more now. */
    boolean isRateUsedUp() {
        return isRated() && allowance <= 0;
    }

    /** Takes up what is toggled. A side lane has the members of its group. */
    void toggled(Toggles now) {
        if (now != toggles && parent == null) {
            toggles = now;
            byte[] id = (topic.spec.name() + "/" + name()).getBytes(StandardCharsets.UTF_8);
            members.weighted(
                    now.isOn(KnownToggles.DISPATCH_WEIGHTED, new ToggleUnit(id, "", "", "", topic.spec.name())));
        }
    }

    /** Takes up changed settings. */
    void alter(GroupCreated record) {
        created = record;
        revision++;
        config = GroupConfig.ofRecord(record);
        filter = filterOf(config);
        GroupConfig.Breaker limits = config.breaker();
        breaker.limits(limits.percent(), limits.min(), limits.windowMs());
    }

    private static @Nullable Filter filterOf(GroupConfig config) {
        return config.filter().isEmpty() ? null : Filter.parse(config.filter());
    }

    /** Which records it wants, or null when it wants all. */
    @Nullable
    Filter filter() {
        return parent == null ? filter : parent.filter();
    }

    /** Delivers nothing from now on, or goes on. */
    void apply(GroupPaused record) {
        pause = record.getPaused() ? record : null;
        breaker.clear();
        topic.ready();
    }

    /** Whether it gives up no more records, because it gave up too many. */
    boolean keepsDeadLetters() {
        return pause != null && pause.getReason().startsWith(BREAKER);
    }

    /** Whether it delivers nothing until it is resumed. */
    boolean paused() {
        return pause != null;
    }

    int mode() {
        return created.getMode();
    }

    boolean isOrdered() {
        return mode() == KEY_ORDERED;
    }

    /** How many more records all members together may hold. */
    int room() {
        if (parent != null) {
            return Math.min(parent.room(), allowance);
        }
        int room = config.maxInFlight();
        if (room == 0) {
            return allowance;
        }
        for (GroupMember joined : ports.values()) {
            room -= joined.member.unacked();
        }
        return Math.min(Math.max(0, room), allowance);
    }

    /** A member has come: of the keys it gets its share. */
    void joined(Member member) {
        if (isOrdered()) {
            slots.join(member.id());
            slotsMoved();
        }
    }

    /** A member has gone: others get its keys. */
    void left(Member member) {
        if (isOrdered()) {
            slots.leave(member.id());
            slotsMoved();
        }
    }

    void slotsMoved() {
        for (Place place : places) {
            place.state.ownersChanged();
        }
        lanes.forEach(Group::slotsMoved);
    }

    /** Who gets the next delivery: of an EXCLUSIVE group nobody but the member that has been there longest. */
    @Nullable
    Member choose() {
        if (mode() == SHARED) {
            return members.choose();
        }
        if (mode() == KEY_ORDERED) {
            return members.next();
        }
        Member active = isHandingOver() ? null : members.first();
        return active != null && active.canTake() && active.health().weight() > 0 ? active : null;
    }

    boolean isHandingOver() {
        return parent == null ? handingOver : parent.handingOver;
    }

    /** Whether a member gets records, as all do but those that stand by. */
    boolean isActive(Member member) {
        if (mode() == EXCLUSIVE) {
            return !isHandingOver() && members.first() == member;
        }
        GroupMember joined = ports.get(member.id());
        return joined == null || !joined.standsBy || !member.isRelieved();
    }

    boolean hasLeases() {
        for (Place place : places) {
            if (place.state.hasLeases()) {
                return true;
            }
        }
        return false;
    }

    /** The next partition's turn. */
    void advance() {
        nextPlace = (nextPlace + 1) % places.length;
    }
}

package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.dispatch.KeySlots;
import io.spillway.broker.log.ShardLog;
import io.spillway.broker.records.Agreed;
import io.spillway.broker.records.FailedRange;
import io.spillway.broker.records.GroupCreated;
import io.spillway.broker.records.GroupFailed;
import io.spillway.broker.records.GroupPaused;
import io.spillway.broker.records.GroupRestored;
import io.spillway.broker.records.GroupSettled;
import io.spillway.broker.records.GroupSnapshotDeleted;
import io.spillway.broker.records.GroupSnapshotState;
import io.spillway.broker.records.GroupSnapshotTaken;
import io.spillway.broker.records.GroupSought;
import io.spillway.broker.records.PartitionTrimmed;
import io.spillway.broker.records.Position;
import io.spillway.broker.records.ProducerAdvanced;
import io.spillway.broker.records.ReplayHeld;
import io.spillway.broker.records.StateRecord;
import io.spillway.broker.records.StateRecords;
import io.spillway.broker.subscription.SubscriptionState;
import io.spillway.protocol.Code;
import io.spillway.protocol.RecordBatch;
import java.util.ArrayList;
import java.util.List;
import org.agrona.collections.Int2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Everything a shard knows beside its log: the fold of its records. Changes only in the {@code apply} methods, which
 * the live path and the recovery share. Confined to the shard thread.
 */
final class ShardState {
    static final Agreed NOTHING_AGREED = Agreed.newBuilder().setIndex(-1).build();

    final int shard;
    final ShardLog log;
    final ShardConfig config;
    Published<TopicCatalog> catalog;
    final Int2ObjectHashMap<TopicState> topics = new Int2ObjectHashMap<>();
    final Int2ObjectHashMap<Partition> partitions = new Int2ObjectHashMap<>();
    final Int2ObjectHashMap<Group> groups = new Int2ObjectHashMap<>();
    /** Topics that may have something to deliver. */
    final List<TopicState> readyTopics = new ArrayList<>();
    /** Topics in which time may bring something about, see {@link TimerSweep}. */
    final List<TopicState> awakeTopics = new ArrayList<>();
    /** Groups whose topic is gone, for the agent to end their members. */
    final List<TopicState> deletedTopics = new ArrayList<>();
    /** Topics that a link took elsewhere, for the agent to end the members of their groups. */
    final List<TopicState> closedTopics = new ArrayList<>();
    /** Plans and jobs of replays, and what they hold. */
    final ReplayRecords replays = new ReplayRecords();
    /** Links that end here. */
    final LinkRecords links = new LinkRecords();
    /** What operators have set. */
    final OperatorRecords operators = new OperatorRecords();
    /** What is told of traced records. */
    ShardTracing tracing = ShardTracing.OFF;

    int nextGroupId = 1;

    /** Where the cluster's agreement stands in this log. */
    Agreed agreed = NOTHING_AGREED;
    /** The same, but for an entry of which the log has a part only. */
    Agreed agreedWhole = NOTHING_AGREED;

    private long fence;
    private final BatchKeys scratch = new BatchKeys();

    /** @param firstFence above every fence an earlier run of this shard gave */
    ShardState(int shard, ShardLog log, ShardConfig config, Published<TopicCatalog> catalog, long firstFence) {
        fence = firstFence;
        this.shard = shard;
        this.log = log;
        this.config = config;
        this.catalog = catalog;
    }

    /** The catalog is the fold of this shard's log, and of nothing that was there before. */
    void beginCatalog() {
        catalog = new Published<>(TopicCatalog.EMPTY);
    }

    /** What was recovered is everybody's from now on. */
    void publishCatalog(Published<TopicCatalog> shared) {
        shared.set(catalog.get());
        catalog = shared;
    }

    private long nextFence() {
        return fence++;
    }

    /** Fences are this one and those above it from now on. */
    void fencesFrom(long first) {
        fence = first;
    }

    /** The topic, taking it up from the catalog when it is new here; TOPIC_NOT_FOUND when it is gone. */
    TopicState topic(int topicId) {
        TopicState topic = topics.get(topicId);
        if (topic == null) {
            adoptCatalog();
            topic = topics.get(topicId);
        }
        if (topic == null) {
            throw gone("topic", "id " + topicId);
        }
        return topic;
    }

    Partition partition(int partitionId) {
        Partition partition = partitions.get(partitionId);
        if (partition == null) {
            adoptCatalog();
            partition = partitions.get(partitionId);
        }
        if (partition == null) {
            throw gone("partition", "id " + partitionId);
        }
        return partition;
    }

    private static SpillwayException gone(String kind, String what) {
        return new SpillwayException(
                Code.TOPIC_NOT_FOUND,
                "the " + kind + " with " + what + " does not exist",
                "its topic was deleted",
                "look the topic up again: spillway topic list");
    }

    /** Makes topics here what the catalog says: new ones, changed settings, deleted ones. */
    void adoptCatalog() {
        TopicCatalog now = catalog.get();
        for (TopicSpec spec : now.all()) {
            if (spec.shard() == shard) {
                adopt(spec);
            }
        }
        List<TopicState> gone = new ArrayList<>();
        topics.values().forEach(topic -> {
            if (now.find(topic.spec.topicId()) == null) {
                gone.add(topic);
            }
        });
        gone.forEach(this::drop);
    }

    private void adopt(TopicSpec spec) {
        TopicState known = topics.get(spec.topicId());
        if (known == null) {
            TopicState topic = new TopicState(spec, readyTopics, awakeTopics);
            topics.put(spec.topicId(), topic);
            for (Partition partition : topic.partitions) {
                partition.endOffset = log.endOffset(partition.id);
                partition.visibleEnd = partition.endOffset;
                partitions.put(partition.id, partition);
            }
        } else if (known.spec != spec) {
            if (known.spec.standing().isOpen() && !spec.standing().isOpen()) {
                closedTopics.add(known);
            }
            known.spec = spec;
            known.ready();
            for (Partition partition : known.partitions) {
                partition.keys.limits(
                        spec.config().dedup().keys(), spec.config().dedup().ms());
            }
        }
    }

    private void drop(TopicState topic) {
        topic.deleted = true;
        topics.remove(topic.spec.topicId());
        for (Group group : topic.groups.values()) {
            groups.remove(group.id);
            group.lanes.forEach(lane -> groups.remove(lane.id));
        }
        for (Partition partition : topic.partitions) {
            partitions.remove(partition.id);
            log.drop(partition.id);
        }
        deletedTopics.add(topic);
    }

    void apply(StateRecords records) {
        if (records.hasAgreed()) {
            agreedOn(records.getAgreed());
        }
        for (StateRecord record : records.getRecordsList()) {
            apply(record);
        }
    }

    /** This part of an entry is in the log. */
    void agreedOn(Agreed part) {
        agreed = part;
        if (part.getPart() + 1 >= part.getParts()) {
            agreedWhole = part;
        }
    }

    private void apply(StateRecord record) {
        switch (record.getKindCase()) {
            case TOPIC_CREATED -> changeCatalog(catalog.get().apply(record.getTopicCreated()));
            case TOPIC_ALTERED -> changeCatalog(catalog.get().apply(record.getTopicAltered()));
            case TOPIC_DELETED -> changeCatalog(catalog.get().apply(record.getTopicDeleted()));
            case PRODUCER_NAMED -> {
                Partition partition = partitions.get(record.getProducerNamed().getPartitionId());
                if (partition != null) {
                    partition.named.put(record.getProducerNamed().getName(), record.getProducerNamed());
                }
            }
            case PRODUCER_ADVANCED -> apply(record.getProducerAdvanced());
            case GROUP_CREATED -> apply(record.getGroupCreated());
            case GROUP_SETTLED -> apply(record.getGroupSettled());
            case GROUP_FAILED -> apply(record.getGroupFailed());
            case GROUP_SOUGHT -> apply(record.getGroupSought());
            case GROUP_PAUSED -> apply(record.getGroupPaused());
            case GROUP_SNAPSHOT_TAKEN -> apply(record.getGroupSnapshotTaken());
            case GROUP_SNAPSHOT_DELETED -> apply(record.getGroupSnapshotDeleted());
            case GROUP_RESTORED -> apply(record.getGroupRestored());
            case GROUP_DELETED -> removeGroup(record.getGroupDeleted().getGroupId());
            case PARTITION_TRIMMED -> apply(record.getPartitionTrimmed());
            case REPLAY_PLAN_KEPT, REPLAY_PLAN_DROPPED, REPLAY_JOB_KEPT, REPLAY_JOB_DROPPED, REPLAY_HELD ->
                replays.apply(record);
            case LINK_KEPT, LINK_DROPPED -> links.apply(record);
            case PARTITION_MIRRORED, GROUP_MIRRORED -> Mirrored.apply(this, record);
            case KIND_NOT_SET -> throw new IllegalStateException("a state record of a newer version; upgrade first");
            default -> operators.apply(record);
        }
    }

    private void changeCatalog(TopicCatalog changed) {
        catalog.set(changed);
        adoptCatalog();
    }

    private void apply(ProducerAdvanced record) {
        Partition partition = partitions.get(record.getPartitionId());
        if (partition != null) {
            partition.apply(record);
        }
    }

    void restoreGroup(GroupCreated record) {
        apply(record);
    }

    private void apply(GroupCreated record) {
        nextGroupId = Math.max(nextGroupId, record.getGroupId() + 1);
        Group known = groups.get(record.getGroupId());
        if (known != null) {
            known.alter(record);
            known.topic.ready();
            return;
        }
        TopicState topic = topics.get(record.getTopicId());
        if (topic == null) {
            return;
        }
        Group.Place[] places = new Group.Place[topic.partitions.length];
        Group parent = groups.get(record.getParentGroupId());
        KeySlots slots = parent == null ? new KeySlots() : parent.slots;
        for (int i = 0; i < places.length; i++) {
            Partition partition = topic.partitions[i];
            long offset = offset(record.getPositionsList(), partition, 0);
            places[i] = new Group.Place(
                    partition,
                    new SubscriptionState(
                            offset,
                            SubscriptionState.MAX_SPAN,
                            config.groupWindow(),
                            record.getMode() == Group.KEY_ORDERED ? slots::ownerOf : null,
                            this::nextFence),
                    log.cursor(partition.id));
            places[i].until = offset(record.getUntilList(), partition, Long.MAX_VALUE);
        }
        if (record.getParentGroupId() == 0) {
            Group group = new Group(record, topic, places, slots, null);
            groups.put(group.id, group);
            topic.groups.put(group.name(), group);
        } else if (parent != null) {
            Group lane = new Group(record, topic, places, slots, parent);
            groups.put(lane.id, lane);
            parent.lanes.add(lane);
        }
    }

    private static long offset(List<Position> positions, Partition partition, long unnamed) {
        for (Position position : positions) {
            if (position.getPartitionId() == partition.id) {
                return position.getOffset();
            }
        }
        return unnamed;
    }

    private void apply(GroupSettled record) {
        Group group = groups.get(record.getGroupId());
        Group.Place place = place(record.getGroupId(), record.getPartitionId());
        if (group != null && place != null) {
            group.acked += record.getAcked();
            group.deadLettered += record.getDeadLettered();
            for (int i = 0; i < record.getBoundsCount(); i += 2) {
                place.state.applySettled(record.getBounds(i), record.getBounds(i + 1));
            }
        }
    }

    private void apply(GroupFailed record) {
        Group.Place place = place(record.getGroupId(), record.getPartitionId());
        if (place != null) {
            for (FailedRange range : record.getRangesList()) {
                groups.get(record.getGroupId()).failures += range.getTo() - range.getFrom();
                FailedRanges.apply(range, place.state);
            }
        }
    }

    private void apply(GroupSought record) {
        Group group = groups.get(record.getGroupId());
        if (group == null) {
            return;
        }
        for (Position position : record.getPositionsList()) {
            Group.Place place = place(group.id, position.getPartitionId());
            if (place != null) {
                place.state.applySeek(position.getOffset());
                place.forget();
            }
        }
        group.revision = record.getRevision();
        group.topic.ready();
    }

    private void apply(GroupPaused record) {
        Group group = groups.get(record.getGroupId());
        if (group != null) {
            group.apply(record);
        }
    }

    private void apply(GroupSnapshotTaken record) {
        Group group = groups.get(record.getGroupId());
        if (group != null) {
            group.snapshots.put(record.getSnapshot().getName(), record.getSnapshot());
        }
    }

    private void apply(GroupSnapshotDeleted record) {
        Group group = groups.get(record.getGroupId());
        if (group != null) {
            group.snapshots.remove(record.getName());
        }
    }

    private void apply(GroupRestored record) {
        Group group = groups.get(record.getGroupId());
        GroupSnapshotState snapshot = group == null ? null : group.snapshots.get(record.getName());
        if (group == null || snapshot == null) {
            return;
        }
        for (Group.Place place : group.places) {
            place.forget();
        }
        snapshot.getPartitionsList().forEach(saved -> Snapshots.restore(this, group, saved));
        group.revision = record.getRevision();
        group.topic.ready();
    }

    private void apply(PartitionTrimmed record) {
        log.trim(record.getPartitionId(), record.getStartOffset());
        Partition partition = partitions.get(record.getPartitionId());
        if (partition == null) {
            return;
        }
        partition.keys.evictBelow(record.getStartOffset());
        partition.topic.backlog.measuredMs = TopicBacklog.NEVER;
        if (!record.getDropped()) {
            return;
        }
        for (Group group : partition.topic.groups.values()) {
            Group.Place place = group.places[partition.index];
            long settled = place.state.cursor() + place.state.settledAbove();
            place.state.skipTo(record.getStartOffset());
            place.dropped += place.state.cursor() + place.state.settledAbove() - settled;
        }
    }

    private void removeGroup(int groupId) {
        Group group = groups.remove(groupId);
        if (group == null) {
            return;
        }
        group.lanes.forEach(lane -> groups.remove(lane.id));
        if (group.parent != null) {
            group.parent.lanes.remove(group);
        } else {
            group.topic.groups.remove(group.name());
        }
    }

    /**
     * What keeps records from an offset on from being removed.
     *
     * @param jobId the replay that needs them; empty when none does
     * @param from Long.MAX_VALUE when none does
     */
    record Hold(String jobId, long from) {
        private static final Hold NONE = new Hold("", Long.MAX_VALUE);
    }

    /** The hold on a partition that begins first. */
    Hold hold(int partitionId) {
        ReplayHeld lowest = replays.lowest(partitionId);
        Hold hold = lowest == null ? Hold.NONE : new Hold(lowest.getJobId(), ReplayRecords.from(lowest, partitionId));
        for (Group group : groups.values()) {
            Group.Place place = group.isReplay() ? place(group.id, partitionId) : null;
            if (place != null && place.state.cursor() < Math.min(place.until, hold.from)) {
                hold = new Hold(group.created.getReplayId(), place.state.cursor());
            }
        }
        return hold;
    }

    /** Refuses when records from an offset on are not there any more. */
    void requireKept(TopicState topic, int partitionId, long offset) {
        long start = log.startOffset(partitionId);
        if (offset < start) {
            throw new SpillwayException(
                    Code.POSITION_OUT_OF_RANGE,
                    "records of the plan are gone: " + topic.spec.name() + "/"
                            + (partitionId - topic.spec.firstPartitionId()) + " begins at offset " + start
                            + ", the plan at " + offset,
                    "retention, a purge or a bound of the topic removed them since the plan was made",
                    "plan again with what is left");
        }
    }

    Group.@Nullable Place place(int groupId, int partitionId) {
        Group group = groups.get(groupId);
        if (group == null) {
            return null;
        }
        int index = partitionId - group.topic.spec.firstPartitionId();
        return index >= 0 && index < group.places.length ? group.places[index] : null;
    }

    /** Takes up a stored batch: offsets, its producer, its idempotency keys. */
    void applyBatch(Partition partition, ByteBuf batch, boolean keyed) {
        int at = batch.readerIndex();
        long baseOffset = RecordBatch.baseOffset(batch, at);
        int count = RecordBatch.recordCount(batch, at);
        long appendTimeMs = RecordBatch.appendTimeMs(batch, at);
        long producerId = RecordBatch.producerId(batch, at);
        if (producerId != 0) {
            partition.producers.apply(
                    producerId,
                    RecordBatch.producerEpoch(batch, at),
                    RecordBatch.baseSequence(batch, at),
                    count,
                    RecordBatch.crc(batch, at),
                    baseOffset,
                    appendTimeMs);
        }
        if (keyed) {
            rememberKeys(partition, batch);
        }
        partition.endOffset = baseOffset + count;
    }

    /** Takes up a stored batch whose keys are read already. */
    void applyBatch(Partition partition, ByteBuf batch, BatchKeys keys) {
        applyBatch(partition, batch, false);
        remember(partition, batch, keys);
    }

    void rememberKeys(Partition partition, ByteBuf batch) {
        scratch.read(batch);
        partition.keys.prefetch(scratch.hashes(), scratch.count());
        remember(partition, batch, scratch);
    }

    private static void remember(Partition partition, ByteBuf batch, BatchKeys keys) {
        int at = batch.readerIndex();
        long baseOffset = RecordBatch.baseOffset(batch, at);
        long appendTimeMs = RecordBatch.appendTimeMs(batch, at);
        for (int i = 0; i < keys.count(); i++) {
            partition.keys.put(keys.hash(i), keys.fingerprint(i), baseOffset + keys.index(i), appendTimeMs);
        }
    }
}

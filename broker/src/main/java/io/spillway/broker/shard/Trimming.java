package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicConfig.Retention;
import io.spillway.broker.records.PartitionTrimmed;
import io.spillway.broker.records.StateRecord;
import io.spillway.protocol.Code;
import java.util.ArrayList;
import java.util.List;

/** Removes records: by retention, by a bound on the backlog, by a purge. Confined to the shard thread. */
final class Trimming {
    private final ShardState state;
    private final Journal journal;
    private final GroupAdministration groups;
    private final TopicAdministration topics;
    private final List<StateRecord> trimmed = new ArrayList<>();
    /** Segments are freed only behind a snapshot, so what gives disk back asks for one. */
    private boolean wantsSnapshot;

    Trimming(ShardState state, Journal journal, GroupAdministration groups, TopicAdministration topics) {
        this.state = state;
        this.journal = journal;
        this.groups = groups;
        this.topics = topics;
    }

    /** The first offset that something still needs, so that nothing may remove it. */
    long holdFrom(Partition partition) {
        return state.hold(partition.id).from();
    }

    /** Applies retention to all topics; how many partitions were trimmed. */
    int retain(long nowMs) {
        for (TopicState topic : state.topics.values()) {
            if (!topic.spec.standing().isOpen()) {
                // A copy begins where its source does; what was never copied of one that moved stays.
                continue;
            }
            Retention retention = topic.spec.config().retention();
            long maxBytes = retention.bytes() < 0 ? -1 : retention.bytes() / topic.partitions.length;
            for (Partition partition : topic.partitions) {
                long start = state.log.expiredUpTo(partition.id, retention.ms(), maxBytes, nowMs);
                if (retention.untilAcked()) {
                    start = Math.min(start, settledByAll(topic, partition));
                }
                trim(partition, Math.min(start, holdFrom(partition)), false);
            }
        }
        int count = trimmed.size();
        if (count > 0) {
            commit();
        }
        return count;
    }

    private static long settledByAll(TopicState topic, Partition partition) {
        long settled = Long.MAX_VALUE;
        for (Group group : topic.groups.values()) {
            settled = Math.min(settled, group.places[partition.index].state.cursor());
        }
        return settled;
    }

    /** To the next commit: records that groups lose to a bound on the backlog. */
    void drop(Partition partition, long upTo) {
        trim(partition, upTo, true);
    }

    private void trim(Partition partition, long newStart, boolean dropped) {
        if (newStart > state.log.startOffset(partition.id)) {
            trimmed.add(StateRecord.newBuilder()
                    .setPartitionTrimmed(PartitionTrimmed.newBuilder()
                            .setPartitionId(partition.id)
                            .setStartOffset(newStart)
                            .setDropped(dropped))
                    .build());
        }
    }

    long commit() {
        List<StateRecord> records = List.copyOf(trimmed);
        trimmed.clear();
        wantsSnapshot = true;
        return records.isEmpty() ? journal.lastSequence() : journal.commit(records);
    }

    /** Whether something was trimmed since the last time it was asked. */
    boolean takeWantsSnapshot() {
        boolean wanted = wantsSnapshot;
        wantsSnapshot = false;
        return wanted;
    }

    /** Removes what lies before a position in all partitions, or in the one it names. */
    void purge(ShardCommand.PurgeTopic command) {
        TopicState topic = state.topic(command.topicId());
        topics.require(topic.spec.name(), command.expectRevision());
        if (command.before().getKind() == GroupAdministration.START_GROUP) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "a purge of " + topic.spec.name() + " does not say before what",
                    "a topic has no position of its own",
                    "give earliest, latest, an offset or a time");
        }
        groups.requirePartition(topic, command.before());
        for (Partition partition : topic.partitions) {
            long upTo = groups.target(partition, command.before(), state.log.startOffset(partition.id));
            ShardState.Hold hold = state.hold(partition.id);
            if (upTo > hold.from()) {
                trimmed.clear();
                throw new SpillwayException(
                        Code.WRONG_STATE,
                        "records of " + partition + " before " + upTo + " cannot be removed",
                        "replay " + hold.jobId() + " needs them from offset " + hold.from() + " on",
                        "cancel it (spillway replay cancel " + hold.jobId() + "), or wait for its end");
            }
            trim(partition, upTo, false);
        }
        long sequence = commit();
        journal.whenDurable(sequence, new ReplyWhenDurable<>(topics.describe(topic), command.reply()));
    }
}

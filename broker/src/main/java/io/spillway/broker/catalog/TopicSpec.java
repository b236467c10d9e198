package io.spillway.broker.catalog;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.records.TopicCreated;

/** One topic. Its partitions have the global ids {@code firstPartitionId} and up, all in one shard. */
public record TopicSpec(
        int topicId,
        String name,
        int partitions,
        int firstPartitionId,
        int shard,
        TopicConfig config,
        long createdMs,
        long revision,
        Standing standing,
        Switches switches) {

    /** A topic that no link has touched, and no operator. */
    public TopicSpec(
            int topicId,
            String name,
            int partitions,
            int firstPartitionId,
            int shard,
            TopicConfig config,
            long createdMs,
            long revision) {
        this(
                topicId,
                name,
                partitions,
                firstPartitionId,
                shard,
                config,
                createdMs,
                revision,
                Standing.UNTOUCHED,
                Switches.UNTOUCHED);
    }

    public int partitionId(int index) {
        return firstPartitionId + index;
    }

    public static TopicSpec of(TopicCreated record) {
        return new TopicSpec(
                record.getTopicId(),
                record.getName(),
                record.getPartitions(),
                record.getFirstPartitionId(),
                record.getShard(),
                TopicConfig.ofRecord(record.getName(), record.getConfigMap()),
                record.getCreatedMs(),
                record.getRevision(),
                record.hasLink() ? Standing.of(record.getLink()) : Standing.UNTOUCHED,
                record.hasSwitches() ? Switches.of(record.getSwitches()) : Switches.UNTOUCHED);
    }

    public TopicCreated toRecord() {
        TopicCreated.Builder record = TopicCreated.newBuilder()
                .setTopicId(topicId)
                .setName(name)
                .setPartitions(partitions)
                .setFirstPartitionId(firstPartitionId)
                .setShard(shard)
                .putAllConfig(config.toMap())
                .setCreatedMs(createdMs)
                .setRevision(revision);
        if (!standing.equals(Standing.UNTOUCHED)) {
            record.setLink(standing.toRecord());
        }
        if (!switches.equals(Switches.UNTOUCHED)) {
            record.setSwitches(switches.toRecord());
        }
        return record.build();
    }

    TopicSpec altered(TopicConfig newConfig, Standing newStanding, Switches newSwitches, long newRevision) {
        return new TopicSpec(
                topicId,
                name,
                partitions,
                firstPartitionId,
                shard,
                newConfig,
                createdMs,
                newRevision,
                newStanding,
                newSwitches);
    }

    /** Throws READ_ONLY when clients may only read the topic, because a link fills it or took it elsewhere. */
    public void requireOpen() {
        if (!standing.isOpen()) {
            throw refusal();
        }
    }

    /** Throws THROTTLED when an operator has paused publishing. */
    public void requirePublishing() {
        if (switches.publishPaused()) {
            throw switches.refusal(name);
        }
    }

    /** Why a topic that is not open is not. */
    public SpillwayException refusal() {
        return standing.refusal(name);
    }
}

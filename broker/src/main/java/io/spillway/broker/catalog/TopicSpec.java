package io.spillway.broker.catalog;

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
        long revision) {

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
                record.getRevision());
    }

    public TopicCreated toRecord() {
        return TopicCreated.newBuilder()
                .setTopicId(topicId)
                .setName(name)
                .setPartitions(partitions)
                .setFirstPartitionId(firstPartitionId)
                .setShard(shard)
                .putAllConfig(config.toMap())
                .setCreatedMs(createdMs)
                .setRevision(revision)
                .build();
    }

    TopicSpec altered(TopicConfig newConfig, long newRevision) {
        return new TopicSpec(topicId, name, partitions, firstPartitionId, shard, newConfig, createdMs, newRevision);
    }
}

package io.spillway.broker.shard;

import io.spillway.broker.catalog.TopicSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One topic in its shard: partitions, groups, stream readers. Confined to the shard thread. */
final class TopicState {
    final Partition[] partitions;
    final Map<String, Group> groups = new LinkedHashMap<>();
    final List<StreamReader> readers = new ArrayList<>();
    private final List<TopicState> readyTopics;
    final TopicBacklog backlog = new TopicBacklog();
    TopicSpec spec;
    boolean isReady;
    boolean deleted;

    /** @param readyTopics where the topic enters itself when there may be something to deliver */
    TopicState(TopicSpec spec, List<TopicState> readyTopics) {
        this.spec = spec;
        this.readyTopics = readyTopics;
        partitions = new Partition[spec.partitions()];
        for (int i = 0; i < partitions.length; i++) {
            partitions[i] = new Partition(spec.partitionId(i), i, this);
        }
    }

    /** Marks that there may be something to deliver: new records, credit, returned leases. */
    void ready() {
        if (!isReady && (!groups.isEmpty() || !readers.isEmpty())) {
            isReady = true;
            readyTopics.add(this);
        }
    }
}

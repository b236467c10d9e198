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
    private final List<TopicState> awakeTopics;
    final TopicBacklog backlog = new TopicBacklog();
    TopicSpec spec;
    boolean isReady;
    boolean isAwake;
    boolean deleted;

    /**
     * @param readyTopics where the topic enters itself when there may be something to deliver
     * @param awakeTopics where it enters itself when time may bring something about
     */
    TopicState(TopicSpec spec, List<TopicState> readyTopics, List<TopicState> awakeTopics) {
        this.spec = spec;
        this.readyTopics = readyTopics;
        this.awakeTopics = awakeTopics;
        partitions = new Partition[spec.partitions()];
        for (int i = 0; i < partitions.length; i++) {
            partitions[i] = new Partition(spec.partitionId(i), i, this);
        }
        wake();
    }

    /** Marks that there may be something to deliver: new records, credit, returned leases. */
    void ready() {
        if (!isReady && (!groups.isEmpty() || !readers.isEmpty())) {
            isReady = true;
            readyTopics.add(this);
            wake();
        }
    }

    /** Marks that {@link TimerSweep} has to look at it, in every tick for as long as something is waited for. */
    void wake() {
        if (!isAwake) {
            isAwake = true;
            awakeTopics.add(this);
        }
    }
}

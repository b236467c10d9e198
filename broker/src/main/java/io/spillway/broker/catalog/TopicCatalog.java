package io.spillway.broker.catalog;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.records.TopicAltered;
import io.spillway.broker.records.TopicCreated;
import io.spillway.broker.records.TopicDeleted;
import io.spillway.protocol.Code;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** All topics at one revision, and the next free ids. The fold of shard 0's topic records. */
public final class TopicCatalog {
    public static final TopicCatalog EMPTY = new TopicCatalog(Map.of(), Map.of(), 1, 1, 0);

    private final Map<String, TopicSpec> byName;
    private final Map<Integer, TopicSpec> byId;
    private final int nextTopicId;
    private final int nextPartitionId;
    private final long revision;

    private TopicCatalog(
            Map<String, TopicSpec> byName,
            Map<Integer, TopicSpec> byId,
            int nextTopicId,
            int nextPartitionId,
            long revision) {
        this.byName = byName;
        this.byId = byId;
        this.nextTopicId = nextTopicId;
        this.nextPartitionId = nextPartitionId;
        this.revision = revision;
    }

    public @Nullable TopicSpec find(String name) {
        return byName.get(name);
    }

    public @Nullable TopicSpec find(int topicId) {
        return byId.get(topicId);
    }

    /** The topic, or TOPIC_NOT_FOUND. */
    public TopicSpec get(String name) {
        TopicSpec topic = byName.get(name);
        if (topic == null) {
            throw new SpillwayException(
                    Code.TOPIC_NOT_FOUND,
                    "there is no topic \"" + name + "\"",
                    "topics are not created by use",
                    "create it: spillway topic create " + name);
        }
        return topic;
    }

    /** All topics by name. */
    public Collection<TopicSpec> all() {
        return new TreeMap<>(byName).values();
    }

    public int size() {
        return byName.size();
    }

    public int nextTopicId() {
        return nextTopicId;
    }

    public int nextPartitionId() {
        return nextPartitionId;
    }

    public long revision() {
        return revision;
    }

    public TopicCatalog apply(TopicCreated record) {
        return with(
                TopicSpec.of(record),
                Math.max(nextTopicId, record.getTopicId() + 1),
                Math.max(nextPartitionId, record.getFirstPartitionId() + record.getPartitions()),
                Math.max(revision, record.getRevision()));
    }

    public TopicCatalog apply(TopicAltered record) {
        TopicSpec topic = byId.get(record.getTopicId());
        if (topic == null) {
            return this;
        }
        TopicConfig config = TopicConfig.ofRecord(topic.name(), record.getConfigMap());
        Standing standing = record.hasLink() ? Standing.of(record.getLink()) : topic.standing();
        Switches switches = record.hasSwitches() ? Switches.of(record.getSwitches()) : topic.switches();
        return with(
                topic.altered(config, standing, switches, record.getRevision()),
                nextTopicId,
                nextPartitionId,
                record.getRevision());
    }

    public TopicCatalog apply(TopicDeleted record) {
        TopicSpec topic = byId.get(record.getTopicId());
        if (topic == null) {
            return this;
        }
        Map<String, TopicSpec> names = new HashMap<>(byName);
        Map<Integer, TopicSpec> ids = new HashMap<>(byId);
        names.remove(topic.name());
        ids.remove(topic.topicId());
        return new TopicCatalog(names, ids, nextTopicId, nextPartitionId, record.getRevision());
    }

    /** The catalog a snapshot holds. */
    public static TopicCatalog restore(
            Collection<TopicCreated> topics, int nextTopicId, int nextPartitionId, long revision) {
        Map<String, TopicSpec> names = new HashMap<>();
        Map<Integer, TopicSpec> ids = new HashMap<>();
        for (TopicCreated record : topics) {
            TopicSpec topic = TopicSpec.of(record);
            names.put(topic.name(), topic);
            ids.put(topic.topicId(), topic);
        }
        return new TopicCatalog(names, ids, Math.max(1, nextTopicId), Math.max(1, nextPartitionId), revision);
    }

    private TopicCatalog with(TopicSpec topic, int newTopicId, int newPartitionId, long newRevision) {
        Map<String, TopicSpec> names = new HashMap<>(byName);
        Map<Integer, TopicSpec> ids = new HashMap<>(byId);
        names.put(topic.name(), topic);
        ids.put(topic.topicId(), topic);
        return new TopicCatalog(names, ids, newTopicId, newPartitionId, newRevision);
    }
}

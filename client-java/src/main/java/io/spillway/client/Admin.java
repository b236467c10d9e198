package io.spillway.client;

import java.util.List;
import java.util.Map;

/**
 * Topics and groups. Every call blocks up to the client's request timeout, retries what is safe to retry, and throws
 * {@link SpillwayException}: DEADLINE_EXCEEDED, OUTCOME_UNKNOWN, or the broker's answer. Thread-safe.
 */
public interface Admin {
    /**
     * Creates a topic. Settings are "durability" (mapped, synced), "retention.ms", "retention.bytes", "dedup.window.ms",
     * "dedup.window.keys"; those not given have the broker's defaults. Throws ALREADY_EXISTS, INVALID_ARGUMENT.
     */
    TopicDescription createTopic(String name, int partitions, Map<String, String> config);

    /** Changes the given settings. Throws TOPIC_NOT_FOUND, INVALID_ARGUMENT. */
    TopicDescription alterTopic(String name, Map<String, String> config);

    /** The same, but only at that revision. Throws REVISION_MISMATCH as well. */
    TopicDescription alterTopic(String name, Map<String, String> config, long expectRevision);

    /** Deletes the topic, its records and its groups. Throws TOPIC_NOT_FOUND. */
    void deleteTopic(String name);

    /** Throws TOPIC_NOT_FOUND. */
    TopicDescription describeTopic(String name);

    /** All topics, by name. */
    List<TopicDescription> listTopics();

    /** The groups of all topics. */
    List<GroupDescription> listGroups();

    /** The groups of one topic. Throws TOPIC_NOT_FOUND. */
    List<GroupDescription> listGroups(String topic);

    /** Throws TOPIC_NOT_FOUND, GROUP_NOT_FOUND. */
    GroupDescription describeGroup(String topic, String group);

    /** Forgets the group and where it was. Throws TOPIC_NOT_FOUND, GROUP_NOT_FOUND. */
    void deleteGroup(String topic, String group);

    /**
     * Moves a group, in all partitions or, for an offset, in one. Throws TOPIC_NOT_FOUND, GROUP_NOT_FOUND,
     * POSITION_OUT_OF_RANGE.
     *
     * @param dryRun only say what would happen
     * @param reason for the audit; not empty
     */
    SeekOutcome seekGroup(String topic, String group, StartPosition to, boolean dryRun, String reason);
}

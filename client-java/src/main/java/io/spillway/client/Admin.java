package io.spillway.client;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Topics, groups and replays. Every call blocks up to the client's request timeout, retries what is safe to retry, and throws
 * {@link SpillwayException}: DEADLINE_EXCEEDED, OUTCOME_UNKNOWN, or the broker's answer. Thread-safe.
 */
public interface Admin {
    /**
     * Creates a topic. Settings are "durability" (mapped, synced), "retention.ms", "retention.bytes", "dedup.window.ms",
     * "dedup.window.keys", "backlog.bytes", "backlog.records", "backlog.ms", "backlog.policy" (reject, drop_oldest),
     * "retain.until.acked" and "accepts"; docs/protocol.md has their values. Those not given have the broker's defaults. Throws ALREADY_EXISTS, INVALID_ARGUMENT.
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

    /**
     * Removes the records before that place: in all partitions or, for an offset, in one. Throws TOPIC_NOT_FOUND,
     * POSITION_OUT_OF_RANGE, WRONG_STATE.
     *
     * @param reason for the audit; not empty
     */
    TopicDescription purgeTopic(String name, StartPosition before, String reason);

    /**
     * Has publishes to the topic refused with THROTTLED, or its consumers get nothing, or both, until it is resumed, also
     * across a restart of the broker. Consumers keep what they hold and settle it. Throws TOPIC_NOT_FOUND.
     *
     * @param reason shown as long as it is paused; not empty
     */
    TopicDescription pauseTopic(String name, boolean publish, boolean dispatch, String reason);

    /** Ends what {@link #pauseTopic} began. Throws TOPIC_NOT_FOUND. */
    TopicDescription resumeTopic(String name, boolean publish, boolean dispatch, String reason);

    /**
     * Gives publishes to the topic a class at least, whatever they say and whatever shed.class is: when load is shed, the highest class goes first.
     * Throws TOPIC_NOT_FOUND, INVALID_ARGUMENT.
     *
     * @param shedClass from 0, their own, to 3
     */
    TopicDescription shedClassOfTopic(String name, int shedClass, String reason);

    /** The groups of all topics. */
    List<GroupDescription> listGroups();

    /** The groups of one topic. Throws TOPIC_NOT_FOUND. */
    List<GroupDescription> listGroups(String topic);

    /** Throws TOPIC_NOT_FOUND, GROUP_NOT_FOUND. */
    GroupDescription describeGroup(String topic, String group);

    /** Forgets the group and where it was. Throws TOPIC_NOT_FOUND, GROUP_NOT_FOUND. */
    void deleteGroup(String topic, String group);

    /**
     * Creates a group before its first consumer comes; one that is there with the same mode and settings is fine.
     *
     * @param start where it begins; {@link StartPosition#group} is the earliest record
     * @param config settings by their names in docs/protocol.md; those not given have their defaults
     */
    GroupDescription createGroup(
            String topic, String group, GroupMode mode, StartPosition start, Map<String, String> config);

    /**
     * Changes the given settings, the filter too: records that it leaves out count as settled from then on. Throws
     * TOPIC_NOT_FOUND, GROUP_NOT_FOUND, INVALID_ARGUMENT.
     */
    GroupDescription alterGroup(String topic, String group, Map<String, String> config);

    /** The same, but only at that revision. Throws REVISION_MISMATCH as well. */
    GroupDescription alterGroup(String topic, String group, Map<String, String> config, long expectRevision);

    /**
     * Has the group deliver nothing until it is resumed, also across a restart of the broker; what is leased may be
     * settled. Throws TOPIC_NOT_FOUND, GROUP_NOT_FOUND.
     *
     * @param reason shown as long as it is paused; not empty
     */
    GroupDescription pauseGroup(String topic, String group, String reason);

    /** Ends a pause, whoever began it. Throws TOPIC_NOT_FOUND, GROUP_NOT_FOUND. */
    GroupDescription resumeGroup(String topic, String group, String reason);

    /**
     * Keeps what the group has settled, under a name that the group has no snapshot of yet. Throws TOPIC_NOT_FOUND,
     * GROUP_NOT_FOUND, ALREADY_EXISTS, and WRONG_STATE when the group has as many snapshots as it may.
     */
    GroupSnapshot snapshotGroup(String topic, String group, String name, String reason);

    /**
     * Sets the group to exactly what it had settled then; its leases end. Throws TOPIC_NOT_FOUND, GROUP_NOT_FOUND,
     * NOT_FOUND.
     *
     * @param reason for the audit; not empty
     */
    GroupDescription restoreGroup(String topic, String group, String name, String reason);

    /** By name. Throws TOPIC_NOT_FOUND, GROUP_NOT_FOUND. */
    List<GroupSnapshot> groupSnapshots(String topic, String group);

    /** Throws TOPIC_NOT_FOUND, GROUP_NOT_FOUND, NOT_FOUND. */
    void deleteGroupSnapshot(String topic, String group, String name);

    /**
     * Moves a group, in all partitions or, for an offset, in one. Throws TOPIC_NOT_FOUND, GROUP_NOT_FOUND,
     * POSITION_OUT_OF_RANGE.
     *
     * @param dryRun only say what would happen
     * @param reason for the audit; not empty
     */
    SeekOutcome seekGroup(String topic, String group, StartPosition to, boolean dryRun, String reason);

    /**
     * Finds the records a replay would deliver and counts them; waits until the plan is READY, for as long as that takes.
     * Throws TOPIC_NOT_FOUND, GROUP_NOT_FOUND, INVALID_ARGUMENT, and WRONG_STATE when the plan failed.
     */
    ReplayPlan planReplay(ReplaySelection selection);

    /** The same, showing the plan as it grows to {@code progress}, on the calling thread. */
    ReplayPlan planReplay(ReplaySelection selection, Consumer<ReplayPlan> progress);

    /** A plan as it is now. Throws NOT_FOUND. */
    ReplayPlan replayPlan(String planId);

    /** All plans the broker keeps, the newest first. */
    List<ReplayPlan> replayPlans();

    /** Forgets a plan. Throws NOT_FOUND, and WRONG_STATE while a job of it has not ended. */
    void deleteReplayPlan(String planId);

    /**
     * Delivers the records of a plan again. Throws NOT_FOUND, WRONG_STATE when the plan is not READY, POSITION_OUT_OF_RANGE
     * when records of it are gone, ALREADY_EXISTS for a new group that is there, INVALID_ARGUMENT for a target that takes
     * no replays.
     */
    ReplayJob startReplay(String planId, ReplayTarget target, ReplayOptions options);

    /**
     * Notes in the audit that the records of a plan are copied to a file, and returns their exact ranges for the caller to
     * read. Throws NOT_FOUND, WRONG_STATE, POSITION_OUT_OF_RANGE.
     */
    List<ReplayPlan.Range> replayToFile(String planId, String path, String reason);

    /** A job as it is now. Throws NOT_FOUND. */
    ReplayJob replay(String jobId);

    /** All jobs the broker keeps, the newest first. */
    List<ReplayJob> replays();

    /** Holds a job back; what is out stays out. Throws NOT_FOUND, WRONG_STATE when it has ended. */
    ReplayJob pauseReplay(String jobId, String reason);

    /** Goes on with a paused job. Throws NOT_FOUND, WRONG_STATE when it is not paused. */
    ReplayJob resumeReplay(String jobId, String reason);

    /** Ends a job; what was delivered or stored stays so. Throws NOT_FOUND, WRONG_STATE when it has ended. */
    ReplayJob cancelReplay(String jobId, String reason);

    /** What a job has changed so far: redelivered, acked, failed, open, duplicates. Throws NOT_FOUND. */
    ReplayJob replayDiff(String jobId);

    /** Waits until a job ends or pauses. Throws NOT_FOUND, and DEADLINE_EXCEEDED after the timeout. */
    ReplayJob awaitReplay(String jobId, Duration timeout);
}

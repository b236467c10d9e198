package io.spillway.broker.tracing;

import io.spillway.protocol.Code;
import org.jspecify.annotations.Nullable;

/** What happened to a traced record. */
public sealed interface Step {

    /**
     * It was taken into the log, or was there before.
     *
     * @param durability that was reached, by its name in the protocol without its prefix
     * @param queueUs from its arrival until it was appended
     * @param syncUs from then until it was as durable as that
     */
    record Appended(String durability, boolean duplicate, int queueUs, int syncUs) implements Step {}

    /** It was not taken. */
    record Refused(Code code, String why) implements Step {}

    /**
     * It was sent to a member of a group.
     *
     * @param attempt 1 for the first
     * @param waitedMs since it was appended
     * @param replayId of the replay for which it was; empty when it was for none
     */
    record Delivered(String group, int attempt, String member, long waitedMs, String replayId) implements Step {}

    /**
     * A member said what is to become of it, or its lease ran out.
     *
     * @param outcome {@code ack}, {@code nack}, {@code terminate}, {@code release} or {@code expire}
     * @param failure why that could not be written; null when it was
     */
    record Settled(
            String group,
            int attempt,
            String outcome,
            @Nullable Code failure) implements Step {}

    /**
     * A group gave it up.
     *
     * @param attempt the last one; 0 when it was never delivered
     * @param why the last reason given
     * @param topic where it is now, at that offset of that partition
     */
    record DeadLettered(String group, int attempt, String cause, String why, String topic, int partition, long offset)
            implements Step {}
}

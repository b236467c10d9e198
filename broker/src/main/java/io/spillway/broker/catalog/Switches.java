package io.spillway.broker.catalog;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.records.TopicSwitches;
import io.spillway.protocol.Code;

/**
 * What an operator has switched at a topic. Immutable.
 *
 * @param publishPaused clients publish nothing
 * @param dispatchPaused its groups and streams get nothing, and keep what they have
 * @param shedClass the least class that publishes to it have, when load is shed; 0 = their own
 * @param reason of the last change
 * @param changedMs when that was; 0 = never
 */
public record Switches(boolean publishPaused, boolean dispatchPaused, int shedClass, String reason, long changedMs) {
    public static final int MAX_SHED_CLASS = 3;

    /** Of a topic that nobody touched. */
    public static final Switches UNTOUCHED = new Switches(false, false, 0, "", 0);

    private static final int RETRY_AFTER_MS = 1_000;

    static Switches of(TopicSwitches record) {
        return new Switches(
                record.getPublishPaused(),
                record.getDispatchPaused(),
                record.getShedClass(),
                record.getReason(),
                record.getChangedMs());
    }

    public TopicSwitches toRecord() {
        return TopicSwitches.newBuilder()
                .setPublishPaused(publishPaused)
                .setDispatchPaused(dispatchPaused)
                .setShedClass(shedClass)
                .setReason(reason)
                .setChangedMs(changedMs)
                .build();
    }

    /** With one or both paused, or going on. */
    public Switches paused(boolean publish, boolean dispatch, boolean now, String why, long nowMs) {
        return new Switches(publish ? now : publishPaused, dispatch ? now : dispatchPaused, shedClass, why, nowMs);
    }

    public Switches withShedClass(int newClass, String why, long nowMs) {
        return new Switches(publishPaused, dispatchPaused, newClass, why, nowMs);
    }

    /** The answer to who publishes meanwhile. */
    SpillwayException refusal(String topic) {
        return new SpillwayException(
                        Code.THROTTLED,
                        "a publish to " + topic + " was refused before any work",
                        "an operator has paused publishing to the topic: " + reason,
                        "send again after the stated time; to go on: spillway topic resume " + topic + " --publish",
                        RETRY_AFTER_MS,
                        null)
                .with("reason", "ADMIN")
                .with("scope", "topic:" + topic);
    }
}

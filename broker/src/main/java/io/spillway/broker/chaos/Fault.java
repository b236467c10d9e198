package io.spillway.broker.chaos;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.time.Instant;

/**
 * A fault that is injected.
 *
 * @param id tells it from others
 * @param what what happens, to whom
 * @param who asked for it
 * @param reason given by them
 * @param startedMs when it began, in ms since 1970
 * @param untilMs when it ends by itself
 */
public record Fault(String id, Plan what, String who, String reason, long startedMs, long untilMs) {
    /** A fault without an end would be an outage. */
    public static final long MOST_MS = 3_600_000;

    private static final int ALL = 100;
    private static final long LEAST_MS = 1_000;

    /**
     * What a fault does.
     *
     * @param percent of what it could hit; of groups, a fixed share of them
     * @param delayMs of a delay and a slow disk: how long; else 0
     * @param code of an error: with which it is refused
     */
    public record Plan(FaultKind kind, FaultScope scope, int percent, long delayMs, Code code) {
        /** Throws INVALID_ARGUMENT for what makes no sense. */
        public void check() {
            require(percent >= 1 && percent <= ALL, "the share is " + percent + " %", "it goes from 1 to " + ALL);
            if (kind.mostMs() == 0) {
                require(delayMs == 0, kind.text() + " has no time to wait", "delay and slow-disk have");
            } else {
                require(
                        delayMs >= 1 && delayMs <= kind.mostMs(),
                        kind.text() + " is to take " + delayMs + " ms",
                        "it must be from 1 to " + kind.mostMs());
            }
            boolean isOfTopics = kind.isOfRequests() || kind == FaultKind.PAUSE_DISPATCH;
            require(isOfTopics || scope.topic().isEmpty(), kind.text() + " is of no topic", "it is of a whole node");
            require(
                    kind.isOfRequests() || !scope.isOfClients(),
                    kind.text() + " is of no principal or failure domain",
                    "only delay, error and drop are");
            require(
                    (kind == FaultKind.PARTITION) != scope.peers().isEmpty(),
                    kind.text() + (scope.peers().isEmpty() ? " needs a peer" : " has no peer"),
                    "a partition, and nothing else, is between this node and others");
            require(
                    kind != FaultKind.PARTITION || percent == ALL,
                    "a partition of " + percent + " %",
                    "two nodes hear each other or do not");
        }

        /** A node of which this is so is of no use for a majority. */
        boolean isHarmToNode() {
            return kind == FaultKind.FAILED_SYNC || kind == FaultKind.SLOW_DISK && delayMs >= LEAST_MS;
        }

        /** In a few words. */
        public String text() {
            StringBuilder text = new StringBuilder(kind.text());
            if (kind == FaultKind.ERROR) {
                text.append(' ').append(code);
            } else if (delayMs > 0) {
                text.append(' ').append(delayMs).append(" ms");
            }
            text.append(" of ").append(scope);
            return percent == ALL ? text.toString() : text + ", " + percent + " %";
        }
    }

    /** Throws INVALID_ARGUMENT for a time that is none. */
    public static void checkTtl(long ttlMs) {
        require(
                ttlMs >= LEAST_MS && ttlMs <= MOST_MS,
                "the time to live is " + ttlMs + " ms",
                "it must be from 1 s to 1 h: a fault ends by itself");
    }

    private static void require(boolean isSo, String what, String why) {
        if (!isSo) {
            throw new SpillwayException(Code.INVALID_ARGUMENT, what, why, "correct it; see docs/operations/gameday.md");
        }
    }

    public FaultKind kind() {
        return what.kind;
    }

    /** What it is, whose, until when, and why, for those who are hit by it or look. */
    public String text() {
        return what.text() + " injected by " + who + " until " + Instant.ofEpochMilli(untilMs) + " (" + id + "): "
                + reason;
    }

    boolean isOver(long nowMs) {
        return nowMs >= untilMs;
    }
}

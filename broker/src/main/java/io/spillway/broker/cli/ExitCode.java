package io.spillway.broker.cli;

import io.spillway.protocol.Code;
import org.jspecify.annotations.Nullable;

/** What a finished command tells the shell; a contract, see docs/cli.md. */
final class ExitCode {
    static final int OK = 0;
    static final int FAILURE = 1;
    static final int USAGE = 2;
    /** No broker in time, or no verdict from it. */
    static final int UNREACHABLE = 3;

    static final int NOT_FOUND = 4;
    /** The broker will not have it now; the same may work later. */
    static final int REFUSED = 5;
    /** {@code log verify} found damage. */
    static final int CORRUPT = 6;

    private ExitCode() {}

    /** The exit code for an error of the registry; null stands for one of a newer broker. */
    static int of(@Nullable Code code) {
        if (code == null) {
            return FAILURE;
        }
        return switch (code) {
            case CONNECT_FAILED, CONNECTION_LOST, BREAKER_OPEN, OUTCOME_UNKNOWN, ATTEMPT_TIMEOUT, DEADLINE_EXCEEDED ->
                UNREACHABLE;
            case TOPIC_NOT_FOUND, GROUP_NOT_FOUND, NOT_FOUND -> NOT_FOUND;
            case THROTTLED, OVERLOADED, READ_ONLY, QUEUE_FULL, DRAINING, NOT_READY, LEADER_ELECTION -> REFUSED;
            default -> FAILURE;
        };
    }
}

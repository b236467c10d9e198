package io.spillway.broker.admin;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.replication.ReplicationException;
import io.spillway.protocol.Code;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;

/** What an operator is told when the cluster did not do as asked. */
final class ClusterFailures {
    private static final int LEADER_RETRY_MS = 500;

    private ClusterFailures() {}

    /** @param what that is not done, such as "node n2 is not removed" */
    static SpillwayException of(Throwable failure, String what) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof SpillwayException known) {
            return known;
        }
        if (cause instanceof ReplicationException known) {
            return of(known, what);
        }
        if (cause instanceof TimeoutException) {
            return new SpillwayException(
                    Code.DEADLINE_EXCEEDED,
                    what + ", or not yet",
                    "the cluster did not say in time",
                    "it may still be done: look at spillway cluster status before trying again");
        }
        return new SpillwayException(
                Code.INTERNAL, what, String.valueOf(cause), "see the broker's log and report it", 0, cause);
    }

    private static SpillwayException of(ReplicationException failure, String what) {
        String why = String.valueOf(failure.getMessage());
        return switch (failure.kind()) {
            case NOT_LEADER ->
                new SpillwayException(
                        Code.LEADER_ELECTION,
                        what,
                        why,
                        "try again in a moment; if no leader comes to be, start the voters that are down",
                        LEADER_RETRY_MS,
                        failure);
            case BUSY ->
                new SpillwayException(Code.OVERLOADED, what, why, "try again in a moment", LEADER_RETRY_MS, failure);
            case CLOSED ->
                new SpillwayException(Code.NOT_READY, what, why, "ask another node, restart this one", 0, failure);
            case UNKNOWN, UNREACHABLE ->
                new SpillwayException(
                        Code.OUTCOME_UNKNOWN,
                        what + ", or not yet",
                        why,
                        "look at spillway cluster status, then try again",
                        0,
                        failure);
            case REFUSED, TOO_LARGE ->
                new SpillwayException(
                        Code.WRONG_STATE,
                        what,
                        why,
                        "see spillway cluster status, and correct what it says",
                        0,
                        failure);
        };
    }

    static int httpStatus(Code code) {
        return switch (code) {
            case INVALID_ARGUMENT -> 400;
            case UNAUTHENTICATED -> 401;
            case PERMISSION_DENIED -> 403;
            case NOT_FOUND, TOPIC_NOT_FOUND, GROUP_NOT_FOUND -> 404;
            case WRONG_STATE, ALREADY_EXISTS, REVISION_MISMATCH, POSITION_OUT_OF_RANGE -> 409;
            case THROTTLED -> 429;
            case LEADER_ELECTION, NOT_LEADER, DRAINING, READ_ONLY, OVERLOADED, NOT_READY -> 503;
            case DEADLINE_EXCEEDED, OUTCOME_UNKNOWN -> 504;
            default -> 500;
        };
    }
}

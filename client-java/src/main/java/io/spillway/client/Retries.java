package io.spillway.client;

import io.spillway.client.core.Backoff;
import io.spillway.client.core.RetryBudget;
import io.spillway.client.core.RetryClassifier;
import io.spillway.client.core.RetryClassifier.Decision;
import io.spillway.client.core.RetryClassifier.Kind;
import io.spillway.client.net.Errors;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.RetryClass;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Whether and when what failed is tried again: by the class of its error, its attempts, the client's one retry budget and
 * the time left. Confined to the network thread.
 */
final class Retries {
    static final int MAX_PUBLISH_ATTEMPTS = 5;

    private static final int MAX_READ_ATTEMPTS = 4;
    private static final int MAX_ADMIN_ATTEMPTS = 3;
    private static final int MAX_CHECKSUM_ATTEMPTS = 3;
    /** Least time between two looks for the right broker. */
    private static final int REFRESH_MS = 100;
    /** Looks for the right broker that cost nothing. */
    private static final int FREE_REFRESHES = 2;

    /** Times that a change of leader in the middle of a call costs nothing. */
    private static final int FREE_UNKNOWN_OUTCOMES = 2;

    /**
     * What to do.
     *
     * @param again whether to try again, after {@code delayMs}
     * @param outcomeUnknown whether the failed attempt may have been applied
     * @param cost what the retry took from the budget, to be given back by its success
     * @param error why it failed; when the budget forbids a retry it says so
     */
    record Verdict(boolean again, long delayMs, boolean outcomeUnknown, int cost, Error error) {}

    private final RandomGenerator random;
    private final RetryBudget budget = new RetryBudget();
    private int reconnectCost;

    Retries(RandomGenerator random) {
        this.random = random;
    }

    /** Nothing was done, and nothing is wrong: the call waits for the leader of the cluster. This is no failure of it. */
    static boolean waitsForLeader(Error error) {
        return Errors.is(error, Code.NOT_LEADER) || Errors.is(error, Code.LEADER_ELECTION);
    }

    /** A batch was refused. Producers always have sequences, so that every publish is idempotent. */
    Verdict afterPublish(Error error, int attempts, long leftMs) {
        int max = Errors.is(error, Code.CHECKSUM_MISMATCH) ? MAX_CHECKSUM_ATTEMPTS : MAX_PUBLISH_ATTEMPTS;
        return after(error, Kind.PUBLISH, attempts, leftMs, max);
    }

    /** Opening a publisher, or settling messages, was refused. */
    Verdict afterRead(Error error, int attempts, long leftMs) {
        return after(error, Kind.READ, attempts, leftMs, MAX_READ_ATTEMPTS);
    }

    Verdict afterAdmin(Error error, int attempts, long leftMs) {
        return after(error, Kind.READ, attempts, leftMs, MAX_ADMIN_ATTEMPTS);
    }

    /** Subscribing was refused. It is tried for as long as the subscription is open and costs nothing, but it waits. */
    Verdict afterSubscribe(Error error, int attempts) {
        Code code = Code.of(error.getCode());
        Decision decision = RetryClassifier.classify(error.getRetry(), code, Kind.READ, true);
        if (waitsForLeader(error)) {
            return new Verdict(true, leaderDelayMs(error), false, 0, error);
        }
        boolean lookedEnough = decision == Decision.REFRESH_THEN_RETRY && attempts >= MAX_READ_ATTEMPTS;
        boolean again = decision != Decision.FAIL && !lookedEnough;
        return new Verdict(again, delayMs(error, code, decision, attempts), false, 0, error);
    }

    private Verdict after(Error error, Kind kind, int attempts, long leftMs, int max) {
        Code code = Code.of(error.getCode());
        if (waitsForLeader(error)) {
            long delayMs = leaderDelayMs(error);
            return new Verdict(delayMs + Backoff.REQUESTS.minAttemptMs() <= leftMs, delayMs, false, 0, error);
        }
        boolean unknown = retryClass(error, code) == RetryClass.RETRY_UNKNOWN_OUTCOME;
        Decision decision = RetryClassifier.classify(error.getRetry(), code, kind, true);
        long delayMs = delayMs(error, code, decision, attempts);
        if (decision == Decision.FAIL || attempts >= max || delayMs + Backoff.REQUESTS.minAttemptMs() > leftMs) {
            return new Verdict(false, 0, unknown, 0, error);
        }
        boolean isFree = code == Code.REPLICATION_TIMEOUT
                ? attempts <= FREE_UNKNOWN_OUTCOMES
                : decision == Decision.REFRESH_THEN_RETRY && attempts <= FREE_REFRESHES;
        if (isFree) {
            return new Verdict(true, delayMs, unknown, 0, error);
        }
        int cost = budget.take(RetryClassifier.backoff(code));
        return cost > 0
                ? new Verdict(true, delayMs, unknown, cost, error)
                : new Verdict(false, 0, unknown, 0, exhausted(error, code));
    }

    private static long leaderDelayMs(Error error) {
        return Backoff.REQUESTS.atLeast(REFRESH_MS, Integer.toUnsignedLong(error.getRetryAfterMs()));
    }

    private static RetryClass retryClass(Error error, @Nullable Code code) {
        return error.getRetry() != RetryClass.RETRY_NEVER || code == null ? error.getRetry() : code.retry();
    }

    private long delayMs(Error error, @Nullable Code code, Decision decision, int attempts) {
        long delayMs = Backoff.REQUESTS.delayMs(
                RetryClassifier.backoff(code),
                attempts,
                random.nextInt(Backoff.MAX_R + 1),
                Integer.toUnsignedLong(error.getRetryAfterMs()));
        return decision == Decision.REFRESH_THEN_RETRY ? Math.max(REFRESH_MS, delayMs) : delayMs;
    }

    /** Keeps the class of the last error, which tells whether the outcome is known. */
    private static Error exhausted(Error last, @Nullable Code code) {
        return Errors.of(
                        Code.RETRY_BUDGET_EXHAUSTED,
                        last.getMessage(),
                        "too much has failed lately for another retry; the last cause: " + last.getReason() + ", "
                                + last.getCause(),
                        "look at the broker's health; successes refill the budget")
                .toBuilder()
                .setRetry(retryClass(last, code))
                .build();
    }

    /** One charge for sending again all that was in flight, whatever that is; false = not allowed. */
    boolean chargeReconnect() {
        reconnectCost = budget.take(Code.Backoff.TRANSIENT);
        return reconnectCost > 0;
    }

    /** @param cost what the call's last retry took, 0 when it was a first attempt */
    void onSuccess(int cost) {
        budget.onSuccess(cost);
        if (reconnectCost > 0) {
            budget.onSuccess(reconnectCost);
            reconnectCost = 0;
        }
    }
}

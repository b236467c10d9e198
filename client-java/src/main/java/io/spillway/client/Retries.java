package io.spillway.client;

import io.spillway.client.core.Backoff;
import io.spillway.client.core.RetryBudget;
import io.spillway.client.core.RetryClassifier;
import io.spillway.client.core.RetryClassifier.Decision;
import io.spillway.client.net.Errors;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Error;
import java.util.random.RandomGenerator;

/** Whether and when what failed is tried again; one retry budget for the whole client. Confined to the network thread. */
final class Retries {
    static final int MAX_PUBLISH_ATTEMPTS = 5;
    private static final int MAX_READ_ATTEMPTS = 4;
    private static final int MAX_ADMIN_ATTEMPTS = 3;
    private static final int MAX_CHECKSUM_ATTEMPTS = 3;
    /** Least time between two looks for the right broker, in ms. */
    private static final long REFRESH_MS = 100;

    /**
     * @param again whether to try again, after {@code delayMs}
     * @param cost what the retry took from the budget, to be given back by its success
     * @param error why it failed; when the budget forbids a retry it says so
     */
    record Verdict(boolean again, long delayMs, boolean outcomeUnknown, int cost, Error error) {}

    private final RandomGenerator random;
    private final RetryBudget budget = new RetryBudget();

    Retries(RandomGenerator random) {
        this.random = random;
    }

    Verdict afterPublish(Error error, int attempts, long leftMs) {
        int max = Errors.is(error, Code.CHECKSUM_MISMATCH) ? MAX_CHECKSUM_ATTEMPTS : MAX_PUBLISH_ATTEMPTS;
        return after(error, RetryClassifier.Kind.PUBLISH, attempts, leftMs, max);
    }

    Verdict afterRead(Error error, int attempts, long leftMs) {
        return after(error, RetryClassifier.Kind.READ, attempts, leftMs, MAX_READ_ATTEMPTS);
    }

    Verdict afterAdmin(Error error, int attempts, long leftMs) {
        return after(error, RetryClassifier.Kind.READ, attempts, leftMs, MAX_ADMIN_ATTEMPTS);
    }

    /** Producers always have sequences, so that every publish is idempotent. */
    private Verdict after(Error error, RetryClassifier.Kind kind, int attempts, long leftMs, int max) {
        Code code = Code.of(error.getCode());
        Decision decision = RetryClassifier.classify(error.getRetry(), code, kind, true);
        boolean unknown = code == Code.INTERNAL
                || code == Code.STORAGE_ERROR
                || code == Code.CONNECTION_LOST
                || code == Code.ATTEMPT_TIMEOUT
                || code == Code.REPLICATION_TIMEOUT;
        if (decision == Decision.FAIL || decision == Decision.FAIL_OUTCOME_UNKNOWN || attempts >= max) {
            return new Verdict(false, 0, unknown, 0, error);
        }
        Code.Backoff backoff = RetryClassifier.backoff(code);
        int r = random.nextInt(Backoff.MAX_R + 1);
        long delayMs = Backoff.REQUESTS.delayMs(backoff, attempts, r, error.getRetryAfterMs(), leftMs);
        if (delayMs == Backoff.NO_TIME) {
            return new Verdict(false, 0, unknown, 0, error);
        }
        if (decision == Decision.REFRESH_THEN_RETRY) {
            return new Verdict(true, Math.max(REFRESH_MS, delayMs), unknown, 0, error);
        }
        int cost = budget.take(backoff);
        return cost > 0
                ? new Verdict(true, delayMs, unknown, cost, error)
                : new Verdict(false, 0, unknown, 0, exhausted(error));
    }

    private static Error exhausted(Error last) {
        return Errors.of(
                Code.RETRY_BUDGET_EXHAUSTED,
                last.getMessage(),
                "too much has failed lately for another retry; the last cause: " + last.getReason() + ", "
                        + last.getCause(),
                "look at the broker's health; successes refill the budget");
    }

    /** One charge for sending again all that was in flight, whatever that is; false = not allowed. */
    boolean chargeReconnect() {
        return budget.take(Code.Backoff.TRANSIENT) > 0;
    }

    /** @param cost what the call's last retry took, 0 when it was a first attempt */
    void onSuccess(int cost) {
        budget.onSuccess(cost);
    }
}

package io.spillway.client;

import io.spillway.client.net.Backoff;
import io.spillway.client.net.Errors;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.RetryClass;
import java.util.random.RandomGenerator;

/** Whether and when what failed is tried again. Confined to the network thread. */
final class Retries {
    static final int MAX_PUBLISH_ATTEMPTS = 5;

    record Verdict(boolean again, long delayMs, boolean outcomeUnknown, Error error) {}

    private final RandomGenerator random;

    Retries(RandomGenerator random) {
        this.random = random;
    }

    Verdict afterPublish(Error error, int attempts, long leftMs) {
        return after(error, attempts, leftMs, MAX_PUBLISH_ATTEMPTS);
    }

    Verdict afterRead(Error error, int attempts, long leftMs) {
        return after(error, attempts, leftMs, 4);
    }

    Verdict afterAdmin(Error error, int attempts, long leftMs) {
        return after(error, attempts, leftMs, 3);
    }

    Verdict afterSubscribe(Error error, int attempts, long leftMs) {
        return after(error, attempts, leftMs, 4);
    }

    private Verdict after(Error error, int attempts, long leftMs, int max) {
        Code code = Code.of(error.getCode());
        RetryClass retry = code == null || error.getRetry() != RetryClass.RETRY_NEVER ? error.getRetry() : code.retry();
        boolean unknown = retry == RetryClass.RETRY_UNKNOWN_OUTCOME;
        long delay = Backoff.delayMs(
                code != null && code.backoff() == Code.Backoff.THROTTLE, attempts, random.nextInt(65_536));
        delay = Backoff.withRetryAfter(
                retry == RetryClass.RETRY_REFRESH ? Math.max(100, delay) : delay, error.getRetryAfterMs());
        boolean again = retry != RetryClass.RETRY_NEVER
                && attempts < max
                && delay + 50 <= leftMs
                && !Errors.is(error, Code.CLIENT_CLOSED);
        return new Verdict(again, delay, unknown, error);
    }

    boolean chargeReconnect() {
        return true;
    }

    void onSuccess(boolean retried) {}
}

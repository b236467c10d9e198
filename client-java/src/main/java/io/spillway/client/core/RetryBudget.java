package io.spillway.client.core;

import io.spillway.protocol.Code;

/**
 * Tokens that retries cost and successes bring back, so that retries stay a small share of the load when everything fails
 * (the AWS SDKs' standard retry quota). One per client. Driven by vectors/retry_budget.json. Not thread-safe.
 */
public final class RetryBudget {
    public static final int CAPACITY = 500;
    public static final int COST_TRANSIENT = 14;
    public static final int COST_THROTTLE = 5;
    private static final int FIRST_ATTEMPT_SUCCESS = 1;

    private int tokens;

    public RetryBudget() {
        this(CAPACITY);
    }

    RetryBudget(int tokens) {
        this.tokens = tokens;
    }

    /** Takes what a retry costs; 0 = refused, otherwise the cost, to be given to {@link #onSuccess} later. */
    public int take(Code.Backoff kind) {
        int cost = kind == Code.Backoff.THROTTLE ? COST_THROTTLE : COST_TRANSIENT;
        if (tokens < cost) {
            return 0;
        }
        tokens -= cost;
        return cost;
    }

    /** A call succeeded; {@code held} is the cost of its last retry, 0 when it was a first attempt. */
    public void onSuccess(int held) {
        tokens = Math.min(CAPACITY, tokens + (held > 0 ? held : FIRST_ATTEMPT_SUCCESS));
    }

    public int tokens() {
        return tokens;
    }
}

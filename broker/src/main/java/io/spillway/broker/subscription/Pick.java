package io.spillway.broker.subscription;

/** The next range to deliver, filled in by {@link SubscriptionState#next}. Not thread-safe. */
public final class Pick {
    /** First offset. */
    public long from;
    /** End of the range, exclusive. */
    public long to;
    /** Number of this delivery, 1 = the first. */
    public int attempt;
    /** Deliveries of it that failed. */
    public int failures;

    void set(long newFrom, long newTo, int newAttempt, int newFailures) {
        from = newFrom;
        to = newTo;
        attempt = newAttempt;
        failures = newFailures;
    }
}

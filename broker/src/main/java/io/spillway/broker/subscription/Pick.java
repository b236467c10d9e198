package io.spillway.broker.subscription;

/**
 * A range of records to deliver next, all with the same history. Reused by the caller from pick to pick.
 *
 * <p>Confined to the shard thread.
 */
public final class Pick {
    public long from;
    public long to;
    /** Number of this delivery, 1 for the first. A restart forgets deliveries that did not fail. */
    public int attempt;
    /** How often the records failed; what max deliveries counts. */
    public int failures;

    void set(long from, long to, int attempt, int failures) {
        this.from = from;
        this.to = to;
        this.attempt = attempt;
        this.failures = failures;
    }
}

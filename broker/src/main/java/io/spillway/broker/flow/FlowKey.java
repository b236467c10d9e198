package io.spillway.broker.flow;

/**
 * Whose load something is.
 *
 * @param domain what fails, and surges, together: the label a client gives itself, its language by default
 * @param principal who within it
 */
public record FlowKey(String domain, String principal) {
    /** The broker's own: replays, audit. */
    public static final FlowKey BROKER = new FlowKey("spillway", "spillway");
}

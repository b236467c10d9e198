package io.spillway.client;

/**
 * Messages whose settlement did not count: the lease was over, and they are or will be with another member. What their
 * handling did may be done again.
 *
 * @param firstOffset first of the range
 * @param lastOffset last of the range, included
 * @param cause what the broker said
 */
public record LostLeases(String topic, int partition, long firstOffset, long lastOffset, SpillwayException cause) {}

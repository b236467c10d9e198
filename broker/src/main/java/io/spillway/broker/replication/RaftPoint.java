package io.spillway.broker.replication;

/**
 * A place in the agreed order of entries.
 *
 * @param term of the leader that proposed the entry
 * @param index of the entry, from 0 without gaps
 */
public record RaftPoint(long term, long index) {
    /** Before the first entry. */
    public static final RaftPoint NONE = new RaftPoint(0, -1);

    public boolean isBefore(RaftPoint other) {
        return index < other.index;
    }
}

package io.spillway.broker.link;

import io.spillway.broker.records.LinkKept;
import java.util.List;

/**
 * A link as its operator sees it. Immutable.
 *
 * @param state what it does
 * @param why what is wrong, and what to do; empty when nothing is
 * @param source the broker it is connected to; empty when it is not
 * @param contactMs when the source was last heard of, in ms since 1970; 0 = not since the broker started
 * @param bytes copied since the broker started
 * @param records copied since the broker started
 */
public record LinkView(
        LinkKept link,
        State state,
        String why,
        String source,
        long contactMs,
        long bytes,
        long records,
        List<Topic> topics) {

    /** What a link does. */
    public enum State {
        /** Looks for its source. */
        CONNECTING,
        /** Copies what it lacks. */
        COPYING,
        /** Has asked the source to let go, and copies the rest. */
        PROMOTING,
        /** Its topics live here; the old source is still to be told. */
        FENCING,
        /** Its topics live here. */
        PROMOTED
    }

    /** @param why what is wrong with this one, and what to do; empty when nothing is */
    public record Topic(String name, String why, long epoch, List<Partition> partitions) {}

    /**
     * @param sourceEnd as last heard; -1 = not yet
     * @param end here
     * @param lagMs how old the oldest record is that is at the source and not here, as last heard; 0 = none is known
     * @param unreadable records that the source could not read and that are missing here
     */
    public record Partition(int partition, long sourceEnd, long end, long lagMs, long unreadable) {
        public long lag() {
            return sourceEnd < 0 ? 0 : Math.max(0, sourceEnd - end);
        }
    }

    /** Records known to be at the source and not here. */
    public long lagRecords() {
        return topics.stream()
                .flatMap(topic -> topic.partitions().stream())
                .mapToLong(Partition::lag)
                .sum();
    }

    /** How far the copy is behind: the oldest record it lacks, or since when nothing was heard of the source. */
    public long lagMs(long nowMs) {
        if (state == State.PROMOTED || state == State.FENCING) {
            return 0;
        }
        long silentMs = source.isEmpty() && contactMs > 0 ? Math.max(0, nowMs - contactMs) : 0;
        return silentMs
                + topics.stream()
                        .flatMap(topic -> topic.partitions().stream())
                        .mapToLong(Partition::lagMs)
                        .max()
                        .orElse(0);
    }
}

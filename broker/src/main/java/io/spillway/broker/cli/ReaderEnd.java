package io.spillway.broker.cli;

import io.spillway.client.Message;
import io.spillway.client.TopicDescription;
import java.util.HashMap;
import java.util.Map;

/** The end of the log, as it was when a reader without a group began. Not thread-safe. */
final class ReaderEnd implements LogEnd {
    /** A partition without a record since the time asked for is not told from one that is slow but by waiting. */
    private static final long SILENCE_NS = 1_000_000_000;

    private static final long UNKNOWN = -1;

    private final Map<Integer, Long> ends = new HashMap<>();
    private final Map<Integer, Long> nexts = new HashMap<>();

    ReaderEnd(TopicDescription topic, Position from) {
        for (TopicDescription.Partition p : topic.partitions()) {
            if (from.kind() != Position.Kind.OFFSET || from.partition() == p.partition()) {
                ends.put(p.partition(), p.endOffset());
                nexts.put(p.partition(), first(p, from));
            }
        }
    }

    private static long first(TopicDescription.Partition p, Position from) {
        return switch (from.kind()) {
            case EARLIEST -> p.startOffset();
            case LATEST -> p.endOffset();
            case OFFSET -> Math.max(p.startOffset(), from.value());
            case TIME -> p.startOffset() == p.endOffset() ? p.endOffset() : UNKNOWN;
        };
    }

    @Override
    public boolean covers(Message message) {
        nexts.put(message.partition(), message.offset() + 1);
        return message.offset() < ends.getOrDefault(message.partition(), 0L);
    }

    @Override
    public boolean reached(long idleNs) {
        for (Map.Entry<Integer, Long> end : ends.entrySet()) {
            long next = nexts.getOrDefault(end.getKey(), UNKNOWN);
            boolean silent = next == UNKNOWN && idleNs >= SILENCE_NS;
            if (next < end.getValue() && !silent) {
                return false;
            }
        }
        return true;
    }
}

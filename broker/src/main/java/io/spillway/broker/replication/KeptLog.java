package io.spillway.broker.replication;

import java.util.ArrayDeque;

/**
 * How far back the log goes: to where the files are, and some bytes more for nodes that were away for a short while. Ratis
 * counts entries, of which one may have a hundred bytes or millions. Confined to Ratis' updater thread.
 *
 * <p>It remembers places in the log with the bytes written up to there, a few dozen in what is kept. After a restart it
 * knows nothing of what is older, so that twice as much may be kept for a while.
 */
final class KeptLog {
    private static final int MARKS = 32;

    private record Mark(RaftPoint point, long bytesBefore) {}

    private final long keptBytes;
    private final ArrayDeque<Mark> marks = new ArrayDeque<>();
    private long bytes;

    KeptLog(long keptBytes) {
        this.keptBytes = keptBytes;
    }

    void passed(long term, long index, int entryBytes) {
        bytes += entryBytes;
        Mark newest = marks.peekLast();
        if (keptBytes > 0 && (newest == null || bytes - newest.bytesBefore() >= keptBytes / MARKS)) {
            marks.addLast(new Mark(new RaftPoint(term, index), bytes));
        }
    }

    /** Up to where the log may go, given how far the files are; {@link RaftPoint#NONE} = nowhere yet. */
    RaftPoint dispensable(RaftPoint durable) {
        if (keptBytes == 0) {
            return durable;
        }
        RaftPoint last = RaftPoint.NONE;
        while (!marks.isEmpty()
                && bytes - marks.peekFirst().bytesBefore() >= keptBytes
                && !durable.isBefore(marks.peekFirst().point())) {
            last = marks.removeFirst().point();
        }
        return last;
    }
}

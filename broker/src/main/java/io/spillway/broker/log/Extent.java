package io.spillway.broker.log;

import org.jspecify.annotations.Nullable;

/**
 * A run of batches of one partition in one segment, in offset order and without a gap: the unit of the index in memory,
 * of retention and of relocation. Its table has one row of four longs for each batch:
 *
 * <pre>
 *  0 base offset
 *  1 append time, ms
 *  2 position of the entry in the segment (upper 32 bits) | bytes of the entry (lower 32 bits)
 *  3 records of the batch (upper) | bytes of the batch (lower)
 * </pre>
 *
 * The table of a closed segment's extent is in its footer and loaded when needed. Confined to the shard thread, but for
 * the part that no longer changes once its segment was closed, which the sync thread writes to the footer.
 */
final class Extent {
    static final int ROW_LONGS = 4;
    static final int MAX_ROWS = 512;
    static final long MAX_BYTES = 2 << 20;
    private static final int FIRST_ROWS = 8;
    private static final long LOW = 0xffff_ffffL;

    final Segment segment;
    final int partitionId;
    final boolean relocated;
    final long baseOffset;

    private long endOffset;
    private long minTimeMs = Long.MAX_VALUE;
    private long maxTimeMs = Long.MIN_VALUE;
    private long totalBytes;
    private int rows;
    private boolean closed;
    private long @Nullable [] table;

    /** Where the footer holds the table, or -1. */
    private long tableAt = -1;

    private int tableCrc;

    /** The part that still counts: [from, to). */
    private long from;

    private long to;
    private long liveBytes;

    Extent(Segment segment, int partitionId, boolean relocated, long baseOffset) {
        this.segment = segment;
        this.partitionId = partitionId;
        this.relocated = relocated;
        this.baseOffset = baseOffset;
        this.endOffset = baseOffset;
        this.from = baseOffset;
        this.to = baseOffset;
        this.table = new long[FIRST_ROWS * ROW_LONGS];
    }

    /** One that is described in a footer and whose table is loaded later. */
    Extent(Segment segment, FooterRow row) {
        this(segment, row.partitionId(), row.relocated(), row.baseOffset());
        endOffset = row.endOffset();
        to = endOffset;
        minTimeMs = row.minTimeMs();
        maxTimeMs = row.maxTimeMs();
        totalBytes = row.bytes();
        liveBytes = totalBytes;
        rows = row.rows();
        closed = true;
        stored(row.tableAt(), row.tableCrc());
        table = null;
    }

    /** Whether a batch that starts here may become this extent's next row. */
    boolean takes(long batchBaseOffset) {
        return !closed && batchBaseOffset == endOffset && rows < MAX_ROWS && totalBytes < MAX_BYTES;
    }

    void add(BatchRow row) {
        long[] into = table();
        if (rows * ROW_LONGS == into.length) {
            into = java.util.Arrays.copyOf(into, into.length * 2);
            table = into;
        }
        int at = rows * ROW_LONGS;
        into[at] = row.baseOffset;
        into[at + 1] = row.appendTimeMs;
        into[at + 2] = row.position << 32 | row.entryBytes;
        into[at + 3] = (long) row.records << 32 | row.batchBytes;
        rows++;
        endOffset = row.baseOffset + row.records;
        to = endOffset;
        minTimeMs = Math.min(minTimeMs, row.appendTimeMs);
        maxTimeMs = Math.max(maxTimeMs, row.appendTimeMs);
        totalBytes += row.batchBytes;
        liveBytes += row.batchBytes;
    }

    /** No further rows. */
    void close() {
        closed = true;
    }

    /** The footer holds the table now; it may be dropped from memory. */
    void stored(long at, int crc) {
        tableAt = at;
        tableCrc = crc;
    }

    long tableAt() {
        return tableAt;
    }

    int tableCrc() {
        return tableCrc;
    }

    int tableBytes() {
        return rows * ROW_LONGS * Long.BYTES;
    }

    boolean loaded() {
        return table != null;
    }

    long[] table() {
        if (table == null) {
            throw new IllegalStateException("the table of an extent of partition " + partitionId + " is not loaded");
        }
        return table;
    }

    /**
     * Takes a table that was loaded, or that another extent has; it may have fewer rows than were known when batches are
     * gone, and room for more that are none.
     */
    void load(long[] loaded) {
        table = loaded;
        rows = Math.min(rows, loaded.length / ROW_LONGS);
    }

    void unload() {
        if (tableAt >= 0) {
            table = null;
        }
    }

    int rows() {
        return rows;
    }

    long endOffset() {
        return endOffset;
    }

    long totalBytes() {
        return totalBytes;
    }

    long minTimeMs() {
        return minTimeMs;
    }

    long maxTimeMs() {
        return maxTimeMs;
    }

    long from() {
        return from;
    }

    long to() {
        return to;
    }

    long liveBytes() {
        return liveBytes;
    }

    /** Only [newFrom, newTo) counts from now on; both are batch boundaries. The table must be loaded. */
    void narrow(long newFrom, long newTo) {
        from = newFrom;
        to = newTo;
        closed |= newTo < endOffset;
        liveBytes = 0;
        long[] rowsOf = table();
        for (int row = 0; row < rows; row++) {
            long base = rowsOf[row * ROW_LONGS];
            if (base >= from && base < to) {
                liveBytes += batchBytes(rowsOf, row);
            }
        }
    }

    /** The first row whose batch ends after the offset; {@link #rows} when there is none. The table must be loaded. */
    int find(long offset) {
        long[] in = table();
        int low = 0;
        int high = rows;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (rowBaseOffset(in, middle) + records(in, middle) > offset) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    static long rowBaseOffset(long[] table, int row) {
        return table[row * ROW_LONGS];
    }

    static long rowTimeMs(long[] table, int row) {
        return table[row * ROW_LONGS + 1];
    }

    static long position(long[] table, int row) {
        return table[row * ROW_LONGS + 2] >>> 32;
    }

    static int entryBytes(long[] table, int row) {
        return (int) (table[row * ROW_LONGS + 2] & LOW);
    }

    static int records(long[] table, int row) {
        return (int) (table[row * ROW_LONGS + 3] >>> 32);
    }

    static int batchBytes(long[] table, int row) {
        return (int) (table[row * ROW_LONGS + 3] & LOW);
    }
}

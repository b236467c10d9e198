package io.spillway.broker.log;

import io.spillway.protocol.Crc;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * The index of a closed segment, a file beside it. Big-endian.
 *
 * <pre>
 *  0 u64 magic | 8 u32 segment | 12 u32 extents | 16 u64 base sequence | 24 u64 end sequence | 32 u64 used bytes
 * 40 extents x { u32 partition | u32 flags, 1 = relocated | u64 base offset | u64 end offset | u64 min time ms |
 *                u64 max time ms | u64 bytes | u32 rows | u32 crc32c of the table | u64 position of the table }
 *    u32 crc32c of all before | tables, each rows x 32 bytes (Extent)
 * </pre>
 */
record SegmentFooter(int segment, long baseSequence, long endSequence, long usedBytes, List<FooterRow> rows) {
    private static final long MAGIC = 0x53504c5749445831L; // SPLWIDX1
    private static final int HEAD_BYTES = 40;
    private static final int ROW_BYTES = 64;
    private static final int CRC_BYTES = 4;
    private static final int RELOCATED = 1;

    /**
     * Writes the footer of a segment, without forcing it; its extents must be complete and loaded. Returns where each
     * table went.
     */
    static List<FooterRow> write(Path file, Segment segment) throws IOException {
        List<Extent> extents = segment.extents();
        int headBytes = HEAD_BYTES + extents.size() * ROW_BYTES + CRC_BYTES;
        int bytes = headBytes;
        for (Extent extent : extents) {
            bytes = Math.addExact(bytes, extent.tableBytes());
        }
        ByteBuffer out = ByteBuffer.allocate(bytes);
        List<FooterRow> rows = new ArrayList<>(extents.size());
        out.position(headBytes);
        for (Extent extent : extents) {
            int at = out.position();
            long[] table = extent.table();
            for (int i = 0; i < extent.rows() * Extent.ROW_LONGS; i++) {
                out.putLong(table[i]);
            }
            rows.add(row(extent, at, Crc.crc32c(out.duplicate().flip().position(at))));
        }
        out.position(0);
        out.putLong(MAGIC).putInt(segment.number).putInt(extents.size());
        out.putLong(segment.baseSequence).putLong(segment.endSequence()).putLong(segment.usedBytes());
        for (FooterRow row : rows) {
            put(out, row);
        }
        out.putInt(Crc.crc32c(out.duplicate().flip()));
        LogFiles.replaceUnforced(file, out.clear());
        return rows;
    }

    private static FooterRow row(Extent extent, long at, int crc) {
        return new FooterRow(
                extent.partitionId,
                extent.relocated,
                extent.baseOffset,
                extent.endOffset(),
                extent.minTimeMs(),
                extent.maxTimeMs(),
                extent.totalBytes(),
                extent.rows(),
                at,
                crc);
    }

    private static void put(ByteBuffer out, FooterRow row) {
        out.putInt(row.partitionId()).putInt(row.relocated() ? RELOCATED : 0);
        out.putLong(row.baseOffset()).putLong(row.endOffset());
        out.putLong(row.minTimeMs()).putLong(row.maxTimeMs()).putLong(row.bytes());
        out.putInt(row.rows()).putInt(row.tableCrc()).putLong(row.tableAt());
    }

    /** Reads the head and the extents, not the tables; throws IOException with the reason when it is unusable. */
    static SegmentFooter read(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer head = read(channel, 0, HEAD_BYTES);
            if (head.getLong() != MAGIC) {
                throw new IOException("it does not begin like a footer");
            }
            int number = head.getInt();
            int count = head.getInt();
            if (count < 0 || HEAD_BYTES + (long) count * ROW_BYTES + CRC_BYTES > channel.size()) {
                throw new IOException("it is shorter than its " + count + " extents");
            }
            ByteBuffer all = read(channel, 0, HEAD_BYTES + count * ROW_BYTES + CRC_BYTES);
            int crcAt = all.limit() - CRC_BYTES;
            if (Crc.crc32c(all.duplicate().limit(crcAt)) != all.getInt(crcAt)) {
                throw new IOException("its checksum does not match");
            }
            all.position(HEAD_BYTES);
            List<FooterRow> rows = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                rows.add(row(all));
            }
            return new SegmentFooter(number, head.getLong(), head.getLong(), head.getLong(), rows);
        }
    }

    private static FooterRow row(ByteBuffer in) {
        int partition = in.getInt();
        boolean relocated = (in.getInt() & RELOCATED) != 0;
        long baseOffset = in.getLong();
        long endOffset = in.getLong();
        long minTimeMs = in.getLong();
        long maxTimeMs = in.getLong();
        long bytes = in.getLong();
        int rows = in.getInt();
        int crc = in.getInt();
        return new FooterRow(
                partition, relocated, baseOffset, endOffset, minTimeMs, maxTimeMs, bytes, rows, in.getLong(), crc);
    }

    /** Reads the table of an extent; throws IOException when it is damaged. */
    static long[] readTable(Path file, Extent extent) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer bytes = read(channel, extent.tableAt(), extent.tableBytes());
            if (Crc.crc32c(bytes.duplicate()) != extent.tableCrc()) {
                throw new IOException("the checksum of a table does not match");
            }
            long[] table = new long[extent.rows() * Extent.ROW_LONGS];
            bytes.asLongBuffer().get(table);
            return table;
        }
    }

    private static ByteBuffer read(FileChannel channel, long position, int bytes) throws IOException {
        ByteBuffer into = ByteBuffer.allocate(bytes);
        while (into.hasRemaining()) {
            if (channel.read(into, position + into.position()) < 0) {
                throw new IOException("it ends at byte " + (position + into.position()));
            }
        }
        return into.flip();
    }
}

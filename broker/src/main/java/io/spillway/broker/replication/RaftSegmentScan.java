package io.spillway.broker.replication;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.thirdparty.com.google.protobuf.InvalidProtocolBufferException;

/**
 * One file of Ratis' log, read from its beginning to where its entries end. Used once, by one thread.
 *
 * <pre>
 *   "RaftLog1" | entry ... | 0 ...          entry: | varint bytes | LogEntryProto | u32 crc32c of both |
 * </pre>
 */
final class RaftSegmentScan {
    private static final byte[] HEADER = {'R', 'a', 'f', 't', 'L', 'o', 'g', '1'};
    private static final int MAX_ENTRY_BYTES = 8 << 20;
    private static final int BUFFER_BYTES = 1 << 20;
    private static final int VARINT_MAX_BYTES = 5;
    private static final long NONE = -1;

    private final Path file;
    private final long expectedFirst;
    private final CRC32C crc = new CRC32C();
    private byte[] entry = new byte[64 << 10];
    private long end = HEADER.length;
    private long last = NONE;
    private long lastTerm;
    private String damage = "";
    private boolean isTorn;

    private RaftSegmentScan(Path file, long expectedFirst) {
        this.file = file;
        this.expectedFirst = expectedFirst;
    }

    static RaftSegmentScan run(Path file, long first) throws IOException {
        RaftSegmentScan scan = new RaftSegmentScan(file, first);
        try (DataInputStream in =
                new DataInputStream(new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES))) {
            scan.read(in, Files.size(file));
        }
        return scan;
    }

    private void read(DataInputStream in, long bytes) throws IOException {
        byte[] header = in.readNBytes(HEADER.length);
        if (!Arrays.equals(header, HEADER)) {
            // Ratis writes the header when it creates the file, and nothing before.
            isTorn = isZero(header) && isZeroToEnd(in);
            damage = "its header is not Ratis'";
            end = 0;
            return;
        }
        while (damage.isEmpty() && next(in, bytes)) {
            // The work is in the condition.
        }
    }

    /** False at the end of the entries, be it right or wrong. */
    private boolean next(DataInputStream in, long bytes) throws IOException {
        int at = 0;
        int length = 0;
        for (int shift = 0; ; shift += 7) {
            int one = in.read();
            if (one <= 0 && at == 0) {
                damage = one < 0 || isZeroToEnd(in) ? "" : "bytes that are no entry stand at " + end;
                return false;
            }
            if (one < 0) {
                return broken(in, bytes, bytes);
            }
            entry[at++] = (byte) one;
            length |= (one & 0x7f) << shift;
            if ((one & 0x80) == 0) {
                break;
            }
            if (at == VARINT_MAX_BYTES) {
                damage = "the entry at " + end + " has no length";
                return false;
            }
        }
        if (length <= 0 || length > MAX_ENTRY_BYTES) {
            damage = "the entry at " + end + " claims " + length + " bytes";
            return false;
        }
        long entryEnd = end + at + length + Integer.BYTES;
        if (entryEnd > bytes) {
            return broken(in, bytes, bytes);
        }
        if (entry.length < at + length) {
            entry = Arrays.copyOf(entry, Math.max(2 * entry.length, at + length));
        }
        try {
            in.readFully(entry, at, length);
            crc.reset();
            crc.update(entry, 0, at + length);
            if (in.readInt() != (int) crc.getValue()) {
                return broken(in, entryEnd, bytes);
            }
        } catch (EOFException e) {
            return broken(in, bytes, bytes);
        }
        return take(at, length, entryEnd);
    }

    private boolean take(int at, int length, long entryEnd) {
        try {
            LogEntryProto read = LogEntryProto.parser().parseFrom(entry, at, length);
            long expected = last == NONE ? expectedFirst : last + 1;
            if (read.getIndex() != expected) {
                damage = "entry " + read.getIndex() + " stands where " + expected + " must";
                return false;
            }
            last = read.getIndex();
            lastTerm = read.getTerm();
            end = entryEnd;
            return true;
        } catch (InvalidProtocolBufferException e) {
            damage = "the entry at " + end + " has a right checksum and no content: " + e.getMessage();
            return false;
        }
    }

    /** The entry at {@code end} is not whole: torn, when nothing stands behind it. */
    private boolean broken(DataInputStream in, long entryEnd, long bytes) throws IOException {
        damage = "the entry at " + end + " does not match its CRC32C, or is not whole";
        isTorn = entryEnd >= bytes || isZeroToEnd(in);
        return false;
    }

    private static boolean isZeroToEnd(DataInputStream in) throws IOException {
        byte[] part = new byte[64 << 10];
        for (int read; (read = in.read(part)) > 0; ) {
            for (int i = 0; i < read; i++) {
                if (part[i] != 0) {
                    return false;
                }
            }
        }
        return true;
    }

    private static boolean isZero(byte[] bytes) {
        for (byte one : bytes) {
            if (one != 0) {
                return false;
            }
        }
        return true;
    }

    /** Cuts the torn entry off and returns where its bytes are kept. */
    Path cut(Path keptIn) throws IOException {
        Path kept = keptIn.resolve(file.getFileName() + "-" + end + ".torn");
        try (FileChannel from = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
                FileChannel to = FileChannel.open(
                        kept,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
            long size = Math.min(from.size(), end + MAX_ENTRY_BYTES);
            for (long at = end; at < size; ) {
                at += from.transferTo(at, size - at, to);
            }
            to.force(true);
            from.truncate(end);
            from.force(true);
        }
        return kept;
    }

    /** Why the entries end where they do; empty when they end as they should. */
    String damage() {
        return damage;
    }

    /** Whether the damage may be the last write, which was never answered. */
    boolean isTorn() {
        return isTorn;
    }

    /** Position behind the last good entry. */
    long end() {
        return end;
    }

    /** Index of the last good entry; -1 = none. */
    long last() {
        return last;
    }

    long lastTerm() {
        return lastTerm;
    }
}

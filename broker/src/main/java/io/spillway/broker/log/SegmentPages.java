package io.spillway.broker.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import net.openhft.posix.MAdviseFlag;
import net.openhft.posix.PosixAPI;
import org.agrona.BufferUtil;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * In which pieces the segment that is written comes into the page cache. A piece that is stored to through a mapping is dirty as a
 * whole. Left alone, the kernel reads ahead of a mapping in pieces that grow to megabytes, and each sync after a record of a
 * kilobyte writes that much (docs/decisions/0028).
 *
 * <p>So nothing is read ahead. For large entries pieces are made by writing zeros behind the last entry, which takes fewer and cheaper steps
 * than a fault for each page; for small ones a page of 4 KiB comes with the store. This is a matter of speed only: what a
 * segment holds is the same without. Confined to the shard thread.
 */
final class SegmentPages implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SegmentPages.class);
    /** Entries from this size on have their pages made for them. */
    private static final int LARGE_ENTRY_BYTES = 16 << 10;
    /** What is made ends at a multiple of this, and is what a sync after a small entry may write in vain. */
    private static final int PIECE_BYTES = 128 << 10;

    private static final int PAGE_BYTES = 4096;
    private static final ByteBuffer ZEROS =
            ByteBuffer.allocateDirect(PIECE_BYTES).asReadOnlyBuffer();

    private final FileChannel channel;
    private final long segmentBytes;
    private final ByteBuffer zeros = ZEROS.duplicate();
    private long madeUpTo;

    SegmentPages(Path file, long segmentBytes) throws IOException {
        // Of its own: an interrupt in the middle of a write closes it, and nothing else must fail then.
        channel = FileChannel.open(file, StandardOpenOption.WRITE);
        this.segmentBytes = segmentBytes;
    }

    /**
     * Makes the pages of an entry that is about to be stored, if it is large.
     *
     * @param usedBytes the end of the entry before it. Chronicle may have stored less than {@link SegmentAppender#RESERVED_BYTES} of
     *     its own behind that, and the pages of those bytes are left alone
     */
    void makeFor(long usedBytes, int entryBytes) throws IOException {
        long needed = usedBytes + entryBytes + SegmentAppender.RESERVED_BYTES;
        if (entryBytes < LARGE_ENTRY_BYTES || needed <= madeUpTo) {
            return;
        }
        long at = Math.max(madeUpTo, roundedUp(usedBytes + SegmentAppender.RESERVED_BYTES, PAGE_BYTES));
        long end = Math.min(segmentBytes, roundedUp(needed, PIECE_BYTES));
        try {
            while (at < end) {
                zeros.clear().limit((int) Math.min(end, roundedUp(at + 1, PIECE_BYTES)) - (int) at);
                at += channel.write(zeros, at);
            }
            madeUpTo = end;
        } catch (ClosedByInterruptException e) {
            // The thread still knows that it was interrupted; the rest of this segment comes page by page.
            madeUpTo = Long.MAX_VALUE;
        }
    }

    private static long roundedUp(long bytes, int multiple) {
        return (bytes + multiple - 1) / multiple * multiple;
    }

    /** Nothing is read ahead when this mapping is read from. */
    static void noReadAhead(MappedByteBuffer mapping) {
        noReadAhead(BufferUtil.address(mapping), mapping.capacity());
    }

    /** Nothing is read ahead when this mapping, which begins with a page, is stored to. */
    static void noReadAhead(long address, long bytes) {
        if (PosixAPI.posix().madvise(address, bytes, MAdviseFlag.MADV_RANDOM) != 0) {
            LOG.warn(
                    "what=\"a segment is read ahead\" why=\"{}\" next=\"nothing is lost; syncs of few records may write megabytes\"",
                    PosixAPI.posix().lastErrorStr());
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}

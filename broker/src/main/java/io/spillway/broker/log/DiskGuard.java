package io.spillway.broker.log;

/**
 * Watches the free space of the file system. Publishing stops at the watermark; entries of state and relocation, which
 * in the end give space back, may go on into three quarters of what is below it; the rest is left for footers, the
 * manifest and snapshots. Confined to the shard thread.
 */
final class DiskGuard {
    private static final long CHECK_EVERY_MS = 1000;
    private static final int RETRY_AFTER_MS = 1000;
    private static final int FLOOR_PART = 4;
    /** The part of it from which on the space for entries of state is counted as there again. */
    private static final int RESERVE_PART = 2;
    /** For the small files beside the segments, which are also written through mappings by Chronicle. */
    private static final long LEAST_FLOOR_BYTES = 1 << 20;

    private final DiskSpace disk;
    private final long minFreeBytes;
    private long checkedMs;
    private long freeBytes;
    private WriteState state = WriteState.WRITABLE;

    DiskGuard(LogConfig config, DiskSpace disk, long nowMs) {
        this.disk = disk;
        this.minFreeBytes = config.minFreeBytes();
        check(nowMs);
    }

    /** The space a segment can be allocated from. */
    DiskSpace forSegments() {
        long floor = Math.max(LEAST_FLOOR_BYTES, minFreeBytes / FLOOR_PART);
        return () -> disk.usableBytes() - floor;
    }

    /** Looks again if the last look is old enough; true when it changed what the log accepts. */
    boolean checkIfDue(long nowMs) {
        if (nowMs - checkedMs < CHECK_EVERY_MS && nowMs >= checkedMs) {
            return false;
        }
        WriteState before = state;
        check(nowMs);
        return before.mode() != state.mode();
    }

    private void check(long nowMs) {
        checkedMs = nowMs;
        freeBytes = disk.usableBytes();
        boolean isUsedUp = !state.delivers() && freeBytes < minFreeBytes / RESERVE_PART;
        state = freeBytes >= minFreeBytes
                ? WriteState.WRITABLE
                : new WriteState(
                        isUsedUp ? WriteState.Mode.RESERVE : WriteState.Mode.READ_ONLY,
                        "the file system has " + freeBytes + " bytes left, publishing needs " + minFreeBytes,
                        RETRY_AFTER_MS);
    }

    /**
     * There was no room for another segment; until the next look that finds the space the log is read-only.
     *
     * @param forState an entry of state wanted it: what is delivered from now on could not be settled
     */
    void exhausted(boolean forState) {
        freeBytes = disk.usableBytes();
        state = new WriteState(
                forState ? WriteState.Mode.RESERVE : WriteState.Mode.READ_ONLY,
                "the file system has " + freeBytes + " bytes left, too few for another segment",
                RETRY_AFTER_MS);
    }

    WriteState state() {
        return state;
    }

    /** At the last look. */
    long freeBytes() {
        return freeBytes;
    }
}

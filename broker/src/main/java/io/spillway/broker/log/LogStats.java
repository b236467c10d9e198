package io.spillway.broker.log;

/**
 * Figures of a log at one moment.
 *
 * @param segments segment files, the active one included
 * @param bytes bytes these files take on disk
 * @param liveBytes bytes of batches that retention keeps
 * @param partitions partitions with a start or end offset
 * @param freeDiskBytes free bytes of the file system at the last check
 * @param corruptBatches batches whose bytes were found corrupt since the start
 * @param relocatedBytes bytes of batches moved forward since the start
 * @param freedSegments segments deleted since the start
 * @param syncedSequence everything before this sequence is on the disk
 */
public record LogStats(
        int segments,
        long bytes,
        long liveBytes,
        int partitions,
        long freeDiskBytes,
        long corruptBatches,
        long relocatedBytes,
        long freedSegments,
        long syncedSequence) {}

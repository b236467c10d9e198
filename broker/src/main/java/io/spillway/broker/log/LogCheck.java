package io.spillway.broker.log;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * Reads the closed segments of a log, open or not, against their checksums. They do not change any more, so that it needs
 * nothing of the log but its directory; one that is given up meanwhile is passed over. Thread-safe.
 */
public final class LogCheck {
    private LogCheck() {}

    /** Whether a log with this problem lacks something, so that only another copy has all of it. */
    public static boolean isLoss(LogProblem problem) {
        return switch (problem.kind()) {
            // Never synced; or rebuilt from what its segment says, checksum by checksum.
            case TORN_TAIL, BAD_FOOTER -> false;
            case DAMAGED_RANGE,
                    CORRUPT_BATCH,
                    TRUNCATED_SEGMENT,
                    MISSING_SEGMENT,
                    EMPTY_SEGMENT,
                    UNREADABLE_FILE,
                    BAD_MANIFEST,
                    BAD_SNAPSHOT,
                    OFFSET_GAP,
                    LOST_TAIL -> true;
        };
    }

    /**
     * What is wrong with the closed segments.
     *
     * @param read told of the bytes of each segment after it was read; may wait
     */
    public static List<LogProblem> closedSegments(Path log, LongConsumer read) throws IOException {
        LogFiles files = new LogFiles(log);
        List<LogProblem> problems = new ArrayList<>();
        for (Map.Entry<Integer, Path> segment : files.closedSegments().entrySet()) {
            int before = problems.size();
            try {
                check(files, segment.getKey(), segment.getValue(), problems);
                read.accept(Files.size(segment.getValue()));
            } catch (IOException e) {
                if (Files.exists(segment.getValue()) && Files.exists(files.footer(segment.getKey()))) {
                    problems.add(problem(LogProblem.Kind.UNREADABLE_FILE, segment.getKey(), -1, e.toString()));
                }
            }
            if (!Files.exists(segment.getValue())) {
                problems.subList(before, problems.size()).clear();
            }
        }
        return problems;
    }

    private static void check(LogFiles files, int number, Path file, List<LogProblem> problems) throws IOException {
        SegmentFooter footer = SegmentFooter.read(files.footer(number));
        Segment segment = new Segment(number, footer.baseSequence(), file);
        SegmentScan scan = SegmentScan.run(segment, footer.usedBytes(), Long.MAX_VALUE);
        for (SegmentScanner.Hole hole : scan.holes()) {
            problems.add(problem(
                    LogProblem.Kind.DAMAGED_RANGE,
                    number,
                    hole.from(),
                    "bytes " + hole.from() + " to " + hole.to() + " are no entries"));
        }
        for (BatchRow row : scan.corrupt()) {
            problems.add(problem(
                    LogProblem.Kind.CORRUPT_BATCH,
                    number,
                    row.position,
                    "the batch of partition " + row.partitionId + " at offset " + row.baseOffset
                            + " does not match its CRC32C"));
        }
        if (segment.endSequence() < footer.endSequence()) {
            problems.add(problem(
                    LogProblem.Kind.TRUNCATED_SEGMENT,
                    number,
                    segment.usedBytes(),
                    "entries " + segment.endSequence() + " to " + footer.endSequence() + " are gone"));
        }
    }

    private static LogProblem problem(LogProblem.Kind kind, int segment, long position, String what) {
        return new LogProblem(kind, segment, position, what, "restore the log from another copy");
    }
}

package io.spillway.broker.log;

import java.util.List;

/**
 * What opening a log found.
 *
 * @param clean the log had been closed properly
 * @param segments segments in use
 * @param scannedSegments segments whose every entry was read, because they were not closed or had no good footer
 * @param entries entries in the scanned segments
 * @param tornBytes bytes cut off behind the last complete entry
 * @param problems everything wrong, oldest segment first
 * @param tookMs how long it took
 */
public record RecoveryReport(
        boolean clean,
        int segments,
        int scannedSegments,
        long entries,
        long tornBytes,
        List<LogProblem> problems,
        long tookMs) {
    public RecoveryReport {
        problems = List.copyOf(problems);
    }
}

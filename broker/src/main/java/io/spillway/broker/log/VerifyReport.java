package io.spillway.broker.log;

import java.util.List;

/**
 * What reading every byte of a data directory found.
 *
 * @param shards shards read
 * @param segments segment files read
 * @param entries valid entries, copies made by relocation included
 * @param batches intact batches
 * @param records records in them
 * @param bytes bytes of them
 * @param findings what is wrong, shard by shard, oldest segment first
 */
public record VerifyReport(
        int shards, int segments, long entries, long batches, long records, long bytes, List<Finding> findings) {
    public VerifyReport {
        findings = List.copyOf(findings);
    }

    /** A problem and the shard that has it. */
    public record Finding(int shard, LogProblem problem) {}

    /** Whether nothing is wrong but perhaps a torn tail, which every crash may leave and no reader sees. */
    public boolean ok() {
        return findings.stream().allMatch(finding -> finding.problem().kind() == LogProblem.Kind.TORN_TAIL);
    }
}

package io.spillway.bench.endtoend;

import io.spillway.client.SpillwayClient;
import java.nio.file.Path;

/** One thing that is measured, with the broker and beside it with raw Chronicle, once per round. */
interface Scenario {
    String name();

    void run(Round round) throws Exception;

    /**
     * What a scenario works with.
     *
     * @param costs of the broker's threads
     * @param directory for what the baseline writes, on the same file system as the broker's data
     */
    record Round(
            SpillwayClient client, BatchSizes batchSizes, ThreadCosts costs, Plan plan, Report report, Path directory) {
        private static final String COSTS = "Broker's cost per record";

        void addCosts(String row, ThreadCosts.Costs spent, long records) {
            report.add(COSTS, row, "allocated, B", (double) spent.allocatedBytes() / records);
            report.add(COSTS, row, "io threads, CPU ns", (double) spent.ioCpuNs() / records);
            report.add(COSTS, row, "shard threads, CPU ns", (double) spent.shardCpuNs() / records);
            report.add(COSTS, row, "other threads, CPU ns", (double) spent.otherCpuNs() / records);
        }

        void addThroughput(String row, double spillway, double raw, int recordsPerBatch) {
            String section = "Throughput, records/s";
            report.add(section, row, "Spillway", spillway);
            report.add(section, row, "raw Chronicle", raw);
            report.add(section, row, "Spillway of raw, %", 100 * spillway / raw);
            report.add(section, row, "records per batch", recordsPerBatch);
        }
    }
}

package io.spillway.client;

import java.util.List;

/**
 * What moving a group did, or would do.
 *
 * @param applied false for a dry run
 */
public record SeekOutcome(boolean applied, long revision, List<Partition> partitions) {

    /**
     * @param from the cursor before
     * @param to the cursor after
     * @param end offset of the partition's next record
     */
    public record Partition(int partition, long from, long to, long end) {
        /** Records that become due again; negative when records are skipped. */
        public long rewound() {
            return from - to;
        }
    }
}

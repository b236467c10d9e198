package io.spillway.client;

import java.util.List;

/**
 * A group as it is.
 *
 * @param members connected consumers
 * @param maxDeliveries failed deliveries after which a message is dead-lettered; 0 = never
 * @param createdMs ms since 1970
 */
public record GroupDescription(
        String topic,
        String group,
        int members,
        long revision,
        int maxDeliveries,
        long createdMs,
        List<Partition> partitions) {

    /**
     * Where the group is in a partition.
     *
     * @param cursor everything below is settled
     * @param ackedAbove settled records above the cursor
     * @param inFlight leased records
     * @param waitingRetry failed records that wait for their next delivery
     * @param endOffset of the partition's next record
     * @param backlog records not settled
     */
    public record Partition(
            int partition,
            long cursor,
            long ackedAbove,
            long inFlight,
            long waitingRetry,
            long endOffset,
            long backlog) {}

    /** Records not settled in all partitions. */
    public long backlog() {
        return partitions.stream().mapToLong(Partition::backlog).sum();
    }
}

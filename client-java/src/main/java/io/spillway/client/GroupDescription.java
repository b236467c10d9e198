package io.spillway.client;

import java.util.List;
import java.util.Map;

/**
 * A group as it is.
 *
 * @param config all settings in effect, by their names in docs/protocol.md
 * @param paused whether it delivers nothing until it is resumed
 * @param pauseReason begins with ADMIN or DLQ_BREAKER; empty when it is not paused
 * @param pausedMs since when, ms since 1970; 0 when it is not paused
 * @param members connected consumers
 * @param memberList the same, one by one
 * @param maxDeliveries failed deliveries after which a message is dead-lettered; 0 = never
 * @param createdMs ms since 1970
 * @param acked records since the group began
 * @param deadLettered records since the group began
 */
public record GroupDescription(
        String topic,
        String group,
        GroupMode mode,
        Map<String, String> config,
        boolean paused,
        String pauseReason,
        long pausedMs,
        int members,
        List<Member> memberList,
        long revision,
        int maxDeliveries,
        long createdMs,
        long acked,
        long deadLettered,
        List<Partition> partitions) {

    /**
     * A connected consumer.
     *
     * @param active whether the broker delivers to it; false for a standby of an {@link GroupMode#EXCLUSIVE} group
     * @param inFlight records leased to it
     * @param paused whether it holds deliveries back itself
     * @param health how it is: READY, DEGRADED, CRITICAL, DRAINING, EJECTED or PROBING; empty from an older broker
     * @param weightPm its weight against the mean of the group, in per mille; 0 = it gets nothing
     * @param why why it is not READY; empty when it is
     * @param relieved whether others have its keys, or its turn, because it was not well
     */
    public record Member(
            String name,
            boolean active,
            long inFlight,
            boolean paused,
            String health,
            int weightPm,
            String why,
            boolean relieved) {}

    /**
     * Where the group is in a partition.
     *
     * @param cursor everything below is settled
     * @param ackedAbove settled records above the cursor
     * @param inFlight leased records
     * @param waitingRetry failed records that wait for their next delivery
     * @param endOffset of the partition's next record
     * @param backlog records not settled
     * @param scheduled records that wait for their time
     * @param keyBlocked records that wait for their key's turn
     * @param dropped records lost to a bound of the topic before they were settled
     */
    public record Partition(
            int partition,
            long cursor,
            long ackedAbove,
            long inFlight,
            long waitingRetry,
            long endOffset,
            long backlog,
            long scheduled,
            long keyBlocked,
            long dropped) {}

    /** Records not settled in all partitions. */
    public long backlog() {
        return partitions.stream().mapToLong(Partition::backlog).sum();
    }
}

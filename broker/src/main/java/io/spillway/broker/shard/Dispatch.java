package io.spillway.broker.shard;

import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.subscription.Lease;
import io.spillway.broker.subscription.Pick;
import io.spillway.broker.subscription.Selection;
import io.spillway.protocol.v1.Segment;
import org.agrona.collections.LongArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What dispatch to groups has in common, whatever their mode. Confined to the shard thread. */
final class Dispatch {
    private static final Logger LOG = LoggerFactory.getLogger(Dispatch.class);

    final ShardState state;
    final Settling settling;
    final ShardCounters counters;
    /** What is to be delivered next; its records have one history. */
    final Pick pick = new Pick();
    /** Which records of the batch at hand. */
    final Selection selection = new Selection();

    final Sieve sieve = new Sieve();

    Dispatch(ShardState state, Settling settling, ShardCounters counters) {
        this.state = state;
        this.settling = settling;
        this.counters = counters;
    }

    /** What the log dropped counts as settled. */
    void followStart(Group.Place place) {
        long start = state.log.startOffset(place.partition.id);
        if (place.state.cursor() < start) {
            place.state.skipTo(start);
        }
    }

    /** Whether the batch that was copied last has to be looked at record by record. */
    static boolean isSelective(Group group, DeliverFrame frame) {
        return group.filter() != null || Batches.isTimed(frame.buffer(), frame.batchAt());
    }

    /** Leases what of the batch copied last is selected and says so in the frame. */
    void send(Group group, Group.Place place, GroupMember to, DeliverFrame frame, long baseOffset, long nowMs) {
        int records = selection.count();
        Lease lease = place.state.lease(selection, pick.attempt, pick.failures, to.member.id(), nowMs + to.leaseMs);
        frame.add(segment(place, to, lease, baseOffset, frame.batchBytes()), selection);
        state.tracing.leased(group, place, to, frame, lease);
        delivered(group, to, records, frame.batchBytes());
    }

    Segment.Builder segment(Group.Place place, GroupMember to, Lease lease, long baseOffset, int bytes) {
        return Segment.newBuilder()
                .setPartition(place.partition.index)
                .setBaseOffset(baseOffset)
                .setBytes(bytes)
                .setFence(lease.fence())
                .setLeaseMs(to.leaseMs)
                .setAttempt(pick.attempt)
                .setFailures(pick.failures);
    }

    void delivered(Group group, GroupMember to, int records, int bytes) {
        to.member.delivered(records, bytes);
        group.delivered(records);
        counters.deliveredBatches.increment();
        counters.deliveredRecords.add(records);
        counters.deliveredBytes.add(bytes);
        if (pick.attempt > 1) {
            (pick.failures > 0 ? counters.redeliveredFailed : counters.redeliveredReturned).add(records);
        }
    }

    /** Holds back what the sieve found to be for later. */
    void holdBack(Group.Place place) {
        LongArrayList scheduled = sieve.scheduled;
        for (int i = 0; i < scheduled.size(); i += 3) {
            place.state.schedule(scheduled.getLong(i), scheduled.getLong(i + 1), scheduled.getLong(i + 2));
        }
    }

    /**
     * Settles what the sieve found unwanted and gives up what expired. Last of all, because a dead letter is written at
     * once and moves the cursor of the place.
     */
    void settleSifted(Group group, Group.Place place, long nowMs) {
        LongArrayList unwanted = sieve.unwanted;
        for (int i = 0; i < unwanted.size(); i += 2) {
            settling.skip(group, place, unwanted.getLong(i), unwanted.getLong(i + 1), nowMs);
        }
        LongArrayList expired = sieve.expired;
        if (expired.isEmpty()) {
            return;
        }
        long[] ranges = expired.toLongArray();
        for (int i = 0; i < ranges.length; i += 2) {
            settling.expired(
                    new DeadLetter(
                            group,
                            place,
                            ranges[i],
                            ranges[i + 1],
                            DeadLetter.Cause.EXPIRED,
                            pick.attempt - 1,
                            pick.failures,
                            "its time ran out before it was delivered"),
                    nowMs);
        }
    }

    /** Takes claimed records that cannot be read out of the group's way, and says so. */
    void lost(Group group, Group.Place place, long from, long end, long nowMs) {
        LOG.error(
                "event=records_unreadable topic={} group={} from={} to={} why=\"corrupt or missing on disk\" "
                        + "next=\"spillway log verify\"",
                place.partition,
                group.name(),
                from,
                end);
        settling.skip(group, place, from, end, nowMs);
    }

    /** The offset from which records can be read again, after those that cannot. */
    static long readableFrom(BatchCursor cursor, Partition partition) {
        return cursor.valid() ? cursor.baseOffset() : partition.visibleEnd;
    }
}

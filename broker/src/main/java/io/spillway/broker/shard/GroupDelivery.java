package io.spillway.broker.shard;

import com.google.protobuf.ByteString;
import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.subscription.Lease;
import io.spillway.broker.subscription.Pick;
import io.spillway.protocol.v1.Segment;

/**
 * Delivery to groups without an order of keys: the next range of a batch goes to whoever has its turn. A batch is looked
 * at record by record only when the group has a filter or a record has a time of its own. Confined to the shard thread.
 */
final class GroupDelivery {
    private final Dispatch dispatch;
    private final Pick pick;

    GroupDelivery(Dispatch dispatch) {
        this.dispatch = dispatch;
        pick = dispatch.pick;
    }

    /** Adds what is next of one partition to a member's frame; false when there is nothing. */
    boolean deliver(Group group, Group.Place place, GroupMember to, DeliverFrame frame, long nowMs) {
        if (!next(group, place, nowMs)) {
            return false;
        }
        BatchCursor cursor = place.cursor;
        if (!frame.copy(cursor, place.partition)) {
            if (cursor.halted()) {
                return false;
            }
            dispatch.counters.corruptBatches.increment();
            lost(group, place, pick.from, Math.min(pick.to, cursor.endOffset()), nowMs);
        } else if (Dispatch.isSelective(group, frame)) {
            sift(group, place, to, frame, nowMs);
        } else {
            send(group, place, to, frame, nowMs);
        }
        return true;
    }

    /** Picks the next range and moves the place's cursor to it. */
    private boolean next(Group group, Group.Place place, long nowMs) {
        dispatch.followStart(place);
        while (!place.cursor.halted() && place.state.next(place.limit(), nowMs, pick)) {
            if (place.cursor.seek(pick.from) && place.cursor.baseOffset() <= pick.from) {
                return true;
            }
            long resume = Dispatch.readableFrom(place.cursor, place.partition);
            lost(group, place, pick.from, Math.min(pick.to, resume), nowMs);
        }
        return false;
    }

    private void lost(Group group, Group.Place place, long from, long end, long nowMs) {
        place.state.claim(from, end);
        dispatch.lost(group, place, from, end, nowMs);
    }

    private void send(Group group, Group.Place place, GroupMember to, DeliverFrame frame, long nowMs) {
        BatchCursor cursor = place.cursor;
        long from = pick.from;
        int room = Math.min(to.member.room(), group.room());
        long end = Math.min(Math.min(pick.to, cursor.endOffset()), from + room);
        Lease lease = place.state.lease(from, end, pick.attempt, pick.failures, to.member.id(), nowMs + to.leaseMs);
        Segment.Builder segment = dispatch.segment(place, to, lease, cursor.baseOffset(), frame.batchBytes());
        if (from > cursor.baseOffset() || end < cursor.endOffset()) {
            segment.setSelected(bitmap(cursor, from, end));
        }
        frame.add(segment);
        dispatch.state.tracing.leased(group, place, to, frame, lease);
        dispatch.delivered(group, to, (int) (end - from), frame.batchBytes());
    }

    static ByteString bitmap(BatchCursor cursor, long from, long end) {
        byte[] bits = new byte[(cursor.recordCount() + 7) / 8];
        for (int i = (int) (from - cursor.baseOffset()); i < end - cursor.baseOffset(); i++) {
            bits[i >> 3] |= (byte) (1 << (i & 7));
        }
        return ByteString.copyFrom(bits);
    }

    private void sift(Group group, Group.Place place, GroupMember to, DeliverFrame frame, long nowMs) {
        BatchCursor cursor = place.cursor;
        long base = cursor.baseOffset();
        long end = Math.min(pick.to, cursor.endOffset());
        dispatch.selection.reset(base, cursor.recordCount());
        dispatch.selection.add((int) (pick.from - base), (int) (end - base));
        int room = Math.min(to.member.room(), group.room());
        int stop = dispatch.sieve.sift(
                frame.buffer(), frame.batchAt(), dispatch.selection, room, group.filter(), place, nowMs);
        frame.looked(cursor.recordCount());
        place.state.claim(pick.from, base + stop);
        dispatch.holdBack(place);
        if (dispatch.selection.count() == 0) {
            frame.drop();
        } else {
            frame.timed(nowMs);
            dispatch.send(group, place, to, frame, base, nowMs);
        }
        dispatch.settleSifted(group, place, nowMs);
    }
}

package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.broker.filter.Filter;
import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.subscription.Pick;
import io.spillway.broker.subscription.Selection;
import io.spillway.protocol.RecordBatch;

/**
 * Delivery to KEY_ORDERED groups. Batches arrive one after the other, which tells each record whether it is its key's
 * turn; then what of one batch has its turn and goes to one member goes out as one lease. What the group does not want
 * is settled as it arrives, so that no key waits for it. Confined to the shard thread.
 */
final class OrderedDelivery {
    private final Dispatch dispatch;
    private final Pick pick;
    private final Selection unwanted = new Selection();
    private final ByteBuf arriving = PooledByteBufAllocator.DEFAULT.directBuffer(64 << 10);

    OrderedDelivery(Dispatch dispatch) {
        this.dispatch = dispatch;
        pick = dispatch.pick;
    }

    /** Adds what is next of one partition for a member to its frame, or lets a batch arrive; false when there is neither. */
    boolean deliver(Group group, Group.Place place, GroupMember to, DeliverFrame frame, long nowMs) {
        dispatch.followStart(place);
        if (!place.state.nextOf(to.member.id(), nowMs, pick)) {
            return arrive(group, place, frame, nowMs);
        }
        BatchCursor cursor = place.cursor;
        boolean isThere = cursor.seek(pick.from) && cursor.baseOffset() <= pick.from;
        if (cursor.halted()) {
            return false;
        }
        if (!isThere || !frame.copy(cursor, place.partition)) {
            if (cursor.halted()) {
                return false;
            }
            dispatch.selection.reset(pick.from, 1);
            place.state.claimOf(to.member.id(), pick, 1, dispatch.selection);
            dispatch.lost(group, place, pick.from, pick.from + 1, nowMs);
            return true;
        }
        long base = cursor.baseOffset();
        int room = Math.min(to.member.room(), group.room());
        dispatch.selection.reset(base, cursor.recordCount());
        place.state.claimOf(to.member.id(), pick, room, dispatch.selection);
        boolean isSelective = Dispatch.isSelective(group, frame);
        if (isSelective) {
            sift(group, place, frame, nowMs);
        }
        if (dispatch.selection.count() == 0) {
            frame.drop();
        } else {
            dispatch.send(group, place, to, frame, base, nowMs);
        }
        if (isSelective) {
            dispatch.settleSifted(group, place, nowMs);
        }
        return true;
    }

    private void sift(Group group, Group.Place place, DeliverFrame frame, long nowMs) {
        dispatch.sieve.sift(
                frame.buffer(), frame.batchAt(), dispatch.selection, Integer.MAX_VALUE, group.filter(), place, nowMs);
        frame.looked(dispatch.selection.records());
        frame.timed(nowMs);
        dispatch.holdBack(place);
    }

    private boolean arrive(Group group, Group.Place place, DeliverFrame frame, long nowMs) {
        Partition partition = place.partition;
        if (!place.state.canArrive(place.limit())) {
            return false;
        }
        long from = place.state.arrivalsFrom();
        BatchCursor cursor = place.cursor;
        boolean isThere = cursor.seek(from) && cursor.baseOffset() <= from;
        arriving.clear();
        if (!isThere || !cursor.copyTo(arriving)) {
            if (cursor.halted()) {
                return false;
            }
            long resume = isThere ? cursor.endOffset() : Dispatch.readableFrom(cursor, partition);
            lost(group, place, from, Math.min(resume, place.limit()), nowMs);
            return true;
        }
        long base = cursor.baseOffset();
        unwanted.reset(base, cursor.recordCount());
        Filter filter = group.filter();
        if (filter != null) {
            dispatch.sieve.findUnwanted(arriving, filter, partition.index, unwanted);
        }
        long end = Math.min(cursor.endOffset(), place.until);
        for (int i = (int) (end - base); i < cursor.recordCount(); i++) {
            unwanted.remove(i);
        }
        place.state.arrive(end, at -> RecordBatch.keyHash(arriving, 0, (int) (at - base)), unwanted);
        frame.looked(cursor.recordCount());
        frame.copied(arriving.readableBytes());
        unwanted.forEach((first, to) -> dispatch.settling.skip(group, place, first, to, nowMs));
        return true;
    }

    private void lost(Group group, Group.Place place, long from, long end, long nowMs) {
        for (long first = from; first < end; first += Selection.MAX_RECORDS) {
            int records = (int) Math.min(Selection.MAX_RECORDS, end - first);
            unwanted.reset(first, records);
            unwanted.add(0, records);
            place.state.arrive(first + records, at -> 0, unwanted);
            unwanted.forEach((at, to) -> dispatch.lost(group, place, at, to, nowMs));
        }
    }

    /** Gives the scratch memory back. */
    void close() {
        arriving.release();
    }
}

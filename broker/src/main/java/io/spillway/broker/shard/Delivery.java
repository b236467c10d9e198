package io.spillway.broker.shard;

import com.google.protobuf.ByteString;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.broker.dispatch.Member;
import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.subscription.Lease;
import io.spillway.broker.subscription.Pick;
import io.spillway.protocol.v1.Deliver;
import io.spillway.protocol.v1.Segment;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends visible records to whoever has credit: for a group it leases the next range of a batch to the next member, for a
 * stream it goes on where the reader is. Whole stored batches go out, with a bitmap when only some of their records are
 * meant. Confined to the shard thread.
 */
final class Delivery {
    private static final Logger LOG = LoggerFactory.getLogger(Delivery.class);
    /** Payload after which a Deliver frame is closed, in bytes. */
    private static final int FRAME_BYTES = 256 << 10;
    /** Segments after which a Deliver frame is closed, so that its header stays small when the batches are. */
    private static final int FRAME_SEGMENTS = 1 << 10;
    /** Frames a topic may send in one duty cycle before others get their turn. */
    private static final int FRAMES_PER_TURN = 8;

    private final ShardState state;
    private final Settling settling;
    private final ShardCounters counters;
    private final Pick pick = new Pick();

    Delivery(ShardState state, Settling settling, ShardCounters counters) {
        this.state = state;
        this.settling = settling;
        this.counters = counters;
    }

    /** Delivers what it can of one topic; true when there may be more at once. */
    boolean deliver(TopicState topic, long nowMs) {
        boolean more = false;
        for (Group group : topic.groups.values()) {
            more |= !group.paused() && deliver(group, nowMs);
        }
        for (int i = 0; i < topic.readers.size(); i++) {
            more |= deliver(topic.readers.get(i));
        }
        return more;
    }

    private boolean deliver(Group group, long nowMs) {
        for (int frames = 0; frames < FRAMES_PER_TURN; frames++) {
            Member member = group.choose();
            if (member == null) {
                return false;
            }
            GroupMember to = group.ports.get(member.id());
            if (to == null || !deliver(group, to, nowMs)) {
                return false;
            }
        }
        return true;
    }

    /** Fills one frame for one member from all partitions in turn; false when there was nothing to send. */
    private boolean deliver(Group group, GroupMember to, long nowMs) {
        if (!to.port.writable()) {
            to.block();
            return true;
        }
        Deliver.Builder header = Deliver.newBuilder();
        ByteBuf payload = null;
        int idlePlaces = 0;
        while (idlePlaces < group.places.length && to.member.canTake() && !full(header, payload)) {
            Group.Place place = group.places[group.nextPlace];
            ByteBuf filled = next(group, place, to, nowMs) ? add(header, payload, group, place, to, nowMs) : null;
            if (filled == null) {
                group.advance();
                idlePlaces++;
            } else {
                payload = filled;
                idlePlaces = 0;
            }
        }
        group.advance();
        return send(to.port, header, payload);
    }

    private static boolean full(Deliver.Builder header, @Nullable ByteBuf payload) {
        return payload != null
                && (payload.readableBytes() >= FRAME_BYTES || header.getSegmentsCount() >= FRAME_SEGMENTS);
    }

    private boolean send(SubscriberPort port, Deliver.Builder header, @Nullable ByteBuf payload) {
        if (payload == null) {
            return false;
        }
        if (!payload.isReadable()) {
            payload.release();
            return false;
        }
        port.deliver(header.build(), payload);
        return true;
    }

    /** Picks the next range for a group in one partition and moves its cursor to it. */
    private boolean next(Group group, Group.Place place, GroupMember to, long nowMs) {
        Partition partition = place.partition;
        long start = state.log.startOffset(partition.id);
        if (place.state.cursor() < start) {
            place.state.skipTo(start);
        }
        while (place.state.next(partition.visibleEnd, nowMs, pick)) {
            if (place.cursor.seek(pick.from) && place.cursor.baseOffset() <= pick.from) {
                return true;
            }
            long resume = place.cursor.valid() ? place.cursor.baseOffset() : partition.visibleEnd;
            lost(group, place, to, pick.from, Math.min(pick.to, resume), nowMs);
        }
        return false;
    }

    /** Takes a range that cannot be read out of the group's way, and says so. */
    private void lost(Group group, Group.Place place, GroupMember to, long from, long end, long nowMs) {
        LOG.error(
                "event=records_unreadable topic={} group={} from={} to={} why=\"corrupt or missing on disk\" "
                        + "next=\"spillway log verify\"",
                place.partition,
                group.name(),
                from,
                end);
        Lease lease = place.state.lease(from, end, pick.attempt, pick.failures, to.member.id(), Long.MAX_VALUE);
        place.state.settle(lease.fence(), from, end, io.spillway.broker.subscription.SubscriptionState.Outcome.ACCEPT);
        settling.skip(group, place, from, end, nowMs);
    }

    /** Leases the picked range and adds its batch to the frame; null when the batch is corrupt and was passed over. */
    private @Nullable ByteBuf add(
            Deliver.Builder header,
            @Nullable ByteBuf payload,
            Group group,
            Group.Place place,
            GroupMember to,
            long nowMs) {
        BatchCursor cursor = place.cursor;
        long from = pick.from;
        long end = Math.min(Math.min(pick.to, cursor.endOffset()), from + to.member.room());
        ByteBuf out = payload == null ? allocate(cursor, place.partition) : payload;
        int at = out.writerIndex();
        if (!cursor.copyTo(out)) {
            out.writerIndex(at);
            counters.corruptBatches.increment();
            lost(group, place, to, from, Math.min(pick.to, cursor.endOffset()), nowMs);
            return out;
        }
        int bytes = out.writerIndex() - at;
        Lease lease = place.state.lease(from, end, pick.attempt, pick.failures, to.member.id(), nowMs + to.leaseMs);
        Segment.Builder segment = Segment.newBuilder()
                .setPartition(place.partition.index)
                .setBaseOffset(cursor.baseOffset())
                .setBytes(bytes)
                .setFence(lease.fence())
                .setLeaseMs(to.leaseMs)
                .setAttempt(pick.attempt)
                .setFailures(pick.failures);
        if (from > cursor.baseOffset() || end < cursor.endOffset()) {
            segment.setSelected(bitmap(cursor, from, end));
        }
        header.addSegments(segment);
        int records = (int) (end - from);
        to.member.delivered(records, bytes);
        count(records, bytes);
        if (pick.attempt > 1) {
            (pick.failures > 0 ? counters.redeliveredFailed : counters.redeliveredReturned).add(records);
        }
        return out;
    }

    private void count(int records, int bytes) {
        counters.deliveredBatches.increment();
        counters.deliveredRecords.add(records);
        counters.deliveredBytes.add(bytes);
    }

    private static ByteBuf allocate(BatchCursor cursor, Partition partition) {
        boolean onlyOne = cursor.endOffset() >= partition.visibleEnd;
        int expected = onlyOne ? cursor.bytes() : Math.max(cursor.bytes(), FRAME_BYTES + (FRAME_BYTES >> 2));
        return PooledByteBufAllocator.DEFAULT.directBuffer(expected);
    }

    private static ByteString bitmap(BatchCursor cursor, long from, long end) {
        byte[] bits = new byte[(cursor.recordCount() + 7) / 8];
        for (int i = (int) (from - cursor.baseOffset()); i < end - cursor.baseOffset(); i++) {
            bits[i >> 3] |= (byte) (1 << (i & 7));
        }
        return ByteString.copyFrom(bits);
    }

    private boolean deliver(StreamReader reader) {
        for (int frames = 0; frames < FRAMES_PER_TURN; frames++) {
            if (!reader.credit.canTake()) {
                return false;
            }
            if (!reader.port.writable()) {
                reader.block();
                return false;
            }
            if (!deliverFrame(reader)) {
                return false;
            }
        }
        return true;
    }

    private boolean deliverFrame(StreamReader reader) {
        Deliver.Builder header = Deliver.newBuilder();
        ByteBuf payload = null;
        int idlePlaces = 0;
        int places = reader.places.size();
        while (idlePlaces < places && reader.credit.canTake() && !full(header, payload)) {
            StreamReader.Place place = reader.places.get(reader.nextPlace);
            if (hasNext(place)) {
                payload = add(header, payload, reader, place);
                idlePlaces = 0;
            } else {
                reader.advance();
                idlePlaces++;
            }
        }
        reader.advance();
        return send(reader.port, header, payload);
    }

    private static boolean hasNext(StreamReader.Place place) {
        if (place.nextOffset >= place.partition.visibleEnd || !place.cursor.seek(place.nextOffset)) {
            return false;
        }
        place.nextOffset = Math.max(place.nextOffset, place.cursor.baseOffset());
        return place.nextOffset < place.partition.visibleEnd;
    }

    private ByteBuf add(
            Deliver.Builder header, @Nullable ByteBuf payload, StreamReader reader, StreamReader.Place place) {
        BatchCursor cursor = place.cursor;
        ByteBuf out = payload == null ? allocate(cursor, place.partition) : payload;
        int at = out.writerIndex();
        if (cursor.copyTo(out)) {
            int bytes = out.writerIndex() - at;
            Segment.Builder segment = Segment.newBuilder()
                    .setPartition(place.partition.index)
                    .setBaseOffset(cursor.baseOffset())
                    .setBytes(bytes)
                    .setAttempt(1);
            if (place.nextOffset > cursor.baseOffset()) {
                segment.setSelected(bitmap(cursor, place.nextOffset, cursor.endOffset()));
            }
            header.addSegments(segment);
            int records = (int) (cursor.endOffset() - place.nextOffset);
            reader.credit.delivered(0, bytes);
            count(records, bytes);
        } else {
            out.writerIndex(at);
            counters.corruptBatches.increment();
            LOG.error(
                    "event=records_unreadable topic={} from={} to={} why=\"corrupt on disk\" next=\"spillway log verify\"",
                    place.partition,
                    place.nextOffset,
                    cursor.endOffset());
        }
        place.nextOffset = cursor.endOffset();
        return out;
    }
}

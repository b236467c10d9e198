package io.spillway.broker.canary;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.shard.SubscriberPort;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordView;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.Deliver;
import io.spillway.protocol.v1.Segment;
import java.nio.ByteBuffer;
import java.util.List;

/** A member of a group in the house, whose records are numbers. Called on the shard thread. */
abstract class SelfSubscriber implements SubscriberPort {
    private static final long NO_NUMBER = -1;

    private final int identity;
    private final RecordView view = new RecordView();

    SelfSubscriber(int identity) {
        this.identity = identity;
    }

    /**
     * @param item settles it
     * @param number in the record; none of ours when it is negative
     */
    abstract void delivered(AckItem item, long number);

    @Override
    public int identity() {
        return identity;
    }

    @Override
    public boolean writable() {
        return true;
    }

    @Override
    public void deliver(Deliver header, ByteBuf payload) {
        try {
            int at = payload.readerIndex();
            for (Segment segment : header.getSegmentsList()) {
                long last = segment.getBaseOffset() + RecordBatch.recordCount(payload, at) - 1;
                AckItem item = AckItem.newBuilder()
                        .setPartition(segment.getPartition())
                        .setFirst(segment.getBaseOffset())
                        .setLast(last)
                        .setFence(segment.getFence())
                        .build();
                delivered(item, number(payload, at));
                at += segment.getBytes();
            }
        } finally {
            payload.release();
        }
    }

    /** Each batch of ours has one record; a client may have published others. */
    private long number(ByteBuf payload, int at) {
        try {
            view.wrap(payload, at);
            byte[] value = view.next() ? view.value() : new byte[0];
            return value.length == Long.BYTES ? ByteBuffer.wrap(value).getLong() : NO_NUMBER;
        } catch (ProtocolException e) {
            return NO_NUMBER;
        }
    }

    @Override
    public void gained(long memberId) {}

    @Override
    public void relieved(long memberId, List<Integer> slots, int drainMs) {}
}

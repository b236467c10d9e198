package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.dispatch.HealthReport;
import io.spillway.broker.dispatch.HealthState;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.v1.Deliver;
import io.spillway.protocol.v1.Segment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/** A consumer as the shard sees it: it keeps account of its credit and passes on what it is given. */
final class ModelMember implements SubscriberPort {
    /** One segment: the offsets it selects. */
    record Delivery(ModelMember member, Segment segment, List<Long> offsets, long unixMs) {}

    interface Sink {
        void onDelivery(Delivery delivery);
    }

    private final Sink sink;
    final int maxUnacked;
    final int leaseMs;
    long id;
    boolean active;
    /** Whether it wants records only when others are not well. */
    boolean standsBy;

    boolean writable = true;
    boolean gone;
    /** Hears that what it holds is lost. */
    Consumer<ModelMember> fenced = member -> {};

    private long grantedBatches;
    private long grantedBytes;
    private long usedBatches;
    private long usedBytes;

    ModelMember(Sink sink, int maxUnacked, int leaseMs) {
        this.sink = sink;
        this.maxUnacked = maxUnacked;
        this.leaseMs = leaseMs;
    }

    ShardCommand.Grant grant(int batches, int bytes) {
        grantedBatches = Math.max(grantedBatches, usedBatches + batches);
        grantedBytes = Math.max(grantedBytes, usedBytes + bytes);
        return new ShardCommand.Grant(this, grantedBatches, grantedBytes, false);
    }

    static HealthReport health(RandomGenerator random) {
        HealthState state = HealthState.ofWire(random.nextInt(3) > 0 ? 0 : random.nextInt(4));
        int loadMilli = random.nextInt(100_000);
        boolean asks = random.nextInt(20) == 0;
        return new HealthReport(
                state, state.name(), random.nextInt(1_001), loadMilli, loadMilli / 4, asks, 500 + random.nextInt(501));
    }

    @Override
    public int identity() {
        return (int) id;
    }

    @Override
    public boolean isGone() {
        return gone;
    }

    @Override
    public boolean writable() {
        return writable;
    }

    @Override
    public void deliver(Deliver header, ByteBuf payload) {
        assertThat(gone).as("member %d is gone", id).isFalse();
        assertThat(header.getSegmentsCount()).isPositive();
        try {
            for (Segment segment : header.getSegmentsList()) {
                take(header, segment, payload);
            }
            assertThat(payload.isReadable()).isFalse();
        } finally {
            payload.release();
        }
    }

    private void take(Deliver header, Segment segment, ByteBuf payload) {
        assertThat(usedBatches).as("batches without credit").isLessThan(grantedBatches);
        assertThat(usedBytes).as("bytes without credit").isLessThan(grantedBytes);
        usedBatches++;
        usedBytes += segment.getBytes();
        int at = payload.readerIndex();
        assertThat(RecordBatch.validate(payload, at, segment.getBytes(), 1 << 20))
                .isEqualTo(segment.getBytes());
        assertThat(RecordBatch.baseOffset(payload, at)).isEqualTo(segment.getBaseOffset());
        List<Long> offsets = new ArrayList<>();
        for (int i = 0; i < RecordBatch.recordCount(payload, at); i++) {
            boolean selected =
                    segment.getSelected().isEmpty() || (segment.getSelected().byteAt(i >> 3) & 1 << (i & 7)) != 0;
            if (selected) {
                offsets.add(segment.getBaseOffset() + i);
            }
        }
        payload.skipBytes(segment.getBytes());
        assertThat(offsets).as("records of a segment").isNotEmpty();
        sink.onDelivery(new Delivery(this, segment, offsets, header.getUnixMs()));
    }

    @Override
    public void gained(long memberId) {
        assertThat(memberId).isEqualTo(id);
        assertThat(active).as("member %d stood by", id).isFalse();
        active = true;
    }

    @Override
    public void relieved(long memberId, List<Integer> slots, int drainMs) {
        assertThat(memberId).isEqualTo(id);
        if (drainMs == 0) {
            fenced.accept(this);
        } else if (standsBy || slots.isEmpty()) {
            assertThat(active).as("member %d had its turn", id).isTrue();
            active = false;
        }
    }

    @Override
    public void ended(SpillwayException why) {
        throw new AssertionError("a subscription was ended", why);
    }
}

package io.spillway.client;

import io.netty.buffer.ByteBuf;
import io.spillway.protocol.FrameDecoder;
import io.spillway.protocol.Limits;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.Segment;
import org.jspecify.annotations.Nullable;

/** Checks and queues the batches that are delivered. Confined to the network thread. */
final class DeliveryIntake {
    /** When a batch that came damaged is to come again. */
    static final int CORRUPT_DELAY_MS = 1_000;

    private static final int REASON_CORRUPT = 1;

    private final ClientContext client;
    private final SubscriptionSettings settings;
    private final ReaderPlaces places;
    private final DeliveryQueue queue;
    private final AckSender acks;

    DeliveryIntake(
            ClientContext client,
            SubscriptionSettings settings,
            ReaderPlaces places,
            DeliveryQueue queue,
            AckSender acks) {
        this.client = client;
        this.settings = settings;
        this.places = places;
        this.queue = queue;
        this.acks = acks;
    }

    /**
     * Takes a batch, or gives it back. A damaged one of a group is nacked, so that the broker hears of it and delivers it
     * again; a reader cannot do that and is told the damage.
     */
    @Nullable
    ProtocolException take(Segment segment, ByteBuf bytes, BrokerTime received, boolean givesBack) {
        try {
            RecordBatch.validate(bytes, 0, bytes.readableBytes(), FrameDecoder.DEFAULT_MAX_FRAME_BYTES);
        } catch (ProtocolException e) {
            if (settings.isStream()) {
                return e;
            }
            nack(segment, bytes, e);
            return null;
        }
        DeliveredBatch batch = new DeliveredBatch(bytes, segment, skipBefore(segment, bytes), received, acks);
        int records = batch.selectedCount();
        if (records == 0) {
            return null;
        }
        if (!settings.isStream()) {
            acks.onDelivered(batch);
        }
        if (givesBack) {
            batch.release(0);
        } else {
            queue.add(batch);
            client.metrics().onBatchReceived(settings.topic(), segment.getPartition(), records, segment.getBytes());
        }
        return null;
    }

    private long skipBefore(Segment segment, ByteBuf bytes) {
        return settings.isStream()
                ? places.pass(segment.getPartition(), segment.getBaseOffset() + RecordBatch.recordCount(bytes, 0))
                : 0;
    }

    private void nack(Segment segment, ByteBuf bytes, ProtocolException cause) {
        int count = Math.max(1, Math.min(RecordBatch.recordCount(bytes, 0), Limits.MAX_BATCH_RECORDS));
        acks.add(AckItem.newBuilder()
                .setPartition(segment.getPartition())
                .setFirst(segment.getBaseOffset())
                .setLast(segment.getBaseOffset() + count - 1)
                .setFence(segment.getFence())
                .setOutcome(DeliveredBatch.NACK)
                .setDelayMs(CORRUPT_DELAY_MS)
                .setReason(REASON_CORRUPT)
                .setDetail("CORRUPT: " + cause.getMessage())
                .build());
    }
}

package io.spillway.client;

import io.netty.buffer.ByteBuf;
import io.spillway.client.core.LeasedBatch;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.v1.Segment;

/**
 * One batch as it was delivered: its bytes, on the heap so that messages may outlive it, and what of it is settled.
 * Thread-safe.
 */
final class DeliveredBatch extends LeasedBatch {
    private static final int REJECT_DELAY_MS = 1_000;

    final ByteBuf bytes;
    final int partition;
    final long baseOffset;
    final long appendTimeMs;

    private final SettlementListener listener;

    /** Hears of settlements, so that they are sent. Thread-safe. */
    interface SettlementListener {
        /** The batch has something to send; called once until it was collected. */
        void onSettled(DeliveredBatch batch);

        /** One more record is settled. */
        void onRecordSettled();
    }

    /** @param skipBefore records below this offset are not for this subscription */
    DeliveredBatch(ByteBuf bytes, Segment segment, long skipBefore, long nowNs, SettlementListener listener) {
        super(segment, RecordBatch.recordCount(bytes, 0), skipBefore, nowNs);
        this.bytes = bytes;
        this.listener = listener;
        partition = segment.getPartition();
        baseOffset = segment.getBaseOffset();
        appendTimeMs = RecordBatch.appendTimeMs(bytes, 0);
    }

    int sizeBytes() {
        return bytes.readableBytes();
    }

    /** Settles one record, unless it was settled before. */
    void settle(int index, int outcome, int delayMs, String detail) {
        if (settleOne(index, outcome, delayMs, detail)) {
            report();
            listener.onRecordSettled();
        }
    }

    /** Asks for a longer lease of a record that is not settled. */
    void extend(int index, int leaseMs, long nowNs) {
        if (extendOne(index, leaseMs, nowNs)) {
            report();
        }
    }

    /** Gives back what is not settled from that record on. */
    void release(int fromIndex) {
        if (settleRest(fromIndex, RELEASE, 0, "")) {
            report();
        }
    }

    /** The bytes from that record on cannot be read. */
    void reject(int fromIndex, String why) {
        if (settleRest(fromIndex, NACK, REJECT_DELAY_MS, why)) {
            report();
        }
    }

    private void report() {
        if (mustReport()) {
            listener.onSettled(this);
        }
    }
}

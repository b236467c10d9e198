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
    final ByteBuf bytes;
    final int partition;
    final long baseOffset;
    final long appendTimeMs;
    final BrokerTime received;

    private final SettlementListener listener;

    /** Hears of settlements, so that they are sent. Thread-safe. */
    interface SettlementListener {
        /** The batch has something to send; called once until it was collected. */
        void onSettled(DeliveredBatch batch);

        /** One more record is settled. */
        void onRecordSettled(int outcome);
    }

    /** @param skipBefore records below this offset are not for this subscription */
    DeliveredBatch(ByteBuf bytes, Segment segment, long skipBefore, BrokerTime received, SettlementListener listener) {
        super(segment, RecordBatch.recordCount(bytes, 0), skipBefore, received.atNs());
        this.received = received;
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
            listener.onRecordSettled(outcome);
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

    /** That record cannot be read, now or ever. */
    void poison(int index, String why) {
        if (isLeased() && poisonOne(index, why)) {
            report();
            listener.onRecordSettled(TERM);
        }
    }

    private void report() {
        if (mustReport()) {
            listener.onSettled(this);
        }
    }
}

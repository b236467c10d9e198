package io.spillway.client;

import io.netty.buffer.ByteBuf;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.Segment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * One batch as it was delivered: its bytes, on the heap so that messages may outlive it, and what of it is settled.
 * Bytes and lease are immutable; the settlements are guarded by its monitor.
 */
final class DeliveredBatch {
    /** The outcomes of the wire. */
    static final int ACCEPT = 0;

    static final int NACK = 1;
    static final int EXTEND = 2;
    static final int TERM = 3;
    static final int RELEASE = 4;

    private static final int HAND_OUT_PERCENT_OF_LEASE = 80;
    private static final int REJECT_DELAY_MS = 1_000;

    final ByteBuf bytes;
    final int partition;
    final long baseOffset;
    final long appendTimeMs;
    final int count;
    final long fence;

    private final long receivedNs;
    /** When the last of its leases ends, by the monotonic clock; guarded by this. */
    private long leaseEndNs;

    private final SettlementListener listener;
    private final Segment segment;
    /** Records of this batch that are for this subscription. */
    private final BitSet selected;

    private final BitSet unsettled;
    private final BitSet acked;
    private final List<AckItem> others = new ArrayList<>(0);
    private boolean reported;

    /** Hears of settlements, so that they are sent. Thread-safe. */
    interface SettlementListener {
        /** The batch has something to send; called once until it was collected. */
        void onSettled(DeliveredBatch batch);

        /** One more record is settled. */
        void onRecordSettled();
    }

    /** @param skipBefore records below this offset are not for this subscription */
    DeliveredBatch(ByteBuf bytes, Segment segment, long skipBefore, long nowNs, SettlementListener listener) {
        this.bytes = bytes;
        this.segment = segment;
        this.listener = listener;
        receivedNs = nowNs;
        leaseEndNs = nowNs + segment.getLeaseMs() * 1_000_000L;
        partition = segment.getPartition();
        baseOffset = segment.getBaseOffset();
        appendTimeMs = RecordBatch.appendTimeMs(bytes, 0);
        count = RecordBatch.recordCount(bytes, 0);
        fence = segment.getFence();
        selected = selection(segment, count);
        if (skipBefore > baseOffset) {
            selected.clear(0, (int) Math.min(count, skipBefore - baseOffset));
        }
        unsettled = (BitSet) selected.clone();
        acked = new BitSet(0);
    }

    private static BitSet selection(Segment segment, int count) {
        BitSet selection;
        if (segment.getSelected().isEmpty()) {
            selection = new BitSet(count);
            selection.set(0, count);
        } else {
            selection = BitSet.valueOf(segment.getSelected().asReadOnlyByteBuffer());
            selection.clear(count, Math.max(count, selection.length()));
        }
        return selection;
    }

    /** A record handed out later than this would probably not be settled before its lease ends. */
    long handOutUntilNs() {
        return receivedNs + segment.getLeaseMs() * 1_000_000L / 100 * HAND_OUT_PERCENT_OF_LEASE;
    }

    synchronized boolean leaseOver(long nowNs) {
        return nowNs - leaseEndNs > 0;
    }

    int sizeBytes() {
        return bytes.readableBytes();
    }

    int selectedCount() {
        return selected.cardinality();
    }

    boolean isSelected(int index) {
        return selected.get(index);
    }

    /** 1 for the first delivery; the wire may say it for each selected record. */
    int attempt(int index) {
        if (segment.getAttemptsCount() == 0) {
            return Math.max(1, segment.getAttempt());
        }
        int place = selected.get(0, index).cardinality();
        return place < segment.getAttemptsCount() ? segment.getAttempts(place) : Math.max(1, segment.getAttempt());
    }

    /** Settles one record, unless it was settled before. */
    void settle(int index, int outcome, int delayMs, String detail) {
        boolean first;
        synchronized (this) {
            if (!unsettled.get(index)) {
                return;
            }
            unsettled.clear(index);
            if (outcome == ACCEPT) {
                acked.set(index);
            } else {
                others.add(item(index, index, outcome, delayMs, detail));
            }
            first = !reported;
            reported = true;
        }
        if (first) {
            listener.onSettled(this);
        }
        listener.onRecordSettled();
    }

    /** Asks for a longer lease of a record that is not settled. */
    void extend(int index, int leaseMs, long nowNs) {
        boolean first;
        synchronized (this) {
            if (!unsettled.get(index)) {
                return;
            }
            others.add(item(index, index, EXTEND, leaseMs, ""));
            leaseEndNs = Math.max(leaseEndNs, nowNs + leaseMs * 1_000_000L);
            first = !reported;
            reported = true;
        }
        if (first) {
            listener.onSettled(this);
        }
    }

    /** Gives back what is not settled from that record on. */
    void release(int fromIndex) {
        settleRest(fromIndex, RELEASE, 0, "");
    }

    /** The bytes from that record on cannot be read. */
    void reject(int fromIndex, String why) {
        settleRest(fromIndex, NACK, REJECT_DELAY_MS, why);
    }

    private void settleRest(int fromIndex, int outcome, int delayMs, String detail) {
        boolean first;
        synchronized (this) {
            if (fence == 0 || unsettled.nextSetBit(fromIndex) < 0) {
                return;
            }
            for (int from = unsettled.nextSetBit(fromIndex); from >= 0; ) {
                int to = unsettled.nextClearBit(from);
                others.add(item(from, to - 1, outcome, delayMs, detail));
                from = unsettled.nextSetBit(to);
            }
            unsettled.clear(fromIndex, count);
            first = !reported;
            reported = true;
        }
        if (first) {
            listener.onSettled(this);
        }
    }

    /** Moves what is to be sent to {@code items}. True when nothing of the batch is left to settle. */
    synchronized boolean collect(List<AckItem> items) {
        for (int from = acked.nextSetBit(0); from >= 0; ) {
            int to = acked.nextClearBit(from);
            items.add(item(from, to - 1, ACCEPT, 0, ""));
            from = acked.nextSetBit(to);
        }
        acked.clear();
        items.addAll(others);
        others.clear();
        reported = false;
        return unsettled.isEmpty();
    }

    private AckItem item(int first, int last, int outcome, int delayMs, String detail) {
        return AckItem.newBuilder()
                .setPartition(partition)
                .setFirst(baseOffset + first)
                .setLast(baseOffset + last)
                .setFence(fence)
                .setOutcome(outcome)
                .setDelayMs(delayMs)
                .setDetail(detail)
                .build();
    }
}

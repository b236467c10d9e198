package io.spillway.client.core;

import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.Segment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * The records of one delivered batch that are for this subscription: their lease, and what of them is settled. A record is
 * settled once; what comes later is ignored. Acks that touch travel as one range. Times are ns of one monotonic clock. Driven by
 * vectors/lease.json. Thread-safe.
 */
public class LeasedBatch {
    /** The outcomes of the wire. */
    public static final int ACCEPT = 0;

    public static final int NACK = 1;
    public static final int EXTEND = 2;
    public static final int TERM = 3;
    public static final int RELEASE = 4;

    /** Reason of a TERM: the record could not be read. */
    private static final int POISON = 1;

    private static final int HAND_OUT_PERCENT_OF_LEASE = 80;

    private final Segment segment;
    private final int count;
    private final long receivedNs;
    private final BitSet selected;

    /** When the last of its leases ends; guarded by this, like what follows. */
    private long leaseEndNs;

    private final BitSet unsettled;
    private final BitSet acked = new BitSet(0);
    private final List<AckItem> others = new ArrayList<>(0);
    private boolean reported;

    /**
     * @param count records of the batch, selected or not
     * @param skipBefore records below this offset are not for this subscription
     */
    public LeasedBatch(Segment segment, int count, long skipBefore, long nowNs) {
        this.segment = segment;
        this.count = count;
        receivedNs = nowNs;
        leaseEndNs = nowNs + segment.getLeaseMs() * 1_000_000L;
        selected = selection(segment, count);
        if (skipBefore > segment.getBaseOffset()) {
            selected.clear(0, (int) Math.min(count, skipBefore - segment.getBaseOffset()));
        }
        unsettled = (BitSet) selected.clone();
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

    /** Whether there is a lease; a reader without a group has none. */
    public final boolean isLeased() {
        return segment.getFence() != 0;
    }

    /** A record handed out later than this would probably not be settled before its lease ends. */
    public final long handOutUntilNs() {
        return receivedNs + segment.getLeaseMs() * 1_000_000L / 100 * HAND_OUT_PERCENT_OF_LEASE;
    }

    public final synchronized boolean leaseOver(long nowNs) {
        return nowNs - leaseEndNs > 0;
    }

    public final int selectedCount() {
        return selected.cardinality();
    }

    public final boolean isSelected(int index) {
        return selected.get(index);
    }

    /** 1 for the first delivery; the wire may say it for each selected record. */
    public final int attempt(int index) {
        if (segment.getAttemptsCount() == 0) {
            return Math.max(1, segment.getAttempt());
        }
        int place = selected.get(0, index).cardinality();
        return place < segment.getAttemptsCount() ? segment.getAttempts(place) : Math.max(1, segment.getAttempt());
    }

    /** How many deliveries of these records failed before. */
    public final int failures() {
        return segment.getFailures();
    }

    /** Settles one record. False when it was settled before, or is not for this subscription. */
    protected final synchronized boolean settleOne(int index, int outcome, int delayMs, String detail) {
        if (!unsettled.get(index)) {
            return false;
        }
        unsettled.clear(index);
        if (outcome == ACCEPT) {
            acked.set(index);
        } else {
            others.add(item(index, index, outcome, delayMs, detail));
        }
        return true;
    }

    /** Terminates a record that cannot be read. False as {@link #settleOne}. */
    protected final synchronized boolean poisonOne(int index, String detail) {
        if (!unsettled.get(index)) {
            return false;
        }
        unsettled.clear(index);
        others.add(item(index, index, TERM, 0, detail).toBuilder()
                .setReason(POISON)
                .build());
        return true;
    }

    /** Asks for a longer lease of one record. False when it is settled. */
    protected final synchronized boolean extendOne(int index, int leaseMs, long nowNs) {
        if (!unsettled.get(index)) {
            return false;
        }
        others.add(item(index, index, EXTEND, leaseMs, ""));
        leaseEndNs = Math.max(leaseEndNs, nowNs + leaseMs * 1_000_000L);
        return true;
    }

    /** Settles what is not settled from that record on. False when there is nothing, or no lease. */
    protected final synchronized boolean settleRest(int fromIndex, int outcome, int delayMs, String detail) {
        if (!isLeased() || unsettled.nextSetBit(fromIndex) < 0) {
            return false;
        }
        for (int from = unsettled.nextSetBit(fromIndex); from >= 0; ) {
            int to = unsettled.nextClearBit(from);
            others.add(item(from, to - 1, outcome, delayMs, detail));
            from = unsettled.nextSetBit(to);
        }
        unsettled.clear(fromIndex, count);
        return true;
    }

    /** Whether this is the first settlement since the last {@link #collect}: the batch has to be announced. */
    protected final synchronized boolean mustReport() {
        boolean first = !reported;
        reported = true;
        return first;
    }

    /** Moves what is to be sent to {@code items}, acks first. True when nothing of the batch is left to settle. */
    public final synchronized boolean collect(List<AckItem> items) {
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
                .setPartition(segment.getPartition())
                .setFirst(segment.getBaseOffset() + first)
                .setLast(segment.getBaseOffset() + last)
                .setFence(segment.getFence())
                .setOutcome(outcome)
                .setDelayMs(delayMs)
                .setDetail(detail)
                .build();
    }
}

package io.spillway.broker.log;

import net.openhft.chronicle.queue.RollCycle;

/**
 * Chronicle's roll cycle for segments that roll when told to: cycle = segment number, and the queue's time is a
 * thousand times that number. The index is as sparse as it may be since nothing here reads through it.
 */
final class SegmentCycle implements RollCycle {
    private static final int INDEX_COUNT = 128;
    private static final int INDEX_SPACING = 4096;
    private static final int SHIFT = 32;

    @Override
    public String format() {
        return "yyyyMMdd-HHmmss'S'";
    }

    @Override
    public int lengthInMillis() {
        return 1000;
    }

    @Override
    public int defaultIndexCount() {
        return INDEX_COUNT;
    }

    @Override
    public int defaultIndexSpacing() {
        return INDEX_SPACING;
    }

    @Override
    public long toIndex(int cycle, long sequenceNumber) {
        return ((long) cycle << SHIFT) + sequenceNumber;
    }

    @Override
    public long toSequenceNumber(long index) {
        return index & 0xffff_ffffL;
    }

    @Override
    public int toCycle(long index) {
        return (int) (index >>> SHIFT);
    }

    @Override
    public long maxMessagesPerCycle() {
        return (long) INDEX_COUNT * INDEX_COUNT * INDEX_SPACING;
    }
}

package io.spillway.broker.subscription;

import java.util.Arrays;

/**
 * Failed ranges by the time they are due, the earliest first: a binary heap over one array, three longs an entry. An
 * entry is a hint; whether its records still wait for that time is known elsewhere.
 *
 * <p>Confined to the shard thread.
 */
final class DueHeap {
    /** Tells whether an entry still has a meaning. */
    interface Entries {
        boolean isLive(long from, long to);
    }

    private static final int ENTRY_LONGS = 3;
    private static final int FIRST_CAPACITY = 16;

    private long[] heap = new long[FIRST_CAPACITY * ENTRY_LONGS];
    private int size;

    int size() {
        return size;
    }

    long dueMs() {
        return heap[0];
    }

    long from() {
        return heap[1];
    }

    long to() {
        return heap[2];
    }

    void add(long dueMs, long from, long to) {
        if (size * ENTRY_LONGS == heap.length) {
            heap = Arrays.copyOf(heap, 2 * heap.length);
        }
        int hole = size++;
        while (hole > 0) {
            int parent = (hole - 1) >>> 1;
            if (dueAt(parent) <= dueMs) {
                break;
            }
            move(parent, hole);
            hole = parent;
        }
        put(hole, dueMs, from, to);
    }

    /** Takes the earliest entry away. */
    void pop() {
        size--;
        int last = size;
        int hole = 0;
        for (int child = 1; child < size; child = 2 * hole + 1) {
            if (child + 1 < size && dueAt(child + 1) < dueAt(child)) {
                child++;
            }
            if (dueAt(child) >= dueAt(last)) {
                break;
            }
            move(child, hole);
            hole = child;
        }
        move(last, hole);
    }

    /** Keeps only the entries of which the test is true. */
    void retain(Entries test) {
        var old = heap;
        int oldSize = size;
        clear();
        for (int i = 0; i < oldSize * ENTRY_LONGS; i += ENTRY_LONGS) {
            if (test.isLive(old[i + 1], old[i + 2])) {
                add(old[i], old[i + 1], old[i + 2]);
            }
        }
    }

    /** Forgets every entry and gives the memory back. */
    void clear() {
        size = 0;
        heap = new long[FIRST_CAPACITY * ENTRY_LONGS];
    }

    long memoryBytes() {
        return (long) heap.length * Long.BYTES;
    }

    private long dueAt(int index) {
        return heap[index * ENTRY_LONGS];
    }

    private void move(int source, int target) {
        System.arraycopy(heap, source * ENTRY_LONGS, heap, target * ENTRY_LONGS, ENTRY_LONGS);
    }

    private void put(int index, long dueMs, long from, long to) {
        heap[index * ENTRY_LONGS] = dueMs;
        heap[index * ENTRY_LONGS + 1] = from;
        heap[index * ENTRY_LONGS + 2] = to;
    }
}

package io.spillway.broker.subscription;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Live leases, the earliest deadline first: a binary heap whose leases know their place, so that one can leave or get a
 * new deadline without a search. A lease that ends later than all others, the usual case, is added in constant time.
 *
 * <p>Confined to the shard thread.
 */
final class LeaseHeap {
    private static final int FIRST_CAPACITY = 16;

    private @Nullable Lease[] heap = new Lease[FIRST_CAPACITY];
    private int size;

    int size() {
        return size;
    }

    /** The lease at a place, 0 being the one that ends first; places change with every change of the heap. */
    Lease at(int index) {
        var lease = heap[index];
        if (index >= size || lease == null) {
            throw new IllegalStateException("no lease at " + index + " of " + size);
        }
        return lease;
    }

    void add(Lease lease) {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, 2 * size);
        }
        size++;
        up(size - 1, lease);
    }

    void remove(Lease lease) {
        int hole = lease.heapIndex;
        size--;
        var last = heap[size];
        heap[size] = null;
        if (last != null && last != lease) {
            place(hole, last);
        }
    }

    void reschedule(Lease lease, long deadlineMs) {
        lease.deadlineMs = deadlineMs;
        place(lease.heapIndex, lease);
    }

    void clear() {
        Arrays.fill(heap, 0, size, null);
        size = 0;
    }

    private void place(int index, Lease lease) {
        if (index > 0 && at((index - 1) >>> 1).deadlineMs > lease.deadlineMs) {
            up(index, lease);
        } else {
            down(index, lease);
        }
    }

    private void up(int index, Lease lease) {
        int hole = index;
        while (hole > 0) {
            int parent = (hole - 1) >>> 1;
            var above = at(parent);
            if (above.deadlineMs <= lease.deadlineMs) {
                break;
            }
            put(hole, above);
            hole = parent;
        }
        put(hole, lease);
    }

    private void down(int index, Lease lease) {
        int hole = index;
        for (int child = 2 * hole + 1; child < size; child = 2 * hole + 1) {
            if (child + 1 < size && at(child + 1).deadlineMs < at(child).deadlineMs) {
                child++;
            }
            var below = at(child);
            if (below.deadlineMs >= lease.deadlineMs) {
                break;
            }
            put(hole, below);
            hole = child;
        }
        put(hole, lease);
    }

    private void put(int index, Lease lease) {
        heap[index] = lease;
        lease.heapIndex = index;
    }
}

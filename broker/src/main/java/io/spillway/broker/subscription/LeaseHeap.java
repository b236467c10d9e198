package io.spillway.broker.subscription;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Live leases, the earliest deadline first: a heap of four children a node (Johnson, "Priority queues with update and
 * finding minimum spanning trees", 1975), so that the deadlines of the children lie in one cache line. Leases know their
 * place and leave without a search; one that ends after all others, the usual case, is added in constant time.
 *
 * <p>Confined to the shard thread.
 */
final class LeaseHeap {
    private static final int FIRST_CAPACITY = 16;

    private long[] deadlinesMs = new long[FIRST_CAPACITY];
    private @Nullable Lease[] leases = new Lease[FIRST_CAPACITY];
    private int size;

    int size() {
        return size;
    }

    /** The earliest deadline; Long.MAX_VALUE when there is no lease. */
    long firstMs() {
        return size == 0 ? Long.MAX_VALUE : deadlinesMs[0];
    }

    /** The lease at a place, 0 being the one that ends first; places change with every change of the heap. */
    Lease at(int index) {
        var lease = leases[index];
        if (lease == null) {
            throw new IllegalStateException("no lease at " + index + " of " + size);
        }
        return lease;
    }

    void add(Lease lease) {
        if (size == leases.length) {
            leases = Arrays.copyOf(leases, 2 * size);
            deadlinesMs = Arrays.copyOf(deadlinesMs, 2 * size);
        }
        up(size++, lease);
    }

    void remove(Lease lease) {
        size--;
        var last = at(size);
        leases[size] = null;
        if (last != lease) {
            place(lease.heapIndex, last);
        }
    }

    void reschedule(Lease lease, long deadlineMs) {
        lease.deadlineMs = deadlineMs;
        place(lease.heapIndex, lease);
    }

    void clear() {
        Arrays.fill(leases, 0, size, null);
        size = 0;
    }

    private void place(int hole, Lease lease) {
        if (hole > 0 && deadlinesMs[hole - 1 >>> 2] > lease.deadlineMs) {
            up(hole, lease);
        } else {
            down(hole, lease);
        }
    }

    private void up(int from, Lease lease) {
        int hole = from;
        while (hole > 0 && deadlinesMs[hole - 1 >>> 2] > lease.deadlineMs) {
            int parent = hole - 1 >>> 2;
            put(hole, at(parent));
            hole = parent;
        }
        put(hole, lease);
    }

    private void down(int from, Lease lease) {
        int hole = from;
        for (int child = earliestChild(hole); child < size; child = earliestChild(hole)) {
            if (deadlinesMs[child] >= lease.deadlineMs) {
                break;
            }
            put(hole, at(child));
            hole = child;
        }
        put(hole, lease);
    }

    /** The child that ends first, or {@code size} or more when there is none. */
    private int earliestChild(int parent) {
        int first = (parent << 2) + 1;
        int earliest = first;
        for (int child = first + 1; child < Math.min(first + 4, size); child++) {
            if (deadlinesMs[child] < deadlinesMs[earliest]) {
                earliest = child;
            }
        }
        return earliest;
    }

    private void put(int index, Lease lease) {
        deadlinesMs[index] = lease.deadlineMs;
        leases[index] = lease;
        lease.heapIndex = index;
    }
}

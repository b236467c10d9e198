package io.spillway.broker.subscription;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/** The live leases of one group on one partition, by fence and by deadline. Confined to the shard thread. */
final class Leases {
    private final Long2ObjectHashMap<Lease> byFence = new Long2ObjectHashMap<>();
    private final LeaseHeap deadlines = new LeaseHeap();

    boolean isEmpty() {
        return byFence.isEmpty();
    }

    @Nullable
    Lease find(long fence) {
        return byFence.get(fence);
    }

    void add(Lease lease) {
        byFence.put(lease.fence(), lease);
        deadlines.add(lease);
    }

    void remove(Lease lease) {
        byFence.remove(lease.fence());
        deadlines.remove(lease);
    }

    void reschedule(Lease lease, long deadlineMs) {
        deadlines.reschedule(lease, deadlineMs);
    }

    /** The earliest deadline; Long.MAX_VALUE when there is no lease. */
    long firstMs() {
        return deadlines.firstMs();
    }

    /** Takes away the lease whose deadline is the earliest. */
    Lease removeFirst() {
        var lease = deadlines.at(0);
        remove(lease);
        return lease;
    }

    /** Takes away what a member holds. */
    List<Lease> removeOf(long memberId) {
        var gone = new ArrayList<Lease>();
        forEach(lease -> {
            if (lease.memberId() == memberId) {
                gone.add(lease);
            }
        });
        gone.forEach(this::remove);
        return gone;
    }

    /** Visits the leases; the visitor changes none. */
    void forEach(Consumer<Lease> visitor) {
        for (int i = 0; i < deadlines.size(); i++) {
            visitor.accept(deadlines.at(i));
        }
    }

    void clear() {
        byFence.clear();
        deadlines.clear();
    }
}

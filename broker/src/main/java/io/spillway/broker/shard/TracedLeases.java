package io.spillway.broker.shard;

import io.spillway.broker.tracing.TracedStep;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The traced records that members hold, by the fences of their leases, because what settles them names no more than those. Bounded:
 * of the deliveries forgotten when there are too many, the oldest first, no settlement is told. Leases that end without a verdict,
 * with a group that is moved for instance, are forgotten that way. Confined to the shard thread.
 */
final class TracedLeases {
    static final int MOST_RECORDS = 1 << 14;

    private final Map<Long, List<TracedStep>> byFence = new LinkedHashMap<>();
    private int records;

    boolean isEmpty() {
        return records == 0;
    }

    void put(long fence, List<TracedStep> deliveries) {
        if (deliveries.isEmpty()) {
            return;
        }
        byFence.put(fence, new ArrayList<>(deliveries));
        records += deliveries.size();
        Iterator<List<TracedStep>> oldest = byFence.values().iterator();
        while (records > MOST_RECORDS) {
            records -= oldest.next().size();
            oldest.remove();
        }
    }

    /** Takes out what a lease holds of [from, to). */
    List<TracedStep> take(long fence, long from, long to) {
        List<TracedStep> held = byFence.get(fence);
        if (held == null) {
            return List.of();
        }
        List<TracedStep> taken = new ArrayList<>();
        held.removeIf(delivery -> {
            boolean isMeant = delivery.offset() >= from && delivery.offset() < to;
            if (isMeant) {
                taken.add(delivery);
            }
            return isMeant;
        });
        records -= taken.size();
        if (held.isEmpty()) {
            byFence.remove(fence);
        }
        return taken;
    }
}

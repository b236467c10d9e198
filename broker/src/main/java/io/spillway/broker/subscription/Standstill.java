package io.spillway.broker.subscription;

import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** What can be seen of a group's place by who asks why nothing goes on. Confined to the shard thread. */
public final class Standstill {
    private Standstill() {}

    /** Whether something of a group without an order of keys could be delivered now. */
    public static boolean isReady(SubscriptionState state, long limit, long nowMs) {
        return state.next(limit, nowMs, new Pick());
    }

    /** Whether something of a KEY_ORDERED group could be delivered to this member now. */
    public static boolean isReadyFor(SubscriptionState state, long memberId, long nowMs) {
        return state.nextOf(memberId, nowMs, new Pick());
    }

    /** Records that were begun and not settled. */
    public static long unsettled(SubscriptionState state) {
        return state.unsettled();
    }

    /** How many of these there may be before a fresh one is begun. */
    public static int window(SubscriptionState state) {
        return state.maxUnsettled;
    }

    /** When the next of those that wait for a time is due; Long.MAX_VALUE when none does. */
    public static long nextDueMs(SubscriptionState state) {
        return state.pool.nextDueMs();
    }

    /** A record for whose key others wait, and the lease it is in. */
    public record Blocking(long offset, Lease lease) {}

    /** Of the records that others wait for, one in the lease that was given first; null when none of them is leased. */
    public static @Nullable Blocking blocking(SubscriptionState state, ToLongFunction<Lease> since) {
        var found = new Object() {
            @Nullable
            Blocking first;

            long sinceMs = Long.MAX_VALUE;
        };
        state.leases.forEach(lease -> {
            if (since.applyAsLong(lease) < found.sinceMs) {
                lease.forEachUnsettled((from, to) -> {
                    for (long at = from; at < to; at++) {
                        if (state.pool.isAwaited(at) && since.applyAsLong(lease) < found.sinceMs) {
                            found.first = new Blocking(at, lease);
                            found.sinceMs = since.applyAsLong(lease);
                        }
                    }
                });
            }
        });
        return found.first;
    }
}

package io.spillway.client.core;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The settlements of one subscription on their way to the broker: packed into bundles, each kept until it is answered. What was
 * under way when a connection ended goes out again first, in its order. Bounded: when too many bundles wait for a connection
 * the oldest is given up. Driven by vectors/ack_buffer.json. Not thread-safe.
 *
 * @param <I> a settlement
 */
public final class AckBuffer<I> {
    /** Bounds: settlements in a bundle, bytes in a bundle, bundles that wait for a connection. */
    public record Limits(int maxItems, int maxBytes, int maxUnsent) {
        public static final Limits DEFAULT = new Limits(1_000, 32 << 10, 64);
    }

    /** Settlements that travel in one frame. */
    public static final class Bundle<I> {
        private final List<I> items = new ArrayList<>();
        private int bytes;
        private boolean sent;

        public List<I> items() {
            return items;
        }
    }

    private final Limits limits;
    private final Deque<Bundle<I>> unsent = new ArrayDeque<>();
    private final Set<Bundle<I>> underWay = new LinkedHashSet<>();
    private boolean open;
    private long notBeforeMs = Long.MIN_VALUE;

    public AckBuffer(Limits limits) {
        this.limits = limits;
    }

    /**
     * Takes a settlement of that size.
     *
     * @return what is given up for it; mostly nothing
     */
    public List<Bundle<I>> add(I item, int bytes) {
        Bundle<I> last = unsent.peekLast();
        if (last == null || last.sent || last.items.size() >= limits.maxItems || last.bytes + bytes > limits.maxBytes) {
            last = new Bundle<>();
            unsent.add(last);
        }
        last.items.add(item);
        last.bytes += bytes;
        return unsent.size() > limits.maxUnsent ? List.of(unsent.remove()) : List.of();
    }

    /** There is a connection. */
    public void open() {
        open = true;
    }

    /** The connection is gone: what was under way waits again, before what came later. */
    public void lost() {
        open = false;
        new ArrayDeque<>(underWay).descendingIterator().forEachRemaining(unsent::addFirst);
        underWay.clear();
    }

    /** What goes out now, in this order. */
    public List<Bundle<I>> take(long nowMs) {
        if (!open || nowMs < notBeforeMs || unsent.isEmpty()) {
            return List.of();
        }
        List<Bundle<I>> taken = List.copyOf(unsent);
        taken.forEach(bundle -> bundle.sent = true);
        unsent.clear();
        underWay.addAll(taken);
        return taken;
    }

    /** The broker has answered it. False when it was not under way (any more). */
    public boolean answered(Bundle<I> bundle) {
        return underWay.remove(bundle);
    }

    /** The broker refused it and it is to go out again, not before that time. False when it was not under way. */
    public boolean again(Bundle<I> bundle, long atMs) {
        if (!underWay.remove(bundle)) {
            return false;
        }
        unsent.addFirst(bundle);
        notBeforeMs = atMs;
        return true;
    }

    /** Everything that has no answer, in the order in which it was settled. It is still kept. */
    public List<Bundle<I>> pending() {
        List<Bundle<I>> all = new ArrayList<>(underWay);
        all.addAll(unsent);
        return all;
    }

    /** Nothing will be answered any more: gives up everything. */
    public List<Bundle<I>> end() {
        List<Bundle<I>> all = pending();
        unsent.clear();
        underWay.clear();
        open = false;
        return all;
    }

    public boolean isEmpty() {
        return unsent.isEmpty() && underWay.isEmpty();
    }

    /** Bundles that wait to be sent. */
    public int unsent() {
        return unsent.size();
    }

    /** Bundles that wait for their answer. */
    public int underWay() {
        return underWay.size();
    }
}

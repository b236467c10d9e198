package io.spillway.broker.subscription;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** What {@link SubscriptionState} has to do, record by record and without a thought for speed. */
final class SubscriptionModel {
    enum Where {
        FRESH,
        LEASED,
        PENDING,
        WAITING,
        SCHEDULED,
        READY,
        SETTLED
    }

    static final class Item {
        Where where = Where.FRESH;
        int failures;
        int deliveries;
        int[] failedBy = {};
        long dueMs;
        /** When a scheduled record is to be delivered. */
        long atMs;
    }

    record ModelLease(long memberId, int attempt, long[] deadlineMs, TreeSet<Long> selected, TreeSet<Long> open) {
        boolean covers(long from, long to) {
            var meant = from < to ? selected.subSet(from, to) : new TreeSet<Long>();
            return from >= selected.first() && to <= selected.last() + 1 && !meant.isEmpty() && open.containsAll(meant);
        }
    }

    private final int windowLimit;
    long cursor;
    TreeMap<Long, Item> items = new TreeMap<>();
    Map<Long, ModelLease> leases = new HashMap<>();

    SubscriptionModel(long cursor, int windowLimit) {
        this.cursor = cursor;
        this.windowLimit = windowLimit;
    }

    void applySettled(long from, long to) {
        for (long at = Math.max(from, cursor); at < to; at++) {
            item(at).where = Where.SETTLED;
        }
        while (items.containsKey(cursor) && item(cursor).where == Where.SETTLED) {
            items.remove(cursor);
            cursor++;
        }
    }

    void applyFailed(long from, long to, int failures, long dueMs, int... failedBy) {
        for (long at = Math.max(from, cursor); at < to; at++) {
            var item = item(at);
            if (item.where == Where.SETTLED) {
                continue;
            }
            item.failures = failures;
            item.failedBy = failedBy;
            item.dueMs = dueMs;
            item.deliveries = Math.max(item.deliveries, failures);
            boolean isHeld = item.where == Where.LEASED || item.where == Where.SCHEDULED;
            item.where = isHeld ? item.where : Where.WAITING;
        }
    }

    void applySeek(long offset) {
        cursor = offset;
        items.clear();
        leases.clear();
    }

    boolean next(long limit, long nowMs, Pick pick) {
        items.values().stream()
                .filter(item -> item.where == Where.WAITING && item.dueMs <= nowMs)
                .forEach(item -> item.where = Where.READY);
        items.values().stream()
                .filter(item -> item.where == Where.SCHEDULED && item.atMs <= nowMs)
                .forEach(item -> item.where = Where.READY);
        long end = Math.min(limit, cursor + windowLimit);
        for (long at = cursor; at < end; at++) {
            if (peek(at).where == Where.READY) {
                pick(at, end, pick);
                return true;
            }
        }
        for (long at = cursor; at < end; at++) {
            if (peek(at).where == Where.FRESH) {
                pick(at, end, pick);
                return true;
            }
        }
        return false;
    }

    private void pick(long from, long end, Pick pick) {
        var first = peek(from);
        long to = from + 1;
        while (to < end
                && peek(to).where == first.where
                && peek(to).failures == first.failures
                && peek(to).deliveries == first.deliveries) {
            to++;
        }
        pick.set(from, to, first.deliveries + 1, first.failures);
    }

    void lease(long fence, long from, long to, int attempt, long memberId, long deadlineMs) {
        var offsets = new TreeSet<Long>();
        for (long at = from; at < to; at++) {
            offsets.add(at);
        }
        claim(from, to);
        lease(fence, offsets, attempt, memberId, deadlineMs);
    }

    /** Takes records out of the pool, to be looked at one by one. */
    void claim(long from, long to) {
        for (long at = from; at < to; at++) {
            var item = item(at);
            if (item.where != Where.READY && item.where != Where.FRESH) {
                throw new AssertionError("claims " + at + " which is " + item.where);
            }
            item.where = Where.PENDING;
        }
    }

    void schedule(long at, long atMs) {
        item(at).where = Where.SCHEDULED;
        item(at).atMs = atMs;
    }

    /** Leases what was claimed. */
    void lease(long fence, TreeSet<Long> offsets, int attempt, long memberId, long deadlineMs) {
        for (long at : offsets) {
            item(at).deliveries = attempt > 1 ? attempt : 0;
            item(at).where = Where.LEASED;
        }
        var lease = new ModelLease(
                memberId, attempt, new long[] {deadlineMs}, new TreeSet<>(offsets), new TreeSet<>(offsets));
        if (leases.put(fence, lease) != null) {
            throw new AssertionError("fence " + fence + " was given twice");
        }
    }

    boolean settle(long fence, long from, long to, boolean release) {
        var lease = leases.get(fence);
        if (lease == null || !lease.covers(from, to)) {
            return false;
        }
        lease.selected.subSet(from, to).forEach(at -> leave(lease, at, release));
        lease.open.subSet(from, to).clear();
        if (lease.open.isEmpty()) {
            leases.remove(fence);
        }
        return true;
    }

    boolean extend(long fence, long deadlineMs) {
        var lease = leases.get(fence);
        if (lease != null) {
            lease.deadlineMs[0] = deadlineMs;
        }
        return lease != null;
    }

    /** The offsets of leases that ended, by fence. */
    Map<Long, List<Long>> expire(long nowMs) {
        var ended = new TreeMap<Long, List<Long>>();
        leases.forEach((fence, lease) -> {
            if (lease.deadlineMs[0] <= nowMs) {
                ended.put(fence, new ArrayList<>(lease.open));
                lease.open.forEach(at -> leave(lease, at, false));
            }
        });
        leases.keySet().removeAll(ended.keySet());
        return ended;
    }

    void releaseMember(long memberId) {
        leases.values().forEach(lease -> {
            if (lease.memberId == memberId) {
                lease.open.forEach(at -> leave(lease, at, true));
            }
        });
        leases.values().removeIf(lease -> lease.memberId == memberId);
    }

    private void leave(ModelLease lease, long at, boolean release) {
        var item = items.get(at);
        if (at < cursor || item == null || item.where != Where.LEASED) {
            return;
        }
        item.where = release ? Where.READY : Where.PENDING;
        if (release) {
            item.deliveries = Math.max(item.deliveries, lease.attempt);
        }
    }

    long count(Where... places) {
        return items.values().stream()
                .filter(item -> List.of(places).contains(item.where))
                .count();
    }

    long nextTimerMs() {
        long deadlineMs = leases.values().stream()
                .mapToLong(lease -> lease.deadlineMs[0])
                .min()
                .orElse(Long.MAX_VALUE);
        return items.values().stream()
                .filter(item -> item.where == Where.WAITING || item.where == Where.SCHEDULED)
                .mapToLong(item -> Math.min(item.where == Where.WAITING ? item.dueMs : item.atMs, deadlineMs))
                .min()
                .orElse(deadlineMs);
    }

    /** The durable part, one line a record that has one. */
    List<String> durable() {
        var lines = new ArrayList<String>();
        lines.add("cursor " + cursor);
        items.forEach((at, item) -> {
            if (item.where == Where.SETTLED) {
                lines.add(at + " settled");
            } else if (item.failures > 0) {
                lines.add(at + " failed " + item.failures + " with " + Arrays.toString(item.failedBy) + " due "
                        + item.dueMs);
            }
        });
        return lines;
    }

    private Item item(long at) {
        return items.computeIfAbsent(at, offset -> new Item());
    }

    private Item peek(long at) {
        var item = items.get(at);
        return item == null ? new Item() : item;
    }
}

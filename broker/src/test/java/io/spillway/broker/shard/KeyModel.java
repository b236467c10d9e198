package io.spillway.broker.shard;

import io.spillway.protocol.Code;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a partition remembers of idempotency keys, told as plainly as possible. */
final class KeyModel {
    private record First(String value, long offset, long appendTimeMs) {}

    /** One line for each record that is not stored. */
    record Expected(boolean stored, long baseOffset, long timeMs, Map<Integer, String> told) {}

    private final LinkedHashMap<String, First> window = new LinkedHashMap<>();
    private long maxKeys;
    private final long maxAgeMs;
    private long evictedUpToMs = -1;
    long endOffset;

    KeyModel(long maxKeys, long maxAgeMs) {
        this.maxKeys = maxKeys;
        this.maxAgeMs = maxAgeMs;
    }

    KeyModel copy() {
        KeyModel copy = new KeyModel(maxKeys, maxAgeMs);
        copy.window.putAll(window);
        copy.evictedUpToMs = evictedUpToMs;
        copy.endOffset = endOffset;
        return copy;
    }

    Expected publish(List<KeyedRecord> batch, long nowMs) {
        evictWhere(first -> first.appendTimeMs < nowMs - maxAgeMs);
        long base = endOffset;
        Map<Integer, String> told = new TreeMap<>();
        Map<String, First> fresh = new HashMap<>();
        List<KeyedRecord> stored = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            KeyedRecord record = batch.get(i);
            String id = record.id();
            if (id == null) {
                stored.add(record);
                continue;
            }
            First known = fresh.getOrDefault(id, window.get(id));
            if (known != null && known.value.equals(record.value())) {
                told.put(i, duplicate(known.offset, known.appendTimeMs));
            } else if (known != null) {
                told.put(i, Code.IDEMPOTENCY_CONFLICT + " " + known.offset);
            } else if (record.triedSinceMs() >= 0 && record.triedSinceMs() <= evictedUpToMs) {
                told.put(i, Code.DEDUP_WINDOW_EXCEEDED.toString());
            } else {
                fresh.put(id, new First(record.value(), base + stored.size(), nowMs));
                stored.add(record);
            }
        }
        for (KeyedRecord record : stored) {
            if (record.id() != null) {
                remember(record.id(), new First(record.value(), endOffset, nowMs));
            }
            endOffset++;
        }
        return new Expected(!stored.isEmpty(), base, nowMs, told);
    }

    /** A batch that comes again by its sequence: what it stored stays where it is; of the rest what is known by now is told. */
    Expected again(List<KeyedRecord> batch, Expected before, long nowMs) {
        evictWhere(first -> first.appendTimeMs < nowMs - maxAgeMs);
        Map<Integer, String> told = new TreeMap<>();
        Map<String, First> fresh = new HashMap<>();
        long next = before.baseOffset;
        for (int i = 0; i < batch.size(); i++) {
            KeyedRecord record = batch.get(i);
            String id = record.id();
            if (!before.told.containsKey(i)) {
                if (id != null) {
                    fresh.put(id, new First(record.value(), next, before.timeMs));
                }
                next++;
                continue;
            }
            First known = fresh.getOrDefault(id, window.get(id));
            if (known == null) {
                told.put(i, Code.DEDUP_WINDOW_EXCEEDED.toString());
            } else {
                told.put(
                        i,
                        known.value.equals(record.value())
                                ? duplicate(known.offset, known.appendTimeMs)
                                : Code.IDEMPOTENCY_CONFLICT + " " + known.offset);
            }
        }
        return new Expected(before.stored, before.baseOffset, before.timeMs, told);
    }

    static String duplicate(long offset, long appendTimeMs) {
        return "duplicate " + offset + " at " + appendTimeMs;
    }

    private void remember(String id, First first) {
        window.put(id, first);
        keepNewest();
    }

    private void keepNewest() {
        Iterator<First> oldest = window.values().iterator();
        while (window.size() > maxKeys) {
            evictedUpToMs = Math.max(evictedUpToMs, oldest.next().appendTimeMs);
            oldest.remove();
        }
    }

    void limit(long keys) {
        maxKeys = keys;
        keepNewest();
    }

    void purge(long upTo) {
        evictWhere(first -> first.offset < upTo);
    }

    private void evictWhere(java.util.function.Predicate<First> test) {
        for (Iterator<First> all = window.values().iterator(); all.hasNext(); ) {
            First first = all.next();
            if (test.test(first)) {
                evictedUpToMs = Math.max(evictedUpToMs, first.appendTimeMs);
                all.remove();
            }
        }
    }
}

package io.spillway.chaos.network;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Which ways are cut. Thread-safe. */
final class Cuts {
    private record Way(String from, String to) {}

    private final Set<Way> cut = ConcurrentHashMap.newKeySet();

    /** Whether it was not cut before. */
    boolean add(String from, String to) {
        return cut.add(new Way(from, to));
    }

    boolean contains(String from, String to) {
        return cut.contains(new Way(from, to));
    }

    void clear() {
        cut.clear();
    }
}

package io.spillway.chaos.nemesis;

import java.util.function.Function;

/**
 * Something that goes wrong for a while. What it leaves behind, the scene's restoring puts right.
 *
 * @param kind its name
 * @param losesData whether a replica loses what it has stored: never two at a time, and only when all are whole
 * @param begin does it, and says what it did
 * @param end ends it, for what restoring does not end by itself
 */
record Fault(String kind, boolean losesData, Function<Scene, String> begin, Function<Scene, String> end) {
    static Fault of(String kind, Function<Scene, String> begin) {
        return new Fault(kind, false, begin, scene -> "");
    }

    static Fault losing(String kind, Function<Scene, String> begin) {
        return new Fault(kind, true, begin, scene -> "");
    }
}

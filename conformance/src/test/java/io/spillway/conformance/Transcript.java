package io.spillway.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What was said in one run of a scenario, with the time since it began. Thread-safe. */
final class Transcript {
    private static final int MAX_LINE = 2_000;

    private final long startNs = System.nanoTime();
    private final List<String> lines = new ArrayList<>();

    synchronized void add(String arrow, String who, Object said) {
        String text = said.toString();
        String shortened =
                text.length() <= MAX_LINE ? text : text.substring(0, MAX_LINE) + "... (" + text.length() + ")";
        lines.add(String.format(
                Locale.ROOT, "%7.3f %s %s %s", (System.nanoTime() - startNs) / 1e9, arrow, who, shortened));
    }

    @Override
    public synchronized String toString() {
        return String.join("\n", lines);
    }
}

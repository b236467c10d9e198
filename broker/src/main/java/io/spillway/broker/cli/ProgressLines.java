package io.spillway.broker.cli;

/** Which lines of progress a log gets: those that say something new, now and then, and else a sign of life. Not thread-safe. */
final class ProgressLines {
    /** How soon a line that says something new may follow the one before. */
    static final long NEWS_MS = 5_000;

    static final long SIGN_OF_LIFE_MS = 10_000;

    private String last = "";
    private long lastMs;

    /** Whether this line is to be written now; it counts as written then. */
    boolean isDue(String line, long nowMs) {
        long waitMs = line.equals(last) ? SIGN_OF_LIFE_MS : NEWS_MS;
        if (!last.isEmpty() && nowMs - lastMs < waitMs) {
            return false;
        }
        last = line;
        lastMs = nowMs;
        return true;
    }
}

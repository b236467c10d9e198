package io.spillway.client.net;

/** Where time comes in. Thread-safe. */
public interface Clock {
    /** Milliseconds since 1970. */
    long nowMs();

    /** A monotonic time in nanoseconds, for intervals only. */
    long nanoTime();

    /** The machine's clock. */
    Clock SYSTEM = new Clock() {
        @Override
        public long nowMs() {
            return System.currentTimeMillis();
        }

        @Override
        public long nanoTime() {
            return System.nanoTime();
        }
    };
}

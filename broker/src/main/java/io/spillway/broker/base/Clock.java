package io.spillway.broker.base;

import java.time.Instant;

/** Where time comes in. Thread-safe. */
public interface Clock {
    /** Milliseconds since 1970. */
    long nowMs();

    /** A monotonic time in nanoseconds, for intervals only. */
    long nanoTime();

    /** Nanoseconds since 1970, as exactly as they are known. */
    default long epochNs() {
        return nowMs() * 1_000_000;
    }

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

        @Override
        public long epochNs() {
            Instant now = Instant.now();
            return now.getEpochSecond() * 1_000_000_000 + now.getNano();
        }
    };
}

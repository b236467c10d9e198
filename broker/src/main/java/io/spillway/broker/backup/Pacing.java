package io.spillway.broker.backup;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Pace;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;

/** Waits so that no more than so many bytes a second are read. Confined to one thread. */
final class Pacing implements LongConsumer {
    private static final long PAUSE_MS = 5;

    private final Pace pace;
    private final Clock clock;

    /** @param bytesPerSecond 0 = no bound */
    Pacing(long bytesPerSecond, Clock clock) {
        pace = new Pace(bytesPerSecond);
        this.clock = clock;
    }

    @Override
    public void accept(long bytes) {
        pace.take(bytes);
        try {
            while (pace.available(1, clock.nowMs()) == 0) {
                TimeUnit.MILLISECONDS.sleep(PAUSE_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(new InterruptedIOException("it was ended"));
        }
    }
}

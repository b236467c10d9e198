package io.spillway.broker.canary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.shard.Mailbox;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class CanaryTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final AtomicLong nowMs = new AtomicLong(1_000_000);
    private final AtomicBoolean serves = new AtomicBoolean(true);
    private final Clock clock = new Clock() {
        @Override
        public long nowMs() {
            return nowMs.get();
        }

        @Override
        public long nanoTime() {
            return TimeUnit.MILLISECONDS.toNanos(nowMs.get());
        }
    };

    private Canary canary(long intervalMs) {
        // A shard that takes commands, and never does them.
        return new Canary(intervalMs, new Published<>(TopicCatalog.EMPTY), List.of(new Mailbox()), clock, serves::get);
    }

    @Test
    void aCanaryThatDoesNotComeBackIsStaleAndSaysSinceWhen() {
        try (Canary canary = canary(1)) {
            canary.start();
            await("the first beat").atMost(PATIENCE).until(() -> {
                nowMs.incrementAndGet();
                return canary.ageNs() > 0;
            });
            assertThat(canary.stale()).isEmpty();

            nowMs.addAndGet(11_000);

            assertThat(canary.stale()).startsWith("it last came back 11").contains("(limit 10000 ms)");
        }
    }

    @Test
    void atANodeThatDoesNotServeItRestsAndBeginsAnewAfterwards() {
        try (Canary canary = canary(1)) {
            canary.start();
            await("the first beat").atMost(PATIENCE).until(() -> {
                nowMs.incrementAndGet();
                return canary.ageNs() > 0;
            });

            serves.set(false);
            await("rest").atMost(PATIENCE).until(() -> canary.ageNs() == 0);
            nowMs.addAndGet(60_000);
            assertThat(canary.stale()).isEmpty();
            serves.set(true);

            await("the next beat").atMost(PATIENCE).until(() -> {
                nowMs.incrementAndGet();
                return canary.ageNs() > 0;
            });
            assertThat(canary.stale()).as("what it rested does not count").isEmpty();
        }
    }

    @Test
    void withoutAnIntervalThereIsNone() {
        try (Canary canary = canary(0)) {
            canary.start();
            nowMs.addAndGet(60_000);

            assertThat(canary.ageNs()).isZero();
            assertThat(canary.stale()).isEmpty();
        }
    }
}

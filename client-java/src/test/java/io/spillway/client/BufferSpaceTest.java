package io.spillway.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class BufferSpaceTest {
    private static final long FOREVER_NS = TimeUnit.MINUTES.toNanos(1);

    private final BufferSpace space = new BufferSpace(100);

    @Test
    void refusesWhatDoesNotFit() {
        assertThat(space.tryTake(60)).isTrue();
        assertThat(space.tryTake(41)).isFalse();
        assertThat(space.tryTake(40)).isTrue();
    }

    @Test
    void letsOneRecordOverTheLimitInAlone() {
        assertThat(space.tryTake(500)).isTrue();
        assertThat(space.tryTake(1)).isFalse();
    }

    @Test
    void waitsUntilSpaceIsGivenBack() {
        space.tryTake(100);
        CompletableFuture<Boolean> waiting = CompletableFuture.supplyAsync(() -> take(10, FOREVER_NS));
        await().pollDelay(20, TimeUnit.MILLISECONDS).until(() -> !waiting.isDone());

        space.give(100);

        assertThat(waiting.join()).isTrue();
    }

    @Test
    void givesUpInTime() {
        space.tryTake(100);

        assertThat(take(1, 1_000_000)).isFalse();
    }

    @Test
    void neverExceedsItsLimitAndLosesNoWakeUp() throws Exception {
        int threads = 8;
        AtomicLong most = new AtomicLong();
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            var tasks = IntStream.range(0, threads)
                    .<Future<?>>mapToObj(t -> pool.submit(() -> {
                        for (int i = 0; i < 5_000; i++) {
                            int bytes = 1 + (i * 7 + t) % 60;
                            assertThat(take(bytes, FOREVER_NS)).isTrue();
                            most.accumulateAndGet(space.usedBytes(), Math::max);
                            space.give(bytes);
                        }
                    }))
                    .toList();
            for (Future<?> task : tasks) {
                task.get();
            }
        } finally {
            pool.shutdown();
        }

        assertThat(space.usedBytes()).isZero();
        assertThat(most.get()).isLessThanOrEqualTo(100);
    }

    private boolean take(long bytes, long waitNs) {
        try {
            return space.take(bytes, waitNs);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}

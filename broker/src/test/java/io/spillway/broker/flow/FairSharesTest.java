package io.spillway.broker.flow;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** While a failure domain waits, it gets a fifth of all turns at least, and no other gets more than four fifths. */
class FairSharesTest {
    private static final int QUANTUM = 64 << 10;

    private final FairQueue<String> queue = new FairQueue<>(QUANTUM, FairQueue.Weights.EQUAL);
    private final Map<String, Long> bytes = new HashMap<>();
    private final Map<String, Integer> waits = new HashMap<>();

    private void fill(SplittableRandom random, int domain) {
        String name = "d" + domain;
        // The first floods with what is tiny, from many principals; the others send what is large, from one.
        int size = domain == 0 ? random.nextInt(64, 300) : random.nextInt(1 << 10, 256 << 10);
        String principal = domain == 0 ? "p" + random.nextInt(20) : "p";
        queue.add(name + " " + size, size, name, principal, random.nextInt(4));
        waits.merge(name, 1, Integer::sum);
    }

    @ParameterizedTest
    @CsvSource({"2, 11", "3, 12", "4, 13", "5, 14"})
    void eachThatWaitsGetsItsShareWhateverOthersSend(int domains, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < domains; i++) {
            fill(random, i);
        }
        long total = 0;
        while (total < 64L << 20) {
            for (int i = 0; i < domains; i++) {
                // Each has something that waits at any time.
                while (waits.getOrDefault("d" + i, 0) < (i == 0 ? 2_000 : 20)) {
                    fill(random, i);
                }
            }
            String[] taken = String.valueOf(queue.poll()).split(" ");
            long size = Long.parseLong(taken[1]);
            bytes.merge(taken[0], size, Long::sum);
            waits.merge(taken[0], -1, Integer::sum);
            total += size;
        }

        long all = total;
        bytes.forEach((name, got) -> assertThat(got * 1_000 / all)
                .as("per mille of %s, seed %d: %s", name, seed, bytes)
                .isBetween(195L, 800L));
        assertThat(bytes).hasSize(domains);
    }
}

package io.spillway.broker.subscription;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.protocol.Seeded;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class OffsetSetTest {
    private static final int SPAN = 60_000;

    @Test
    void takesNextToNothingForABillionSettledRecordsBehindOneThatIsNot() {
        var set = new OffsetSet(5);

        set.set(6, 1 << 30);

        assertThat(set.count()).isEqualTo((1 << 30) - 6);
        assertThat(set.nextClear(5, 1L << 40)).isEqualTo(5);
        assertThat(set.nextClear(6, 1L << 40)).isEqualTo(1 << 30);
        assertThat(set.memoryBytes()).isLessThan(2 << 20);
    }

    @Seeded(runs = 5)
    void doesWhatASetDoes(RandomGenerator random) {
        var model = new TreeSet<Long>();
        long base = random.nextInt(20_000);
        var set = new OffsetSet(base);
        for (int step = 0; step < 400; step++) {
            long from = base + random.nextInt(SPAN);
            long to = from + 1 + random.nextInt(random.nextBoolean() ? 40 : 20_000);
            switch (random.nextInt(8)) {
                case 0, 1, 2, 3 -> {
                    set.set(from, to);
                    for (long at = from; at < to; at++) {
                        model.add(at);
                    }
                }
                case 4, 5, 6 -> {
                    set.clear(from, to);
                    model.subSet(from, to).clear();
                }
                default -> {
                    base += random.nextInt(4_000);
                    set.advance(base);
                    model.headSet(base).clear();
                }
            }
            assertThat(set.count()).isEqualTo(model.size());
            for (int i = 0; i < 20; i++) {
                long at = base + random.nextInt(SPAN);
                long end = at + random.nextInt(30_000);
                Long next = model.ceiling(at);
                assertThat(set.get(at)).isEqualTo(model.contains(at));
                assertThat(set.nextSet(at, end)).isEqualTo(next == null || next >= end ? end : next);
                assertThat(set.nextClear(at, end)).isEqualTo(nextClear(model, at, end));
            }
        }
    }

    private static long nextClear(TreeSet<Long> model, long from, long to) {
        long at = from;
        while (at < to && model.contains(at)) {
            at++;
        }
        return at;
    }
}

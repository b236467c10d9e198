package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ThreadLoadTest {
    private static final long MS = 1_000_000;

    private long cpuNs;
    private final ThreadLoad load = new ThreadLoad(() -> cpuNs);

    @Test
    void saysWhichPartOfTheIntervalWasWork() {
        assertThat(load.endInterval(0)).isZero();
        cpuNs += 30 * MS;
        assertThat(load.endInterval(100 * MS)).isEqualTo(300);
        cpuNs += 200 * MS;
        assertThat(load.endInterval(200 * MS)).isEqualTo(1_000);
    }

    @Test
    void whatIsNotKnownIsNoWork() {
        load.endInterval(0);
        cpuNs = -1;

        assertThat(load.endInterval(100 * MS)).isZero();
    }

    @Test
    void aThreadKnowsItsOwn() {
        assertThat(ThreadLoad.ofThisThread()).isPositive();
    }
}

package io.spillway.broker.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShardLogTest {
    @TempDir
    Path directory;

    @Test
    void readsBackWhatWasAppended() {
        try (LogFixture fixture = new LogFixture(directory)) {
            fixture.append(1, 3, 100);
            fixture.append(2, 1, 10);
            fixture.append(1, 2, 50);

            assertThat(fixture.read(1, 0)).containsExactly("0+3", "3+2");
            assertThat(fixture.read(2, 0)).containsExactly("0+1");
            assertThat(fixture.log().endOffset(1)).isEqualTo(5);
            assertThat(fixture.log().nextSequence()).isEqualTo(3);
        }
    }

    @Test
    void readsAcrossRollsAndAfterReopening() {
        try (LogFixture fixture = new LogFixture(directory)) {
            List<String> expected = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                expected.add(fixture.append(1 + i % 2, 4, 1000) + "+4");
                if (i % 7 == 0) {
                    fixture.sync();
                }
            }
            assertThat(fixture.log().stats().segments()).isGreaterThan(4);
            List<String> before = fixture.read(1, 0);

            fixture.reopen();

            assertThat(fixture.log().recovery().clean()).isTrue();
            assertThat(fixture.log().recovery().problems()).isEmpty();
            assertThat(fixture.log().recovery().scannedSegments()).isZero();
            assertThat(fixture.read(1, 0)).isEqualTo(before).hasSize(150);
            assertThat(fixture.read(2, 0)).hasSize(150);
            assertThat(fixture.log().nextSequence()).isEqualTo(300);
            assertThat(fixture.append(1, 1, 1)).isEqualTo(600);
            assertThat(expected).hasSize(300);
        }
    }

    @Test
    void opensAfterAKillWithEverythingAppended(@TempDir Path elsewhere) {
        try (LogFixture fixture = new LogFixture(directory)) {
            for (int i = 0; i < 200; i++) {
                fixture.append(1, 4, 1000);
            }

            try (LogFixture after = fixture.killed(elsewhere)) {
                assertThat(after.log().recovery().clean()).isFalse();
                assertThat(after.log().recovery().problems()).isEmpty();
                assertThat(after.read(1, 0)).isEqualTo(fixture.read(1, 0)).hasSize(200);
                assertThat(after.log().nextSequence()).isEqualTo(200);
            }
        }
    }

    @Test
    void replaysStateAndBatchesInOrder() {
        try (LogFixture fixture = new LogFixture(directory)) {
            fixture.log().append("one".getBytes(StandardCharsets.UTF_8), 0, null);
            fixture.append(5, 2, 10);
            fixture.log().append("two".getBytes(StandardCharsets.UTF_8), 0, null);
            fixture.reopen();

            List<String> seen = new ArrayList<>();
            fixture.log()
                    .replay(
                            1,
                            (sequence, state, partition, batch) -> seen.add(sequence + " "
                                    + (state == null ? "-" : new String(state, StandardCharsets.UTF_8)) + " "
                                    + partition + " " + (batch == null ? 0 : batch.readableBytes())));

            assertThat(seen).containsExactly("1 - 5 " + (72 + 16 + 36), "2 two 0 0");
        }
    }
}

package io.spillway.broker.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RetentionTest {
    private static final int SHORT = 1;
    private static final int LONG = 2;

    @TempDir
    Path directory;

    private LogFixture fixture;

    @BeforeEach
    void open() {
        fixture = new LogFixture(directory);
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    /** Bytes of disk the files take, allocated blocks and not lengths. */
    private long diskBytes() {
        long bytes = 0;
        for (Path file : LogFixtureFiles.all(directory)) {
            try {
                bytes += 512L * ((Number) Files.getAttribute(file, "unix:blocks")).longValue();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (IllegalArgumentException | UnsupportedOperationException e) {
                bytes += Harm.size(file);
            }
        }
        return bytes;
    }

    private void fill(int partition, int batches) {
        for (int i = 0; i < batches; i++) {
            fixture.append(partition, 4, 1000);
        }
    }

    @Test
    void givesDiskBackWhenAllOfItExpired() {
        fill(SHORT, 600);
        fixture.sync();
        int before = fixture.segmentFiles().size();

        fixture.log().trim(SHORT, fixture.log().endOffset(SHORT));
        fixture.maintain();
        fixture.clock.advance(2000);
        fixture.maintain();

        assertThat(before).isGreaterThan(8);
        assertThat(fixture.segmentFiles()).hasSize(1);
        assertThat(fixture.log().stats().bytes()).isLessThanOrEqualTo(2L * fixture.config.segmentBytes());
    }

    @Test
    void givesDiskBackWhenALongLivedTopicSharesTheSegments() {
        for (int i = 0; i < 600; i++) {
            fixture.append(i % 20 == 0 ? LONG : SHORT, 4, 1000);
        }
        fixture.sync();
        List<String> kept = fixture.read(LONG, 0);
        int before = fixture.segmentFiles().size();
        long diskBefore = LogFixtureFiles.all(directory.resolve("segments")).stream()
                .mapToLong(Harm::size)
                .sum();

        fixture.log().trim(SHORT, fixture.log().endOffset(SHORT));
        fixture.maintain();
        fixture.clock.advance(2000);
        fixture.maintain();

        long diskAfter = LogFixtureFiles.all(directory.resolve("segments")).stream()
                .mapToLong(Harm::size)
                .sum();
        assertThat(before).isGreaterThan(8);
        assertThat(fixture.segmentFiles()).hasSizeLessThan(4);
        assertThat(diskAfter).isLessThan(diskBefore / 4);
        assertThat(diskBytes()).isPositive();
        assertThat(fixture.log().stats().relocatedBytes()).isPositive();
        assertThat(fixture.read(LONG, 0)).isEqualTo(kept).hasSize(30);
        fixture.reopen();
        assertThat(fixture.log().recovery().problems()).isEmpty();
        assertThat(fixture.read(LONG, 0)).isEqualTo(kept);
        assertThat(fixture.append(LONG, 1, 1)).isEqualTo(120);
    }

    @Test
    void keepsWhatASnapshotDoesNotCover() {
        fill(SHORT, 300);
        fixture.sync();
        fixture.log().trim(SHORT, fixture.log().endOffset(SHORT));
        int before = fixture.segmentFiles().size();

        for (int i = 0; i < 100; i++) {
            fixture.log().maintain(fixture.clock.nowMs(), 0);
        }
        fixture.sync();

        assertThat(fixture.segmentFiles()).hasSize(before);
    }

    @Test
    void rollsAnAgedSegmentSoThatItCanGo() {
        fill(SHORT, 10);
        fixture.sync();
        fixture.log().trim(SHORT, fixture.log().endOffset(SHORT));
        Path active = fixture.segmentFiles().get(0);

        fixture.clock.advance(fixture.config.segmentMaxAgeMs() + 1);
        fixture.maintain();
        fixture.clock.advance(2000);
        fixture.maintain();

        assertThat(active).doesNotExist();
        assertThat(fixture.segmentFiles()).hasSize(1);
    }

    @Test
    void expiresWholeExtentsByAge() {
        fill(SHORT, 600);
        fixture.clock.advance(10_000);
        fill(SHORT, 600);
        long middle = 600 * 4;

        long expired = fixture.log().expiredUpTo(SHORT, 5_000, -1, fixture.clock.nowMs());

        assertThat(expired).isBetween(middle - 4L * Extent.MAX_ROWS, middle);
        assertThat(fixture.log().expiredUpTo(SHORT, 20_000, -1, fixture.clock.nowMs()))
                .isZero();
        assertThat(fixture.log().expiredUpTo(SHORT, -1, -1, fixture.clock.nowMs()))
                .isZero();
        assertThat(fixture.log().expiredUpTo(SHORT, 0, -1, fixture.clock.nowMs() + 1))
                .isEqualTo(1200 * 4);
    }

    @Test
    void expiresByBytesButKeepsTheLimit() {
        fill(SHORT, 1200);
        long bytes = fixture.log().bytes(SHORT);

        long expired = fixture.log().expiredUpTo(SHORT, -1, bytes / 3, fixture.clock.nowMs());
        fixture.log().trim(SHORT, expired);

        assertThat(fixture.log().startOffset(SHORT)).isEqualTo(expired).isPositive();
        assertThat(fixture.log().bytes(SHORT)).isBetween(bytes / 3, bytes / 3 + fixture.config.segmentBytes());
    }

    @Test
    void findsTheFirstBatchOfATime() {
        fill(SHORT, 5);
        fixture.clock.advance(1000);
        long later = fixture.clock.nowMs();
        long at = fixture.append(SHORT, 2, 10);
        fixture.clock.advance(1000);
        fixture.append(SHORT, 2, 10);

        assertThat(fixture.log().offsetAtTime(SHORT, later)).isEqualTo(at);
        assertThat(fixture.log().offsetAtTime(SHORT, later - 1)).isEqualTo(at);
        assertThat(fixture.log().offsetAtTime(SHORT, 0)).isZero();
        assertThat(fixture.log().offsetAtTime(SHORT, later + 1)).isEqualTo(at + 2);
        assertThat(fixture.log().offsetAtTime(SHORT, Long.MAX_VALUE)).isEqualTo(at + 4);
    }

    @Test
    void forgetsADroppedPartition() {
        fill(SHORT, 50);
        fill(LONG, 50);

        fixture.log().drop(SHORT);

        assertThat(fixture.log().partitions()).containsExactly(LONG);
        assertThat(fixture.log().endOffset(SHORT)).isZero();
        assertThat(fixture.read(SHORT, 0)).isEmpty();
        assertThat(fixture.read(LONG, 0)).hasSize(50);
    }
}

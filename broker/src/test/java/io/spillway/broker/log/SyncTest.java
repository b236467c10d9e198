package io.spillway.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SyncTest {
    @TempDir
    Path directory;

    @Test
    void coversWhatWasAppendedBeforeItWasTaken() throws IOException {
        try (LogFixture fixture = new LogFixture(directory)) {
            fixture.append(1, 1, 10);
            SyncPoint point = fixture.log().syncPoint();
            fixture.append(1, 1, 10);

            point.force();
            fixture.log().markSynced(point);

            assertThat(point.sequence()).isEqualTo(1);
            assertThat(fixture.log().syncedSequence()).isEqualTo(1);
            assertThat(fixture.log().syncDue()).isTrue();
            fixture.sync();
            assertThat(fixture.log().syncedSequence()).isEqualTo(2);
        }
    }

    @Test
    void severalSyncPointsMayBeOnTheirWay() throws IOException {
        try (LogFixture fixture = new LogFixture(directory)) {
            SyncPoint[] points = new SyncPoint[8];
            for (int i = 0; i < points.length; i++) {
                for (int k = 0; k < 100; k++) {
                    fixture.append(1, 4, 1000);
                }
                points[i] = fixture.log().syncPoint();
            }
            for (SyncPoint point : points) {
                point.force();
            }
            for (SyncPoint point : points) {
                fixture.log().markSynced(point);
            }

            assertThat(fixture.log().syncedSequence()).isEqualTo(800);
            assertThat(fixture.read(1, 0)).hasSize(800);
            fixture.reopen();
            assertThat(fixture.log().recovery().problems()).isEmpty();
            assertThat(fixture.read(1, 0)).hasSize(800);
        }
    }

    @Test
    void takesNothingAfterAForceFailedButStillReads() {
        try (LogFixture fixture = new LogFixture(directory)) {
            fixture.append(1, 2, 10);

            fixture.log().fail(new ClosedChannelException());

            assertThat(fixture.log().writeState().mode()).isEqualTo(WriteState.Mode.FAILED);
            assertThatThrownBy(() -> fixture.append(1, 1, 10))
                    .isInstanceOfSatisfying(
                            SpillwayException.class, e -> assertThat(e.code()).isEqualTo(Code.STORAGE_ERROR));
            assertThatThrownBy(() -> fixture.log().append(new byte[1], 0, null)).isInstanceOf(SpillwayException.class);
            assertThat(fixture.read(1, 0)).containsExactly("0+2");
        }
    }

    @Test
    void refusesAnEntryThatDoesNotFitASegment() {
        try (LogFixture fixture = new LogFixture(directory)) {
            assertThatThrownBy(() -> fixture.log().append(new byte[fixture.config.segmentBytes()], 0, null))
                    .isInstanceOfSatisfying(
                            SpillwayException.class, e -> assertThat(e.code()).isEqualTo(Code.TOO_LARGE));
            fixture.log()
                    .append(new byte[fixture.config.segmentBytes() - SegmentAppender.RESERVED_BYTES - 28], 0, null);
            fixture.log()
                    .append(new byte[fixture.config.segmentBytes() - SegmentAppender.RESERVED_BYTES - 28], 0, null);
            assertThat(fixture.log().nextSequence()).isEqualTo(2);
            assertThat(fixture.log().stats().segments()).isEqualTo(2);
        }
    }

    @Test
    void refusesABatchThatDoesNotBeginAtTheEnd() {
        try (LogFixture fixture = new LogFixture(directory)) {
            fixture.append(1, 2, 10);
            var batch = LogFixture.batch(1, 5, 1, 1, 1);

            assertThatThrownBy(() -> fixture.log().append(null, 1, batch))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("ends at 2");
            batch.release();
            assertThat(fixture.append(1, 1, 1)).isEqualTo(2);
        }
    }

    @Test
    void aLogThatFailedIsRecoveredAtTheNextStart() {
        try (LogFixture fixture = new LogFixture(directory)) {
            fixture.append(1, 2, 10);
            fixture.log().fail(new ClosedChannelException());

            fixture.reopen();

            assertThat(fixture.log().recovery().clean()).isFalse();
            assertThat(fixture.read(1, 0)).containsExactly("0+2");
            assertThat(fixture.log().writeState().writable()).isTrue();
        }
    }
}

package io.spillway.broker.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BatchCursorTest {
    private static final int PARTITION = 9;

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

    @Test
    void followsTheLog() {
        BatchCursor cursor = fixture.log().cursor(PARTITION);
        assertThat(cursor.seek(0)).isFalse();
        assertThat(cursor.next()).isFalse();

        fixture.append(PARTITION, 3, 10);
        fixture.append(PARTITION, 2, 10);

        assertThat(cursor.next()).isTrue();
        assertThat(cursor.baseOffset()).isZero();
        assertThat(cursor.next()).isTrue();
        assertThat(cursor.baseOffset()).isEqualTo(3);
        assertThat(cursor.next()).isFalse();
        assertThat(cursor.valid()).isFalse();
        assertThat(cursor.endOffset()).isEqualTo(5);
        fixture.append(PARTITION, 1, 10);
        assertThat(cursor.next()).isTrue();
        assertThat(cursor.baseOffset()).isEqualTo(5);
    }

    @Test
    void seeksToTheBatchThatContainsAnOffset() {
        for (int i = 0; i < 2000; i++) {
            fixture.append(PARTITION, 5, 100);
        }
        BatchCursor cursor = fixture.log().cursor(PARTITION);

        for (long offset = 0; offset < 10_000; offset += 37) {
            assertThat(cursor.seek(offset)).isTrue();
            assertThat(cursor.baseOffset()).isEqualTo(offset / 5 * 5);
            assertThat(cursor.endOffset()).isEqualTo(offset / 5 * 5 + 5);
            assertThat(cursor.recordCount()).isEqualTo(5);
        }
        assertThat(cursor.seek(10_000)).isFalse();
    }

    @Test
    void goesOnBehindWhatWasTrimmed() {
        for (int i = 0; i < 20; i++) {
            fixture.append(PARTITION, 5, 100);
        }
        BatchCursor cursor = fixture.log().cursor(PARTITION);
        cursor.seek(0);

        fixture.log().trim(PARTITION, 52);

        ByteBuf out = LogFixture.ALLOCATOR.directBuffer();
        assertThat(cursor.copyTo(out)).isFalse();
        out.release();
        assertThat(fixture.log().startOffset(PARTITION)).isEqualTo(52);
        assertThat(cursor.valid()).isTrue();
        assertThat(cursor.baseOffset()).isEqualTo(50);
        assertThat(fixture.log().stats().corruptBatches()).isZero();
    }

    @Test
    void readsOnWhileItsBatchesAreMovedAndTheirSegmentsDeleted() {
        for (int i = 0; i < 400; i++) {
            fixture.append(i % 20 == 0 ? PARTITION : 1, 4, 1000);
        }
        fixture.sync();
        BatchCursor cursor = fixture.log().cursor(PARTITION);
        cursor.seek(8);
        fixture.log().trim(1, fixture.log().endOffset(1));

        fixture.maintain();

        ByteBuf out = LogFixture.ALLOCATOR.directBuffer();
        assertThat(cursor.copyTo(out)).isTrue();
        assertThat(out.readableBytes()).isEqualTo(cursor.bytes());
        int batches = 1;
        while (cursor.next()) {
            assertThat(cursor.copyTo(out.clear())).isTrue();
            batches++;
        }
        out.release();
        assertThat(batches).isEqualTo(18);
        assertThat(fixture.log().stats().freedSegments()).isPositive();
    }
}

package io.spillway.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SegmentPagesTest {
    /** Of what the kernel counts as written by a thread: whole pieces of the page cache that it made dirty. */
    private static final Path WRITTEN = Path.of("/proc/thread-self/io");

    private static final int RECORDS = 200;
    private static final int MOST_BYTES_EACH = 32 << 10;

    @TempDir
    Path directory;

    @TempDir
    Path elsewhere;

    @Test
    void aSyncedRecordWritesFewPagesAlsoBehindLargeBatches() throws IOException {
        assumeThat(WRITTEN).isReadable();
        LogConfig config = LogConfig.defaults().withMinFreeBytes(0);
        try (LogFixture fixture = new LogFixture(directory, config)) {
            fixture.log();
            long before = writtenBytes();
            for (int i = 0; i < 400; i++) {
                fixture.append(1, 60, 1000);
                if (i % 8 == 7) {
                    fixture.sync();
                }
            }
            // a file system without a disk has no such count
            assumeThat(writtenBytes() - before).isPositive();
            // what was made for the next large batch is filled up
            for (int i = 0; i < 250; i++) {
                fixture.append(1, 1, 1000);
            }
            fixture.sync();

            long single = writtenBytes();
            for (int i = 0; i < RECORDS; i++) {
                fixture.append(1, 1, 1000);
                fixture.sync();
            }

            assertThat((writtenBytes() - single) / RECORDS).isLessThan(MOST_BYTES_EACH);
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4})
    void entriesOfAllSizesStayWhatTheyAre(long seed) throws IOException {
        Random random = new Random(seed);
        LogConfig config = LogConfig.defaults().withMinFreeBytes(0).withSegmentBytes(4 << 20);
        List<String> appended = new ArrayList<>();
        try (LogFixture fixture = new LogFixture(directory, config)) {
            for (int i = 0; i < 400; i++) {
                int records = 1 + random.nextInt(1 << random.nextInt(8));
                int bytes = random.nextInt(1 << (1 + random.nextInt(12)));
                appended.add(fixture.append(1, records, bytes) + "+" + records);
                if (random.nextInt(10) == 0) {
                    fixture.sync();
                }
            }

            assertThat(fixture.read(1, 0)).isEqualTo(appended);
            // what was killed is scanned from entry to entry
            try (LogFixture scanned = fixture.killed(elsewhere)) {
                assertThat(scanned.log().recovery().problems()).isEmpty();
                assertThat(scanned.read(1, 0)).isEqualTo(appended);
            }
        }
    }

    private static long writtenBytes() throws IOException {
        return Files.readAllLines(WRITTEN).stream()
                .filter(line -> line.startsWith("write_bytes: "))
                .mapToLong(line -> Long.parseLong(line.substring("write_bytes: ".length())))
                .findFirst()
                .orElseThrow();
    }
}

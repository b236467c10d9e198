package io.spillway.broker.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Closed segments are read against their checksums, and a log is replaced without anything being lost. */
class LogCheckTest {
    private static final long SEED = Long.getLong("spillway.seed", System.nanoTime());

    @TempDir
    Path root;

    private Path log;

    @BeforeEach
    void fill() {
        log = root.resolve("shard-0");
        LogFixture fixture = new LogFixture(log);
        for (int i = 0; i < 400; i++) {
            fixture.append(3, 4, 1000);
        }
        fixture.sync();
        fixture.close();
    }

    private List<LogProblem> check() throws IOException {
        return LogCheck.closedSegments(log, bytes -> {});
    }

    @Test
    void aWholeLogHasNoProblem() throws IOException {
        assertThat(check()).isEmpty();
    }

    @Test
    void aBitThatFlippedInAnEntryIsFound() throws IOException {
        SplittableRandom random = new SplittableRandom(SEED);
        List<Path> segments = List.copyOf(new LogFiles(log).closedSegments().values());
        for (int round = 0; round < 50; round++) {
            int number = random.nextInt(segments.size());
            Path segment = segments.get(number);
            SegmentFooter footer =
                    SegmentFooter.read(new LogFiles(log).footer(LogFiles.number(segment, LogFiles.SEGMENT_SUFFIX)));
            // Behind Chronicle's own header, and before the end of the entries.
            long at = footer.usedBytes() / 2 + random.nextLong(footer.usedBytes() / 2 - 16);
            flip(segment, at);

            assertThat(check()).as("seed %d, byte %d of %s", SEED, at, segment).isNotEmpty();
            flip(segment, at);
        }
        assertThat(check()).isEmpty();
    }

    @Test
    void aSegmentThatIsTooShortIsFound() throws IOException {
        Path segment = new LogFiles(log).closedSegments().firstEntry().getValue();
        try (RandomAccessFile file = new RandomAccessFile(segment.toFile(), "rw")) {
            file.setLength(file.length() / 2);
        }

        assertThat(check()).extracting(LogProblem::kind).contains(LogProblem.Kind.TRUNCATED_SEGMENT);
    }

    @Test
    void aDamagedLogIsKeptWhenAnotherTakesItsPlace() throws IOException {
        Quarantine quarantine = new Quarantine(root.resolve("quarantine"));
        LogReplacement replacement = new LogReplacement(log);
        Files.createDirectories(replacement.incoming());
        Files.writeString(replacement.incoming().resolve("new"), "from the leader");
        replacement.complete(quarantine, "CORRUPT_BATCH", 0);

        assertThat(replacement.exchange()).isTrue();

        assertThat(log.resolve("new")).exists();
        assertThat(replacement.isInstalled()).isTrue();
        assertThat(quarantine.entries())
                .singleElement()
                .satisfies(kept -> assertThat(kept.getFileName().toString()).endsWith("-corrupt-batch"))
                .satisfies(kept -> assertThat(kept.resolve("shard-0/segments")).isDirectory());
        assertThat(replacement.exchange()).isFalse();
        replacement.settle();
        assertThat(replacement.isInstalled()).isFalse();
    }

    private static void flip(Path file, long at) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(at);
            int old = bytes.read();
            bytes.seek(at);
            bytes.write(old ^ 0x10);
        }
    }
}

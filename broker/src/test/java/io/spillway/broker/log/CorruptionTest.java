package io.spillway.broker.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Damage is found and reported, its bytes are never served, and everything else goes on. */
class CorruptionTest {
    private static final int PARTITION = 3;
    private static final int BATCHES = 400;
    private static final int PAGE = 4096;

    @TempDir
    Path root;

    private Path shard;
    private LogFixture fixture;
    private final List<String> appended = new ArrayList<>();
    private final List<LogDumper.Entry> entries = new ArrayList<>();

    @BeforeEach
    void fillAndClose() {
        try (DataDirectory data = DataDirectory.open(root.resolve("data"), "node-1", 1)) {
            shard = data.shard(0);
            fixture = new LogFixture(shard);
            for (int i = 0; i < BATCHES; i++) {
                appended.add(fixture.append(PARTITION, 4, 1000) + "+4");
                if (i % 20 == 0) {
                    fixture.sync();
                }
            }
            fixture.close();
        }
        LogDumper.dump(root.resolve("data"), entries::add);
        assertThat(entries).hasSize(BATCHES);
        assertThat(fixture.segmentFiles()).hasSizeGreaterThan(5);
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    private VerifyReport verify() {
        return LogVerifier.verify(root.resolve("data"));
    }

    private List<LogProblem.Kind> foundBy(VerifyReport report) {
        return report.findings().stream()
                .map(finding -> finding.problem().kind())
                .toList();
    }

    private List<LogProblem.Kind> foundByRecovery() {
        return fixture.log().recovery().problems().stream()
                .map(LogProblem::kind)
                .toList();
    }

    /** Reads all, expects everything but these batches, and that offsets go on where they were. */
    private void expectAllBut(int fromBatch, int toBatch) {
        List<String> expected = new ArrayList<>(appended.subList(0, fromBatch));
        expected.addAll(appended.subList(toBatch, BATCHES));
        assertThat(fixture.read(PARTITION, 0)).isEqualTo(expected);
        assertThat(fixture.append(PARTITION, 1, 10)).isEqualTo(BATCHES * 4L);
        assertThat(fixture.read(PARTITION, BATCHES * 4L)).containsExactly(BATCHES * 4L + "+1");
    }

    private Path file(int segment) {
        return new LogFiles(shard).segment(segment);
    }

    private int entriesBefore(int segment) {
        return (int) entries.stream().filter(entry -> entry.segment() < segment).count();
    }

    @Test
    void findsNothingInAHealthyLog() {
        VerifyReport report = verify();

        assertThat(report.findings()).isEmpty();
        assertThat(report.ok()).isTrue();
        assertThat(report.records()).isEqualTo(BATCHES * 4L);
        expectAllBut(0, 0);
    }

    @Test
    void skipsABatchWithAFlippedBit() {
        LogDumper.Entry victim = entries.get(50);
        Harm.flip(file(victim.segment()), victim.position() + 2000);

        assertThat(foundBy(verify())).containsExactly(LogProblem.Kind.CORRUPT_BATCH);
        expectAllBut(50, 51);
        fixture.read(PARTITION, 0);
        assertThat(fixture.log().stats().corruptBatches()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {-4, -3, 0, 4, 8, 13, 16, 20, 28, 30, 45})
    void skipsAnEntryWithAFlippedBitInItsHeaders(int at) {
        LogDumper.Entry victim = entries.get(50);
        Harm.flip(file(victim.segment()), victim.position() + at);

        assertThat(foundBy(verify())).containsExactly(LogProblem.Kind.DAMAGED_RANGE);
        if (at >= 0) {
            expectAllBut(50, 51);
        } else {
            // Chronicle's length word is not needed to read by position
            expectAllBut(0, 0);
        }
    }

    @Test
    void skipsWhatAZeroedPageHeld() {
        LogDumper.Entry victim = entries.get(60);
        long page = (victim.position() + PAGE) / PAGE * PAGE;
        Harm.zero(file(victim.segment()), page, PAGE);

        VerifyReport report = verify();

        assertThat(report.ok()).isFalse();
        expectAllBut(60, page + PAGE > entries.get(61).position() - 4 ? 62 : 61);
    }

    @Test
    void readsTheOtherSegmentsWhenTheFirstPagesOfOneAreZeroed() {
        int segment = 3;
        int first = entriesBefore(segment);
        Harm.zero(file(segment), 0, 4 * PAGE);
        Harm.delete(new LogFiles(shard).footer(segment));

        assertThat(foundBy(verify())).contains(LogProblem.Kind.DAMAGED_RANGE, LogProblem.Kind.BAD_FOOTER);
        int lost = (int) entries.stream()
                .filter(entry -> entry.segment() == segment && entry.position() < 4 * PAGE)
                .count();
        assertThat(lost).isPositive();
        expectAllBut(first, first + lost);
        assertThat(foundByRecovery()).contains(LogProblem.Kind.BAD_FOOTER, LogProblem.Kind.DAMAGED_RANGE);
    }

    @Test
    void keepsTheRestOfATruncatedSegment() {
        int segment = 4;
        LogDumper.Entry victim = entries.get(entriesBefore(segment) + 10);
        Harm.truncate(file(segment), victim.position() + 100);

        assertThat(foundBy(verify())).contains(LogProblem.Kind.TRUNCATED_SEGMENT);
        expectAllBut(entriesBefore(segment) + 10, entriesBefore(segment + 1));
        assertThat(foundByRecovery()).containsExactly(LogProblem.Kind.TRUNCATED_SEGMENT);
    }

    @Test
    void goesOnWithoutADeletedSegment() {
        int segment = 2;
        Harm.delete(file(segment));

        assertThat(foundBy(verify())).containsExactly(LogProblem.Kind.MISSING_SEGMENT);
        expectAllBut(entriesBefore(segment), entriesBefore(segment + 1));
        assertThat(foundByRecovery()).containsExactly(LogProblem.Kind.MISSING_SEGMENT);
    }

    @Test
    void neverGivesTheOffsetsOfADeletedLastSegmentAgain() {
        int segment = entries.get(BATCHES - 1).segment();
        Harm.delete(file(segment));

        expectAllBut(entriesBefore(segment), BATCHES);
        assertThat(fixture.log().nextSequence()).isEqualTo(BATCHES + 1);
    }

    @Test
    void setsAnEmptySegmentAside() {
        int segment = 2;
        Harm.truncate(file(segment), 0);

        assertThat(foundBy(verify())).contains(LogProblem.Kind.EMPTY_SEGMENT);
        expectAllBut(entriesBefore(segment), entriesBefore(segment + 1));
        assertThat(foundByRecovery()).containsExactly(LogProblem.Kind.EMPTY_SEGMENT);
        assertThat(file(segment).resolveSibling("0000000002.cq4.corrupt")).exists();
        assertThat(fixture.reopen().recovery().problems()).isEmpty();
    }

    @Test
    void setsASegmentOfGarbageAside() {
        int segment = 2;
        byte[] garbage = new byte[(int) Harm.size(file(segment))];
        new Random(1).nextBytes(garbage);
        Harm.write(file(segment), 0, garbage);
        Harm.delete(new LogFiles(shard).footer(segment));

        expectAllBut(entriesBefore(segment), entriesBefore(segment + 1));
        assertThat(foundByRecovery()).containsExactly(LogProblem.Kind.BAD_FOOTER, LogProblem.Kind.UNREADABLE_FILE);
    }

    @Test
    void rebuildsADamagedFooter() {
        Harm.flip(new LogFiles(shard).footer(3), 50);

        assertThat(foundBy(verify())).containsExactly(LogProblem.Kind.BAD_FOOTER);
        expectAllBut(0, 0);
        assertThat(foundByRecovery()).containsExactly(LogProblem.Kind.BAD_FOOTER);
        assertThat(fixture.reopen().recovery().problems()).isEmpty();
    }

    @Test
    void readsASegmentWhoseFooterHasADamagedTable() {
        Path footer = new LogFiles(shard).footer(3);
        Harm.flip(footer, Harm.size(footer) - 100);

        assertThat(foundBy(verify())).containsExactly(LogProblem.Kind.BAD_FOOTER);
        expectAllBut(0, 0);
    }

    @Test
    void readsWhatIsLeftWhenFooterTableAndSegmentAreDamaged() {
        int segment = 3;
        int first = entriesBefore(segment);
        Path footer = new LogFiles(shard).footer(segment);
        Harm.flip(footer, Harm.size(footer) - 100);
        Harm.zero(file(segment), entries.get(first + 5).position() - 4, 200);
        Harm.flip(file(segment), entries.get(first + 8).position() + 500);

        List<String> expected = new ArrayList<>(appended);
        expected.remove(first + 8);
        expected.remove(first + 5);
        assertThat(fixture.read(PARTITION, 0)).isEqualTo(expected);
        assertThat(fixture.read(PARTITION, (first + 5) * 4L + 1)).isEqualTo(expected.subList(first + 5, BATCHES - 2));
    }

    @Test
    void rebuildsADamagedManifest() {
        Harm.flip(new LogFiles(shard).manifest(), 20);

        assertThat(foundBy(verify())).containsExactly(LogProblem.Kind.BAD_MANIFEST);
        expectAllBut(0, 0);
        assertThat(foundByRecovery()).containsExactly(LogProblem.Kind.BAD_MANIFEST);
    }

    @Test
    void rebuildsFootersAndManifestThatAreGone() {
        Harm.delete(new LogFiles(shard).manifest());
        for (int segment = 1; Files.exists(new LogFiles(shard).footer(segment)); segment++) {
            Harm.delete(new LogFiles(shard).footer(segment));
        }

        expectAllBut(0, 0);
        assertThat(foundByRecovery()).startsWith(LogProblem.Kind.BAD_MANIFEST);
    }

    @Test
    void startsWhenChroniclesOwnFileIsGarbage() {
        Path metadata = shard.resolve("active").resolve("metadata.cq4t");
        byte[] garbage = new byte[PAGE];
        new Random(2).nextBytes(garbage);
        try {
            Files.write(metadata, garbage);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }

        expectAllBut(0, 0);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void survivesAnyDamage(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 1 + random.nextInt(4); i++) {
            harmSomething(random);
        }

        verify();
        List<String> read = fixture.read(PARTITION, 0);
        assertThat(appended).as("seed %d", seed).containsAll(read);
        long end = fixture.log().endOffset(PARTITION);
        assertThat(fixture.append(PARTITION, 2, 10)).isEqualTo(end);
        fixture.reopen();
        assertThat(fixture.read(PARTITION, end)).as("seed %d", seed).containsExactly(end + "+2");
        fixture.close();
        assertThat(foundBy(verify())).as("seed %d", seed).doesNotContain(LogProblem.Kind.MISSING_SEGMENT);
    }

    private void harmSomething(Random random) {
        List<Path> files = new ArrayList<>(LogFixtureFiles.all(shard));
        Path file = files.get(random.nextInt(files.size()));
        long size = Harm.size(file);
        switch (random.nextInt(size == 0 ? 1 : 5)) {
            case 0 -> Harm.delete(file);
            case 1 -> Harm.truncate(file, random.nextLong(size));
            case 2 -> Harm.flip(file, random.nextLong(size));
            case 3 -> Harm.zero(file, random.nextLong(size), 1 + random.nextInt(3 * PAGE));
            default -> {
                byte[] noise = new byte[1 + random.nextInt(2 * PAGE)];
                random.nextBytes(noise);
                Harm.write(file, random.nextLong(size), noise);
            }
        }
    }
}

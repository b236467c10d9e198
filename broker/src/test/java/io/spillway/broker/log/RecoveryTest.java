package io.spillway.broker.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.wire.DocumentContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a process that died leaves behind, at each place where it can die. */
class RecoveryTest {
    private static final int PARTITION = 1;

    @TempDir
    Path root;

    private List<LogProblem.Kind> problems(LogFixture fixture) {
        return fixture.log().recovery().problems().stream()
                .map(LogProblem::kind)
                .toList();
    }

    private LogFixture filled(int batches) {
        LogFixture fixture = new LogFixture(root.resolve("log"));
        for (int i = 0; i < batches; i++) {
            fixture.append(PARTITION, 4, 1000);
        }
        return fixture;
    }

    @Test
    void opensAnEmptyDirectory() {
        try (LogFixture fixture = new LogFixture(root.resolve("new"))) {
            assertThat(fixture.log().recovery().clean()).isTrue();
            assertThat(fixture.log().recovery().problems()).isEmpty();
            assertThat(fixture.log().nextSequence()).isZero();
        }
    }

    @Test
    void leavesNoFilesWhenNothingWasEverAppended() {
        try (LogFixture fixture = new LogFixture(root.resolve("new"))) {
            for (int i = 0; i < 3; i++) {
                fixture.reopen();
            }
        }

        assertThat(new LogFixture(root.resolve("new")).segmentFiles()).isEmpty();
    }

    @Test
    void startsThoughALockWasLeftByAProcessOfTheSameId() throws IOException {
        Path shard = root.resolve("log");
        try (LogFixture fixture = new LogFixture(shard)) {
            fixture.append(PARTITION, 1, 10);
        }
        Path active = Files.createDirectories(shard.resolve("active"));
        SingleChronicleQueueBuilder builder = SingleChronicleQueueBuilder.single(active.toFile())
                .rollCycle(new SegmentCycle())
                .blockSize(1 << 20)
                .timeProvider(() -> 2000);
        try (SingleChronicleQueue queue = builder.build();
                ExcerptAppender appender = queue.createAppender()) {
            DocumentContext open = appender.writingDocument();
            open.wire().bytes().write(new byte[100]);
            LogFixture.copyTree(shard, root.resolve("killed"));
            open.rollbackOnClose();
            open.close();
        }

        try (LogFixture after = new LogFixture(root.resolve("killed"))) {
            assertThat(after.append(PARTITION, 1, 10)).isEqualTo(1);
            assertThat(after.read(PARTITION, 0)).containsExactly("0+1", "1+1");
        }
    }

    @Test
    void reportsAnEntryThatWasNotComplete() throws IOException {
        try (LogFixture fixture = filled(10)) {
            Path killed = root.resolve("killed");
            LogFixture.copyTree(fixture.directory, killed);
            Path active = new LogFixture(killed).segmentFiles().get(0);
            LogDumper.Entry last = lastEntry(fixture);
            Harm.write(active, last.position() + last.batchBytes() + 28 + 8, new byte[] {1, 2, 3});
            Harm.write(active, last.position() + last.batchBytes() + 28 + 70, new byte[] {4, 5, 6});

            try (LogFixture after = new LogFixture(killed)) {
                assertThat(problems(after)).containsExactly(LogProblem.Kind.TORN_TAIL);
                assertThat(after.log().recovery().tornBytes()).isPositive();
                assertThat(after.read(PARTITION, 0)).hasSize(10);
            }
        }
    }

    private LogDumper.Entry lastEntry(LogFixture fixture) throws IOException {
        Path data = root.resolve("data");
        DataDirectory.open(data, "", 1).close();
        LogFixture.deleteTree(data.resolve("shard-0"));
        LogFixture.copyTree(fixture.directory, data.resolve("shard-0"));
        List<LogDumper.Entry> entries = new ArrayList<>();
        LogDumper.dump(data, entries::add);
        return entries.get(entries.size() - 1);
    }

    @Test
    void keepsWhatFollowsDamageAmongSyncedEntries() throws IOException {
        try (LogFixture fixture = filled(40)) {
            fixture.sync();
            LogDumper.Entry last = lastEntry(fixture);
            Path killed = root.resolve("killed");
            LogFixture.copyTree(fixture.directory, killed);
            Harm.flip(new LogFixture(killed).segmentFiles().get(0), last.position() / 2);

            try (LogFixture after = new LogFixture(killed)) {
                assertThat(problems(after)).hasSize(1).doesNotContain(LogProblem.Kind.TORN_TAIL);
                assertThat(after.read(PARTITION, 0)).hasSize(39);
                assertThat(after.append(PARTITION, 1, 1)).isEqualTo(160);
            }
        }
    }

    @Test
    void cutsDamageBehindTheSyncedEntriesAndKeepsItsBytes() throws IOException {
        try (LogFixture fixture = filled(20)) {
            fixture.sync();
            LogDumper.Entry lastSynced = lastEntry(fixture);
            for (int i = 0; i < 10; i++) {
                fixture.append(PARTITION, 4, 1000);
            }
            Path killed = root.resolve("killed");
            LogFixture.copyTree(fixture.directory, killed);
            long inTheNext = lastSynced.position() + 28 + lastSynced.batchBytes() + 1000;
            Harm.flip(new LogFixture(killed).segmentFiles().get(0), inTheNext);

            try (LogFixture after = new LogFixture(killed)) {
                assertThat(problems(after)).containsExactly(LogProblem.Kind.TORN_TAIL);
                assertThat(after.read(PARTITION, 0)).hasSize(20);
                assertThat(after.log().endOffset(PARTITION)).isEqualTo(80);
                assertThat(after.log().nextSequence()).isEqualTo(20);
                assertThat(killed.resolve("segments/0000000001.tail.corrupt")).exists();
            }
        }
    }

    @Test
    void findsThatSyncedEntriesAreGone() {
        try (LogFixture fixture = filled(20)) {
            fixture.sync();
            Path killed = root.resolve("killed");
            LogFixture.copyTree(fixture.directory, killed);
            Harm.delete(new LogFixture(killed).segmentFiles().get(0));

            try (LogFixture after = new LogFixture(killed)) {
                assertThat(problems(after)).containsExactly(LogProblem.Kind.LOST_TAIL);
                assertThat(after.log().nextSequence()).isEqualTo(20);
            }
        }
    }

    @Test
    void takesSegmentsThatWereClosedAfterTheLastManifest() throws IOException {
        try (LogFixture fixture = filled(1)) {
            Path early = root.resolve("manifest");
            Files.copy(fixture.directory.resolve("manifest"), early);
            for (int i = 0; i < 300; i++) {
                fixture.append(PARTITION, 4, 1000);
            }
            fixture.sync();
            Path killed = root.resolve("killed");
            LogFixture.copyTree(fixture.directory, killed);
            Files.copy(early, killed.resolve("manifest"), StandardCopyOption.REPLACE_EXISTING);
            Harm.delete(new LogFiles(killed).footer(2));

            try (LogFixture after = new LogFixture(killed)) {
                assertThat(problems(after)).isEmpty();
                assertThat(after.read(PARTITION, 0)).hasSize(301);
            }
        }
    }

    @Test
    void deletesWhatWasGivenUpBeforeTheProcessDied() throws IOException {
        try (LogFixture fixture = filled(300)) {
            fixture.sync();
            Path segment = new LogFiles(fixture.directory).segment(1);
            Path kept = Files.copy(segment, root.resolve("kept"));
            fixture.log().trim(PARTITION, fixture.log().endOffset(PARTITION));
            fixture.maintain();
            fixture.clock.advance(2000);
            fixture.maintain();
            assertThat(segment).doesNotExist();
            Path killed = root.resolve("killed");
            LogFixture.copyTree(fixture.directory, killed);
            Files.copy(kept, new LogFiles(killed).segment(1));

            try (LogFixture after = new LogFixture(killed)) {
                assertThat(problems(after)).isEmpty();
                assertThat(new LogFiles(killed).segment(1)).doesNotExist();
                assertThat(after.log().endOffset(PARTITION)).isEqualTo(1200);
            }
        }
    }
}

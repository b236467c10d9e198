package io.spillway.broker.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a power cut leaves: the state of the last force, and of everything written since then any set of pages, in any
 * order. Nothing synced may be lost, nothing half written may be served, and offsets stay dense.
 */
class PowerCutTest {
    private static final int PAGE = 4096;

    @TempDir
    Path root;

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
    void losesNothingThatWasSynced(long seed) throws IOException {
        Random random = new Random(seed);
        Path synced = root.resolve("synced");
        Path now = root.resolve("now");
        Map<Integer, List<String>> certain = new HashMap<>();
        try (LogFixture fixture = new LogFixture(root.resolve("log"))) {
            int rounds = 1 + random.nextInt(12);
            for (int round = 0; round < rounds; round++) {
                appendSome(fixture, random);
                fixture.sync();
            }
            for (int partition = 1; partition <= 3; partition++) {
                certain.put(partition, fixture.read(partition, 0));
            }
            LogFixture.copyTree(fixture.directory, synced);
            appendSome(fixture, random);
            LogFixture.copyTree(fixture.directory, now);
        }
        mixPages(synced, now, random);

        try (LogFixture after = new LogFixture(now)) {
            for (int partition = 1; partition <= 3; partition++) {
                List<String> read = after.read(partition, 0);
                assertThat(read)
                        .as("seed %d", seed)
                        .startsWith(certain.getOrDefault(partition, List.of()).toArray(String[]::new));
                assertDense(read, after.log().endOffset(partition), seed);
            }
            assertThat(after.log().recovery().problems())
                    .as("seed %d", seed)
                    .allMatch(problem -> problem.kind() == LogProblem.Kind.TORN_TAIL);
            long end = after.log().endOffset(1);
            assertThat(after.append(1, 3, 100)).isEqualTo(end);
            after.reopen();
            assertThat(after.read(1, end)).as("seed %d", seed).containsExactly(end + "+3");
        }
    }

    private static void appendSome(LogFixture fixture, Random random) {
        int batches = random.nextInt(120);
        for (int i = 0; i < batches; i++) {
            fixture.append(1 + random.nextInt(3), 1 + random.nextInt(8), random.nextInt(1500));
        }
    }

    private static void assertDense(List<String> batches, long endOffset, long seed) {
        long next = 0;
        for (String batch : batches) {
            String[] parts = batch.split("\\+", -1);
            assertThat(Long.parseLong(parts[0])).as("seed %d", seed).isEqualTo(next);
            next += Long.parseLong(parts[1]);
        }
        assertThat(endOffset).as("seed %d", seed).isEqualTo(next);
    }

    /** Puts back into each file of {@code now} some of the pages it had when everything was synced. */
    private static void mixPages(Path synced, Path now, Random random) throws IOException {
        double kept = random.nextDouble();
        for (Path file : LogFixtureFiles.all(now.resolve("active"))) {
            Path old = synced.resolve("active").resolve(file.getFileName());
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                List<Long> pages = new ArrayList<>();
                for (long at = 0; at < channel.size(); at += PAGE) {
                    if (random.nextDouble() > kept) {
                        pages.add(at);
                    }
                }
                for (long at : pages) {
                    channel.write(page(old, at, (int) Math.min(PAGE, channel.size() - at)), at);
                }
            }
        }
    }

    private static ByteBuffer page(Path old, long at, int bytes) throws IOException {
        ByteBuffer page = ByteBuffer.allocate(bytes);
        if (Files.exists(old)) {
            try (FileChannel channel = FileChannel.open(old, StandardOpenOption.READ)) {
                channel.read(page, at);
            }
        }
        return page.clear();
    }
}

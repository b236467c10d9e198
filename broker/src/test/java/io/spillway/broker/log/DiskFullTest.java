package io.spillway.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The log on file systems that are really full, and on one that only says so. */
class DiskFullTest {
    private static final int PARTITION = 1;
    private static final int SEGMENT = 256 << 10;
    private static final int MIB = 1 << 20;

    @TempDir
    Path root;

    private final LogConfig config = LogFixture.SMALL.withMinFreeBytes(4 * MIB);
    private boolean mounted;

    @AfterEach
    void unmount() throws Exception {
        if (mounted) {
            run("umount", root.resolve("small").toString());
        }
    }

    private static int run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getInputStream().readAllBytes();
        if (!process.waitFor(20, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            return -1;
        }
        return process.exitValue();
    }

    private Path mountTmpfs(int mebibytes) throws Exception {
        Path point = Files.createDirectory(root.resolve("small"));
        int result = run("mount", "-t", "tmpfs", "-o", "size=" + mebibytes + "m", "spillway-test", point.toString());
        mounted = result == 0;
        assumeTrue(mounted, "mounting a file system needs root; the full disk is not tested here");
        return point;
    }

    private Path mountExt4(int mebibytes) throws Exception {
        Path image = root.resolve("image");
        Path point = Files.createDirectory(root.resolve("small"));
        boolean made = run("truncate", "-s", mebibytes + "M", image.toString()) == 0
                && run("mkfs.ext4", "-q", "-m", "0", image.toString()) == 0;
        mounted = made && run("mount", "-o", "loop", image.toString(), point.toString()) == 0;
        assumeTrue(mounted, "mounting a loop device needs root; the full ext4 disk is not tested here");
        return point;
    }

    /** Appends batches until the log refuses one; returns how many it took. */
    private static int fill(LogFixture fixture) {
        for (int i = 0; ; i++) {
            try {
                fixture.append(PARTITION, 4, 1000);
                if (i % 50 == 0) {
                    fixture.sync();
                }
                fixture.clock.advance(100);
                fixture.log().maintain(fixture.clock.nowMs(), 0);
            } catch (SpillwayException e) {
                assertThat(e.code()).isEqualTo(Code.READ_ONLY);
                return i;
            }
        }
    }

    /** Leaves not one byte. */
    private static void fillTheRest(Path directory) throws IOException {
        Path ballast = directory.resolve("ballast");
        byte[] piece = new byte[MIB];
        try (var out = Files.newOutputStream(ballast)) {
            for (int size = piece.length; size > 0; ) {
                try {
                    out.write(piece, 0, size);
                } catch (IOException e) {
                    size /= 2;
                }
            }
        }
    }

    private void goesReadOnlyAndComesBack(Path point) throws IOException {
        try (LogFixture fixture = new LogFixture(point.resolve("shard"), config)) {
            int taken = fill(fixture);

            FileStore disk = Files.getFileStore(point);
            assertThat(disk.getUsableSpace()).isBetween(3L * MIB, 5L * MIB);
            assertThat(fixture.log().writeState().mode()).isEqualTo(WriteState.Mode.READ_ONLY);
            assertThat(fixture.log().writeState().why()).contains("bytes left");
            fillTheRest(point);
            appendStateUntilRefused(fixture);
            fixture.sync();
            assertThat(fixture.read(PARTITION, 0)).hasSize(taken);

            Files.delete(point.resolve("ballast"));
            fixture.log().trim(PARTITION, fixture.log().endOffset(PARTITION));
            fixture.clock.advance(2000);
            fixture.maintain();
            fixture.clock.advance(2000);
            fixture.maintain();
            assertThat(fixture.log().writeState().writable()).isTrue();
            assertThat(fixture.append(PARTITION, 1, 1)).isEqualTo(taken * 4L);
            fixture.reopen();
            assertThat(fixture.log().recovery().problems()).isEmpty();
            assertThat(fixture.read(PARTITION, taken * 4L)).containsExactly(taken * 4L + "+1");
        }
    }

    private static void appendStateUntilRefused(LogFixture fixture) {
        byte[] state = new byte[1000];
        assertThatThrownBy(() -> {
                    for (int i = 0; i < 100_000; i++) {
                        fixture.log().append(state, 0, null);
                    }
                })
                .isInstanceOfSatisfying(
                        SpillwayException.class, e -> assertThat(e.code()).isEqualTo(Code.READ_ONLY));
        assertThat(fixture.log().writeState().mode()).isEqualTo(WriteState.Mode.RESERVE);
    }

    @Test
    void goesReadOnlyBeforeATmpfsIsFullAndComesBack() throws Exception {
        goesReadOnlyAndComesBack(mountTmpfs(24));
    }

    @Test
    void goesReadOnlyBeforeAnExt4IsFullAndComesBack() throws Exception {
        goesReadOnlyAndComesBack(mountExt4(48));
    }

    @Test
    void opensAndReadsOnAFullDisk() throws Exception {
        Path point = mountTmpfs(24);
        int taken;
        try (LogFixture fixture = new LogFixture(point.resolve("shard"), config)) {
            taken = fill(fixture);
        }
        fillTheRest(point);

        try (LogFixture fixture = new LogFixture(point.resolve("shard"), config)) {
            assertThat(fixture.log().writeState().mode()).isEqualTo(WriteState.Mode.RESERVE);
            assertThat(fixture.read(PARTITION, 0)).hasSize(taken);
            assertThatThrownBy(() -> fixture.append(PARTITION, 1, 1)).isInstanceOf(SpillwayException.class);
        }
    }

    @Test
    void entriesOfStateGoOnInTheReserve() throws IOException {
        long[] free = {100L * MIB};
        FakeClock clock = new FakeClock();
        Path shard = root.resolve("shard");
        try (ShardLog log = openWith(shard, clock, () -> free[0])) {
            free[0] = 4 * MIB - 1;
            clock.advance(1000);
            log.maintain(clock.nowMs(), 0);

            ByteBuf batch = LogFixture.batch(PARTITION, 0, 1, 1, 1);
            assertThatThrownBy(() -> log.append(null, PARTITION, batch))
                    .isInstanceOfSatisfying(SpillwayException.class, e -> {
                        assertThat(e.code()).isEqualTo(Code.READ_ONLY);
                        assertThat(e.retryAfterMs()).isPositive();
                    });
            for (int i = 0; i < 3 * SEGMENT / 1000; i++) {
                log.append(new byte[1000], 0, null);
            }
            free[0] = 100L * MIB;
            clock.advance(1000);
            log.maintain(clock.nowMs(), 0);
            log.append(null, PARTITION, batch);
            batch.release();
            assertThat(log.endOffset(PARTITION)).isEqualTo(1);
        }
    }

    private ShardLog openWith(Path shard, FakeClock clock, DiskSpace disk) throws IOException {
        LogFiles files = new LogFiles(shard);
        Files.createDirectories(files.active());
        Files.createDirectories(files.segments());
        Files.createDirectories(files.snapshots());
        return ShardLog.open(files, config, clock, disk);
    }
}

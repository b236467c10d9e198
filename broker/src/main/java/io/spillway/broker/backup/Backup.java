package io.spillway.broker.backup;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.log.DataDirectory;
import io.spillway.broker.log.LogCheck;
import io.spillway.broker.log.LogConfig;
import io.spillway.broker.log.LogCopy;
import io.spillway.broker.log.LogProblem;
import io.spillway.broker.log.ShardLog;
import io.spillway.broker.log.SyncPoint;
import io.spillway.broker.shard.Independence;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Copies a data directory to a new one, which a broker can be started on. A broker may have it open meanwhile, and is neither
 * asked nor held up. What was acked before the copy began is in it; of what came later some is, and never half of an entry. A
 * shard is copied as it is at one moment, and shard 0, which knows the topics, after the others, so that none of them has a
 * topic that is not known.
 *
 * <p>What is of a cluster stays behind: the copy of one node is a broker that stands alone, or the first node of a new cluster.
 * It comes to be as {@code TO.partial}, and has its name only when it is whole, checked and on the disk. Used once.
 */
public final class Backup {
    private static final String PARTIAL = ".partial";
    private static final String NOTE = "BACKUP";
    /** Of the one segment that is written when the copy is opened. */
    private static final int SEGMENT_BYTES = 2 << 20;

    private final DataDirectory.Shape from;
    private final Path to;
    private final Path partial;
    private final Clock clock;
    private final Pacing pacing;

    /**
     * What was copied.
     *
     * @param beganMs everything acked before this time is in it, in ms since 1970
     * @param entries how many each shard's log has had, the next one's sequence
     * @param problems what is damaged in it, because it is where it came from
     */
    public record Report(
            String nodeId,
            long beganMs,
            long tookMs,
            int files,
            long bytes,
            List<Long> entries,
            List<LogProblem> problems) {
        public Report {
            entries = List.copyOf(entries);
            problems = List.copyOf(problems);
        }
    }

    private Backup(DataDirectory.Shape from, Path to, Clock clock, Pacing pacing) {
        this.from = from;
        this.to = to;
        this.clock = clock;
        this.pacing = pacing;
        partial = to.resolveSibling(to.getFileName() + PARTIAL);
    }

    /**
     * Copies it.
     *
     * @param from a data directory, open or not
     * @param to is not there yet; what an earlier try left of it is deleted
     * @param bytesPerSecond 0 = as fast as the disk
     * @throws SpillwayException INVALID_ARGUMENT when one of them cannot be meant, STORAGE_ERROR when it cannot be read or written
     */
    public static Report write(Path from, Path to, long bytesPerSecond, Clock clock) {
        Path target = to.toAbsolutePath().normalize();
        DataDirectory.Shape shape = DataDirectory.shape(from);
        if (Files.exists(target) || target.getFileName() == null) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "no backup is written to " + target,
                    "it is there already",
                    "name a directory that is not there");
        }
        if (target.startsWith(shape.root())) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "no backup is written to " + target,
                    "that is in the data directory itself",
                    "name a directory elsewhere, best on another disk");
        }
        Backup backup = new Backup(shape, target, clock, new Pacing(bytesPerSecond, clock));
        try {
            return backup.run();
        } catch (IOException | UncheckedIOException e) {
            throw new SpillwayException(
                    Code.STORAGE_ERROR,
                    "the backup of " + shape.root() + " did not come to its end",
                    e.toString(),
                    "correct that and run it again; if the broker was restarted meanwhile, just run it again",
                    0,
                    e);
        } finally {
            backup.deleteUnfinished();
        }
    }

    private Report run() throws IOException {
        deleteUnfinished();
        Files.createDirectories(partial);
        long beganMs = clock.nowMs();
        long startNs = clock.nanoTime();
        List<LogCopy> copies = new ArrayList<>();
        try {
            for (int shard = from.shards() - 1; shard >= 0; shard--) {
                LogCopy copy = LogCopy.begin(
                        from.shard(shard), partial.resolve(from.shard(shard).getFileName()));
                copies.add(copy);
                copy.copyActive(pacing);
            }
            for (LogCopy copy : copies) {
                copy.copyRest(pacing);
            }
        } finally {
            for (LogCopy copy : copies) {
                copy.close();
            }
        }
        Files.copy(from.meta(), partial.resolve(from.meta().getFileName()));
        List<LogProblem> problems = new ArrayList<>();
        List<Long> entries = settle(problems);
        note(beganMs);
        publish();
        return new Report(
                from.nodeId(),
                beganMs,
                (clock.nanoTime() - startNs) / 1_000_000,
                copies.stream().mapToInt(LogCopy::files).sum(),
                copies.stream().mapToLong(LogCopy::bytes).sum(),
                entries,
                problems);
    }

    /** Opens the copy as a broker would, which cuts off what is half there, and checks all of it. */
    private List<Long> settle(List<LogProblem> problems) throws IOException {
        boolean isOfCluster = Files.exists(from.raft());
        List<Long> entries = new ArrayList<>();
        LogConfig config = LogConfig.defaults().withSegmentBytes(SEGMENT_BYTES).withMinFreeBytes(0);
        try (DataDirectory copy = DataDirectory.open(partial, "", from.shards())) {
            for (int shard = 0; shard < copy.shards(); shard++) {
                try (ShardLog log = ShardLog.open(copy.shard(shard), config, clock)) {
                    log.recovery().problems().stream().filter(LogCheck::isLoss).forEach(problems::add);
                    if (isOfCluster && shard == 0) {
                        log.append(Independence.record(), 0, null);
                        SyncPoint point = log.syncPoint();
                        point.force();
                        log.markSynced(point);
                    }
                    entries.add(log.nextSequence());
                }
                problems.addAll(LogCheck.closedSegments(copy.shard(shard), pacing));
            }
        }
        return entries;
    }

    private void note(long beganMs) throws IOException {
        String text = "of node " + from.nodeId() + ", begun at " + Instant.ofEpochMilli(beganMs)
                + "; everything acked before is in it. Copy it and start a broker on the copy.\n";
        Files.write(partial.resolve(NOTE), text.getBytes(StandardCharsets.UTF_8));
    }

    private void publish() throws IOException {
        LogCopy.force(partial);
        Files.move(partial, to, StandardCopyOption.ATOMIC_MOVE);
        LogCopy.forceDirectory(Objects.requireNonNull(to.getParent()));
    }

    private void deleteUnfinished() {
        if (!Files.exists(partial)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(partial)) {
            for (Path path : paths.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new SpillwayException(
                    Code.STORAGE_ERROR,
                    "what is left of a backup cannot be deleted: " + partial,
                    e.toString(),
                    "delete it yourself",
                    0,
                    e);
        }
    }
}

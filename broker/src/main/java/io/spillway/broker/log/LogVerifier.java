package io.spillway.broker.log;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.RecordBatch;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.agrona.collections.Long2LongHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads every byte of a data directory that no broker has open and checks checksums, sequences, offsets, footers,
 * manifests and snapshots. Changes nothing. Used once, by one thread.
 */
public final class LogVerifier {
    private static final long UNKNOWN = -1;

    private final int shard;
    private final LogFiles files;
    private final List<VerifyReport.Finding> findings;
    private final Totals totals;

    /** Next offset of each partition within segments that follow each other without one between them given up. */
    private final Long2LongHashMap nextOffsets = new Long2LongHashMap(UNKNOWN);

    /** Intact batches of the segment that was read last. */
    private long segmentBatches;

    private static final class Totals {
        private int segments;
        private long entries;
        private long batches;
        private long records;
        private long bytes;
    }

    private LogVerifier(int shard, Path directory, List<VerifyReport.Finding> findings, Totals totals) {
        this.shard = shard;
        this.files = new LogFiles(directory);
        this.findings = findings;
        this.totals = totals;
    }

    /** Verifies all shards. Throws SpillwayException when it is no data directory or a broker has it open. */
    public static VerifyReport verify(Path dataDirectory) {
        try (DataDirectory data = DataDirectory.openForReading(dataDirectory)) {
            List<VerifyReport.Finding> findings = new ArrayList<>();
            Totals totals = new Totals();
            for (int shard = 0; shard < data.shards(); shard++) {
                new LogVerifier(shard, data.shard(shard), findings, totals).run();
            }
            return new VerifyReport(
                    data.shards(),
                    totals.segments,
                    totals.entries,
                    totals.batches,
                    totals.records,
                    totals.bytes,
                    findings);
        } catch (IOException e) {
            throw new SpillwayException(
                    Code.STORAGE_ERROR,
                    dataDirectory + " cannot be read",
                    e.toString(),
                    "check the owner and mode of its files, and the disk",
                    0,
                    e);
        }
    }

    private void run() throws IOException {
        Manifest manifest = readManifest();
        TreeMap<Integer, Path> closed = files.closedSegments();
        TreeMap<Integer, Path> open = files.openSegments();
        Map<Integer, Manifest.Row> rows = new TreeMap<>();
        if (manifest != null) {
            manifest.segments().forEach(row -> rows.put(row.number(), row));
            closed.keySet().removeIf(number -> number < manifest.active() && !rows.containsKey(number));
        }
        TreeMap<Integer, Path> all = new TreeMap<>(closed);
        all.putAll(open);
        reportMissing(rows, all);
        long synced = synced();
        long expected = UNKNOWN;
        for (Map.Entry<Integer, Path> file : all.entrySet()) {
            int number = file.getKey();
            Manifest.Row row = rows.get(number);
            boolean isOpen = open.containsKey(number);
            long base = row != null ? row.baseSequence() : Math.max(expected, firstSequence(file.getValue()));
            if (base != expected) {
                nextOffsets.clear();
            }
            expected = verifySegment(number, file.getValue(), base, row, isOpen ? synced : Long.MAX_VALUE);
            if (!isOpen) {
                verifyFooter(number, file.getValue());
            }
        }
        List<LogProblem> bad = new ArrayList<>();
        new SnapshotStore(files.snapshots()).latest(bad);
        bad.forEach(problem -> findings.add(new VerifyReport.Finding(shard, problem)));
    }

    private @Nullable Manifest readManifest() {
        try {
            return Manifest.read(files.manifest());
        } catch (IOException e) {
            if (Files.exists(files.segments())) {
                report(
                        LogProblem.Kind.BAD_MANIFEST,
                        -1,
                        -1,
                        "the manifest is unusable: " + e.getMessage(),
                        "nothing to do: the next start rebuilds it; segments that are gone cannot be told");
            }
            return null;
        }
    }

    private void reportMissing(Map<Integer, Manifest.Row> rows, TreeMap<Integer, Path> present) {
        for (Manifest.Row row : rows.values()) {
            if (!present.containsKey(row.number())) {
                report(
                        LogProblem.Kind.MISSING_SEGMENT,
                        row.number(),
                        -1,
                        "the segment with entries " + row.baseSequence() + " to " + row.endSequence() + " is gone",
                        "restore " + files.segment(row.number()) + " from another copy if its data matters");
            }
        }
    }

    private long synced() throws IOException {
        if (!Files.exists(files.synced())) {
            return 0;
        }
        return SyncMark.peek(files.synced());
    }

    private static long firstSequence(Path file) throws IOException {
        return Files.size(file) == 0 ? UNKNOWN : SegmentScan.firstSequence(file);
    }

    /** Checks all entries of a segment and returns the sequence that the next segment must begin with. */
    private long verifySegment(int number, Path file, long base, Manifest.@Nullable Row row, long synced)
            throws IOException {
        totals.segments++;
        segmentBatches = 0;
        if (Files.size(file) == 0) {
            report(
                    LogProblem.Kind.EMPTY_SEGMENT,
                    number,
                    0,
                    "the segment file is empty",
                    "restore it from another copy if its data matters");
            return UNKNOWN;
        }
        long limit = row == null ? Files.size(file) : Math.min(row.usedBytes(), Files.size(file));
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
                SegmentScanner scanner = new SegmentScanner(channel, limit, Math.max(0, base))) {
            int holes = 0;
            while (scanner.next()) {
                if (scanner.holes().size() > holes) {
                    holes++;
                    reportHole(number, scanner.holes().get(holes - 1), synced);
                }
                verifyEntry(number, scanner);
            }
            long end = scanner.nextSequence();
            if (row != null && end < row.endSequence()) {
                report(
                        LogProblem.Kind.TRUNCATED_SEGMENT,
                        number,
                        scanner.end(),
                        "entries " + end + " to " + row.endSequence() + " are gone",
                        "restore the segment from another copy if they matter");
                nextOffsets.clear();
                return row.endSequence();
            }
            return end;
        }
    }

    private void reportHole(int number, SegmentScanner.Hole hole, long synced) {
        boolean torn = hole.firstSequence() >= synced;
        report(
                torn ? LogProblem.Kind.TORN_TAIL : LogProblem.Kind.DAMAGED_RANGE,
                number,
                hole.from(),
                "bytes " + hole.from() + " to " + hole.to() + " held entries " + hole.firstSequence() + " to "
                        + hole.nextSequence(),
                torn
                        ? "nothing to do: they were never acknowledged as synced; the next start cuts them off"
                        : "restore the segment from another copy if they matter");
        nextOffsets.clear();
    }

    private void verifyEntry(int number, SegmentScanner scanner) {
        totals.entries++;
        if (scanner.batchBytes() == 0) {
            return;
        }
        int partition = scanner.partitionId();
        long base = RecordBatch.baseOffset(scanner.buffer(), scanner.batchAt());
        if (!scanner.batchIntact()) {
            report(
                    LogProblem.Kind.CORRUPT_BATCH,
                    number,
                    scanner.position(),
                    "the batch of partition " + partition + " at offset " + base + " does not match its CRC32C",
                    "restore the segment from another copy if it" + " matters; it is never served");
            nextOffsets.remove(partition);
            return;
        }
        int records = RecordBatch.recordCount(scanner.buffer(), scanner.batchAt());
        segmentBatches++;
        totals.batches++;
        totals.records += records;
        totals.bytes += scanner.batchBytes();
        if (scanner.relocated()) {
            return;
        }
        long expected = nextOffsets.put(partition, base + records);
        if (expected != UNKNOWN && expected != base) {
            report(
                    LogProblem.Kind.OFFSET_GAP,
                    number,
                    scanner.position(),
                    "partition " + partition + " goes on at offset " + base + " after " + expected,
                    "nothing to do if older findings or an" + " earlier recovery report name the lost offsets");
        }
    }

    /** Compares a footer with what the segment itself says. */
    private void verifyFooter(int number, Path file) throws IOException {
        if (Files.size(file) == 0) {
            return;
        }
        try {
            SegmentFooter footer = SegmentFooter.read(files.footer(number));
            Segment segment = new Segment(number, footer.baseSequence(), file);
            long listed = 0;
            for (FooterRow row : footer.rows()) {
                SegmentFooter.readTable(files.footer(number), new Extent(segment, row));
                listed += row.rows();
            }
            if (listed < segmentBatches) {
                throw new IOException("it lists " + listed + " of " + segmentBatches + " batches");
            }
        } catch (IOException e) {
            report(
                    LogProblem.Kind.BAD_FOOTER,
                    number,
                    -1,
                    "the footer is unusable: " + e.getMessage(),
                    "nothing to do: it is rebuilt from its segment when needed");
        }
    }

    private void report(LogProblem.Kind kind, int segment, long position, String what, String nextStep) {
        findings.add(new VerifyReport.Finding(shard, new LogProblem(kind, segment, position, what, nextStep)));
    }
}

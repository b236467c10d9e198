package io.spillway.broker.log;

import io.spillway.broker.base.Clock;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Opens what is on the disk. Closed segments with a good footer are taken as they are; all others are read entry by
 * entry, cut behind the last good one when nothing behind it was ever synced, and closed. Nothing is appended to an old
 * segment, and no bytes are deleted that could be entries: they are moved aside under the name *.corrupt. Used once.
 */
final class Recovery {
    private static final long NO_MARK = 0;

    private final LogFiles files;
    private final LogIndex index;
    private final List<LogProblem> problems = new ArrayList<>();
    private final TreeMap<Integer, Segment> found = new TreeMap<>();
    private final Set<Integer> lost = new HashSet<>();

    private @Nullable Manifest manifest;
    private long syncedSequence;
    private long nextSequence;
    private int lastNumber;
    private int scanned;
    private long entries;
    private long tornBytes;

    /** What was recovered. */
    record Result(LogIndex index, long nextSequence, int nextNumber, RecoveryReport report) {}

    private Recovery(LogFiles files) {
        this.files = files;
        this.index = new LogIndex(files);
    }

    static Result run(LogFiles files, Clock clock) throws IOException {
        long start = clock.nanoTime();
        Recovery recovery = new Recovery(files);
        recovery.recover();
        Manifest manifest = recovery.manifest;
        RecoveryReport report = new RecoveryReport(
                manifest == null ? recovery.found.isEmpty() : manifest.clean(),
                recovery.index.segments().size(),
                recovery.scanned,
                recovery.entries,
                recovery.tornBytes,
                recovery.problems,
                (clock.nanoTime() - start) / 1_000_000);
        return new Result(recovery.index, recovery.nextSequence, recovery.lastNumber + 1, report);
    }

    private void recover() throws IOException {
        clear();
        TreeMap<Integer, Path> open = files.openSegments();
        TreeMap<Integer, Path> closed = files.closedSegments();
        readManifest(!open.isEmpty() || !closed.isEmpty());
        readMark();
        for (var file : closed.entrySet()) {
            lastNumber = Math.max(lastNumber, file.getKey());
            takeClosed(file.getKey(), file.getValue());
        }
        findMissing(open.keySet());
        takeOpen(open);
        for (Segment segment : found.values()) {
            index.segments().add(segment);
            nextSequence = Math.max(nextSequence, segment.endSequence());
        }
        checkEnd();
    }

    /** Chronicle starts anew each time; what else is in its directory has no meaning any more. */
    private void clear() throws IOException {
        for (Path file : LogFiles.list(files.active())) {
            if (SegmentAppender.number(file) < 0 && Files.isRegularFile(file)) {
                Files.delete(file);
            }
        }
        for (Path file : LogFiles.list(files.segments())) {
            if (file.toString().endsWith(LogFiles.TEMPORARY_SUFFIX)) {
                Files.delete(file);
            }
        }
    }

    private void readManifest(boolean expected) {
        try {
            if (Files.exists(files.manifest()) || expected) {
                Manifest read = Manifest.read(files.manifest());
                manifest = read;
                lastNumber = read.active();
                nextSequence = read.nextSequence();
            }
        } catch (IOException e) {
            report(
                    LogProblem.Kind.BAD_MANIFEST,
                    -1,
                    -1,
                    "the manifest is unusable: " + e.getMessage(),
                    "nothing to do:" + " it is rebuilt from the segments");
        }
    }

    private void readMark() throws IOException {
        try (SyncMark mark = new SyncMark(files.synced())) {
            syncedSequence = Math.max(NO_MARK, mark.read());
        }
        if (manifest != null) {
            syncedSequence = Math.max(syncedSequence, manifest.nextSequence());
        }
    }

    private Manifest.@Nullable Row row(int number) {
        if (manifest != null) {
            for (Manifest.Row row : manifest.segments()) {
                if (row.number() == number) {
                    return row;
                }
            }
        }
        return null;
    }

    private void takeClosed(int number, Path file) throws IOException {
        Manifest.Row row = row(number);
        if (manifest != null && row == null && number < manifest.active()) {
            // it was given up before the last stop, and its file is what was left to do
            Files.deleteIfExists(files.footer(number));
            Files.delete(file);
            return;
        }
        if (Files.size(file) == 0) {
            setAside(LogProblem.Kind.EMPTY_SEGMENT, number, file, "the segment file is empty");
            return;
        }
        try {
            SegmentFooter footer = SegmentFooter.read(files.footer(number));
            if (footer.segment() != number || (row != null && row.endSequence() != footer.endSequence())) {
                throw new IOException("it belongs to another segment");
            }
            if (footer.usedBytes() <= Files.size(file)) {
                take(footer, file);
                return;
            }
            raise(footer);
        } catch (IOException e) {
            // the footer of a segment that the manifest does not know yet may not have reached the disk
            if (row != null || manifest == null) {
                report(
                        LogProblem.Kind.BAD_FOOTER,
                        number,
                        -1,
                        "the footer is unusable: " + e.getMessage(),
                        "nothing to do: it is rebuilt from its segment");
            }
        }
        rebuild(number, file, row);
    }

    /** The offsets of what may be gone must not be given again. */
    private void raise(SegmentFooter footer) {
        for (FooterRow row : footer.rows()) {
            index.partitionOrNew(row.partitionId()).raise(0, row.endOffset());
        }
    }

    private void take(SegmentFooter footer, Path file) {
        Segment segment = new Segment(footer.segment(), footer.baseSequence(), file);
        segment.found(footer.endSequence(), footer.usedBytes());
        segment.sealed(file);
        for (FooterRow row : footer.rows()) {
            Extent extent = new Extent(segment, row);
            index.partitionOrNew(row.partitionId()).addFound(extent, index.tables());
        }
        found.put(segment.number, segment);
    }

    /** Reads a closed segment whose footer cannot be used. All of it was synced before it was closed. */
    private void rebuild(int number, Path file, Manifest.@Nullable Row row) throws IOException {
        long base = row == null ? SegmentScan.firstSequence(file) : row.baseSequence();
        Segment segment = new Segment(number, base, file);
        SegmentScan scan = scan(segment, row == null ? Files.size(file) : row.usedBytes(), Long.MAX_VALUE);
        if (segment.empty()) {
            setAside(LogProblem.Kind.UNREADABLE_FILE, number, file, "the segment holds no valid entry");
            return;
        }
        if (row != null && segment.endSequence() < row.endSequence()) {
            report(
                    LogProblem.Kind.TRUNCATED_SEGMENT,
                    number,
                    segment.usedBytes(),
                    "entries " + segment.endSequence() + " to " + row.endSequence() + " are gone",
                    "restore them from another copy" + " if they matter");
        }
        keep(scan);
    }

    private SegmentScan scan(Segment segment, long limit, long synced) throws IOException {
        SegmentScan scan = SegmentScan.run(segment, limit, synced);
        scanned++;
        entries += scan.entries();
        for (SegmentScanner.Hole hole : scan.holes()) {
            report(
                    LogProblem.Kind.DAMAGED_RANGE,
                    segment.number,
                    hole.from(),
                    "bytes " + hole.from() + " to " + hole.to() + " held entries " + hole.firstSequence() + " to "
                            + hole.nextSequence(),
                    "restore the data from another copy if it matters");
        }
        for (BatchRow row : scan.corrupt()) {
            report(
                    LogProblem.Kind.CORRUPT_BATCH,
                    segment.number,
                    row.position,
                    "the batch of partition " + row.partitionId + " at offset " + row.baseOffset
                            + " does not match its CRC32C",
                    "restore the data from another copy if it matters");
            // its offsets were given to producers and must not be given again
            int records = Math.max(1, Math.min(row.records, io.spillway.protocol.Limits.MAX_BATCH_RECORDS));
            index.partitionOrNew(row.partitionId).raise(0, row.baseOffset + records);
        }
        return scan;
    }

    /** Takes a scanned segment over and writes the footer it lacks. */
    private void keep(SegmentScan scan) {
        Segment segment = scan.segment;
        List<Extent> extents = List.copyOf(segment.extents());
        Path place = files.segment(segment.number);
        List<FooterRow> rows = List.of();
        try {
            rows = SegmentFooter.write(files.footer(segment.number), segment);
        } catch (IOException e) {
            report(
                    LogProblem.Kind.BAD_FOOTER,
                    segment.number,
                    -1,
                    "the footer cannot be written: " + e.getMessage(),
                    "free disk space; it is written at the next start");
        }
        for (int i = 0; i < extents.size(); i++) {
            Extent extent = extents.get(i);
            extent.close();
            if (!rows.isEmpty()) {
                extent.stored(rows.get(i).tableAt(), rows.get(i).tableCrc());
                index.tables().keep(extent);
            }
            index.partitionOrNew(extent.partitionId).addFound(extent, index.tables());
        }
        segment.sealed(place);
        found.put(segment.number, segment);
    }

    private void findMissing(Set<Integer> open) throws IOException {
        if (manifest == null) {
            return;
        }
        for (Manifest.Row row : manifest.segments()) {
            if (!found.containsKey(row.number()) && !open.contains(row.number()) && !lost.contains(row.number())) {
                report(
                        LogProblem.Kind.MISSING_SEGMENT,
                        row.number(),
                        -1,
                        "the segment with entries " + row.baseSequence() + " to " + row.endSequence() + " is gone",
                        "restore " + files.segment(row.number()) + " from another copy if its data matters");
                raiseFromFooter(row.number());
            }
        }
    }

    /** The offsets of a segment that is gone must not be given again. */
    private void raiseFromFooter(int number) throws IOException {
        Path file = files.footer(number);
        if (!Files.exists(file)) {
            return;
        }
        try {
            raise(SegmentFooter.read(file));
        } catch (IOException e) {
            report(
                    LogProblem.Kind.BAD_FOOTER,
                    number,
                    -1,
                    "the footer of a lost segment is unusable: " + e.getMessage(),
                    "nothing to do");
        }
        LogFiles.quarantine(file, files.segments());
    }

    /** Takes the segments that were being written, or not yet closed, when the log stopped. */
    private void takeOpen(TreeMap<Integer, Path> open) throws IOException {
        long base = baseOfOpen();
        boolean cut = false;
        for (var entry : open.entrySet()) {
            int number = entry.getKey();
            Path file = entry.getValue();
            boolean last = number == open.lastKey();
            lastNumber = Math.max(lastNumber, number);
            if (Files.size(file) == 0) {
                setAside(LogProblem.Kind.EMPTY_SEGMENT, number, file, "the segment file is empty");
                continue;
            }
            if (manifest == null) {
                base = Math.max(base, SegmentScan.firstSequence(file));
            }
            Segment segment = new Segment(number, base, file);
            SegmentScan scan = scan(segment, Files.size(file), cut ? 0 : syncedSequence);
            if (cut && scan.lastValidEnd() > 0) {
                setAside(LogProblem.Kind.TORN_TAIL, number, file, "the segment follows a tail that was cut");
                continue;
            }
            cut |= scan.isCut();
            if (scan.isCut()) {
                cutTail(scan);
            } else if (last) {
                noteTornBytes(scan);
            }
            if (segment.empty()) {
                giveUp(segment, file);
                continue;
            }
            close(segment, file);
            keep(scan);
            base = segment.endSequence();
        }
    }

    /** Deletes a segment in which nothing was written; keeps one whose entries cannot be read. */
    private void giveUp(Segment segment, Path file) throws IOException {
        if (syncedSequence > segment.baseSequence) {
            setAside(LogProblem.Kind.UNREADABLE_FILE, segment.number, file, "the segment holds no valid entry");
        } else {
            Files.delete(file);
        }
    }

    private long baseOfOpen() {
        long base = 0;
        for (Segment segment : found.values()) {
            base = Math.max(base, segment.endSequence());
        }
        return manifest == null ? base : Math.max(base, manifest.nextSequence());
    }

    private void cutTail(SegmentScan scan) {
        Segment segment = scan.segment;
        long from = segment.usedBytes();
        long bytes = scan.lastValidEnd() - from;
        String kept;
        try {
            kept = "its bytes are kept in " + keepTail(segment, from, scan.lastValidEnd());
        } catch (IOException e) {
            kept = "its bytes could not be kept: " + e.getMessage();
        }
        tornBytes += bytes;
        report(
                LogProblem.Kind.TORN_TAIL,
                segment.number,
                from,
                "the log ends in a torn tail of " + bytes + " bytes with " + scan.cutEntries()
                        + " entries that were never synced",
                "nothing to do: no entry that was acknowledged as synced is in it; " + kept);
    }

    private Path keepTail(Segment segment, long from, long to) throws IOException {
        String name = LogFiles.name(segment.number) + ".tail" + LogFiles.CORRUPT_SUFFIX;
        try (FileChannel in = FileChannel.open(segment.file(), StandardOpenOption.READ);
                FileChannel out = FileChannel.open(
                        files.segments().resolve(name),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
            for (long at = from; at < to; ) {
                at += in.transferTo(at, to - at, out);
            }
        }
        return Path.of(name);
    }

    /** Counts bytes behind the last entry that are not zero: the beginning of one that was never completed. */
    private void noteTornBytes(SegmentScan scan) throws IOException {
        long end = scan.tail();
        long torn = TornBytes.behind(scan.segment.file(), end);
        if (torn > 0) {
            tornBytes += torn;
            report(
                    LogProblem.Kind.TORN_TAIL,
                    scan.segment.number,
                    end,
                    "an entry of at least " + torn + " bytes was not complete",
                    "nothing to do: it was never acknowledged");
        }
    }

    private void close(Segment segment, Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(segment.usedBytes());
            channel.force(true);
        }
        Files.move(file, files.segment(segment.number), StandardCopyOption.ATOMIC_MOVE);
        LogFiles.forceDirectory(files.active());
    }

    /** The end that is certain must be there. */
    private void checkEnd() throws IOException {
        SnapshotStore.Snapshot snapshot = new SnapshotStore(files.snapshots()).latest(problems);
        long certain = Math.max(syncedSequence, snapshot == null ? 0 : snapshot.sequence());
        long closedEnd = manifest == null ? 0 : manifest.nextSequence();
        long end = closedEnd;
        for (Segment segment : found.values()) {
            end = Math.max(end, segment.endSequence());
        }
        if (end < certain) {
            report(
                    LogProblem.Kind.LOST_TAIL,
                    -1,
                    -1,
                    "entries " + end + " to " + certain + " were synced and are gone",
                    "restore the shard from another copy if they matter");
        }
        nextSequence = Math.max(nextSequence, certain);
    }

    private void setAside(LogProblem.Kind kind, int number, Path file, String what) throws IOException {
        lost.add(number);
        Path aside = LogFiles.quarantine(file, files.segments());
        report(
                kind,
                number,
                0,
                what,
                "it is kept as " + aside.getFileName() + "; restore the segment from another copy"
                        + " if its data matters");
    }

    private void report(LogProblem.Kind kind, int segment, long position, String what, String nextStep) {
        problems.add(new LogProblem(kind, segment, position, what, nextStep));
    }
}

package io.spillway.broker.log;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The chores of a log, one small step at a time: the disk watermark, the next segment, dead segments, mostly dead ones.
 * Confined to the shard thread.
 */
final class Upkeep {
    private static final int PERMILLE = 1000;
    /** How long after a look through all segments that found nothing the next one is. */
    private static final long LOOK_EVERY_MS = 100;

    private final LogIndex index;
    private final LogConfig config;
    private final ActiveSegment active;
    private final DiskGuard guard;
    private final SyncWork work;
    private final Relocation relocation;
    private long freedSegments;
    private long lookMs = Long.MIN_VALUE;

    Upkeep(LogIndex index, LogConfig config, ActiveSegment active, DiskGuard guard, SyncWork work, BatchReader reader) {
        this.index = index;
        this.config = config;
        this.active = active;
        this.guard = guard;
        this.work = work;
        this.relocation = new Relocation(index, active, reader);
    }

    /** Does the first thing that is due and returns how much that was; 0 = nothing is. */
    int step(long nowMs, long snapshotSequence, long syncedSequence) throws IOException {
        int done = 0;
        if (guard.checkIfDue(nowMs)) {
            done++;
        }
        if (guard.state().writable() && !active.hasPrepared()) {
            if (active.prepare()) {
                done++;
            } else {
                guard.exhausted(false);
            }
        }
        if (active.rollIfAged(nowMs)) {
            done++;
        }
        if (nowMs < lookMs && lookMs - nowMs <= LOOK_EVERY_MS) {
            return done;
        }
        int tidied = tidy(nowMs, snapshotSequence, syncedSequence);
        if (tidied == 0) {
            lookMs = nowMs + LOOK_EVERY_MS;
        }
        return done + tidied;
    }

    private int tidy(long nowMs, long snapshotSequence, long syncedSequence) throws IOException {
        if (free(Math.min(snapshotSequence, syncedSequence), syncedSequence)) {
            return 1;
        }
        return relocate(snapshotSequence, nowMs);
    }

    /** Gives up one segment of which nothing is needed any more. */
    private boolean free(long neededFrom, long syncedSequence) {
        List<Segment> segments = index.segments();
        for (int i = 0; i < segments.size(); i++) {
            Segment segment = segments.get(i);
            if (segment.sealed()
                    && segment.liveExtents() == 0
                    && segment.endSequence() <= neededFrom
                    && segment.freeAfterSequence() <= syncedSequence) {
                work.freed(segment);
                index.remove(segment);
                freedSegments++;
                return true;
            }
        }
        return false;
    }

    private int relocate(long snapshotSequence, long nowMs) throws IOException {
        if (!relocation.running()) {
            Segment source = mostlyDead(snapshotSequence);
            if (source == null) {
                return 0;
            }
            relocation.start(source);
        }
        return relocation.step(nowMs);
    }

    private @Nullable Segment mostlyDead(long snapshotSequence) {
        long limit = (long) config.segmentBytes() * config.relocateBelowPermille() / PERMILLE;
        List<Segment> segments = index.segments();
        for (int i = 0; i < segments.size(); i++) {
            Segment segment = segments.get(i);
            if (segment.sealed()
                    && !segment.pinned()
                    && segment.liveExtents() > 0
                    && segment.liveBytes() < limit
                    && segment.endSequence() <= snapshotSequence) {
                return segment;
            }
        }
        return null;
    }

    void close() {
        relocation.close();
    }

    long freedSegments() {
        return freedSegments;
    }

    long relocatedBytes() {
        return relocation.relocatedBytes();
    }
}

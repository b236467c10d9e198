package io.spillway.broker.replay;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.Pace;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.idempotency.KeyWindow;
import io.spillway.broker.shard.ReplayCommand;
import io.spillway.protocol.Code;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordView;
import java.util.List;

/**
 * Finds the records of a plan: asks for the bounds, then reads batch by batch, no faster than its share, so that live
 * traffic keeps its latency. Confined to the replay thread.
 */
final class PlanScan {
    /** Bytes asked of the shard at once: what it copies for a scan between two commands of others. */
    static final int READ_BYTES = 256 << 10;

    static final int MOST_RANGE_BYTES = 1 << 20;
    private static final int EXACT_KEYS = 100_000;
    private static final int EXACT_DEDUP_IDS = 1_000_000;

    private final Plan plan;
    private final TopicSpec topic;
    private final Shards shards;
    private final Pace bytes;
    private final Selection selection;
    private final Runnable whenDone;
    private final Ranges.Builder ranges = new Ranges.Builder();
    private final DistinctCount keys = new DistinctCount(EXACT_KEYS);
    private final DistinctCount dedupIds = new DistinctCount(EXACT_DEDUP_IDS);
    private final RecordView view = new RecordView();
    private List<ReplayCommand.Span> spans = List.of();
    private Selection.SettledWalk settled = new Selection.SettledWalk(new long[0]);
    private int span = -1;
    private long offset;
    private boolean asked;
    private boolean done;

    /** @param bytes the scans' share, which they have together */
    PlanScan(Plan plan, TopicSpec topic, Shards shards, Pace bytes, Selection selection, Runnable whenDone) {
        this.plan = plan;
        this.topic = topic;
        this.shards = shards;
        this.bytes = bytes;
        this.selection = selection;
        this.whenDone = whenDone;
    }

    /** Takes up the bounds, which were asked for so that a wrong selection is refused at once. */
    void begin(List<ReplayCommand.Span> found) {
        spans = found;
        plan.wire.setToScan(
                found.stream().mapToLong(each -> each.to() - each.from()).sum());
        next();
    }

    boolean isDone() {
        return done;
    }

    Plan plan() {
        return plan;
    }

    int doWork(long nowMs) {
        if (done || asked || bytes.available(1, nowMs) < 1) {
            return 0;
        }
        if (span >= spans.size()) {
            finish();
            return 1;
        }
        asked = true;
        shards.read(topic, spans.get(span).partition(), offset, READ_BYTES, Answer.of(this::onRead, this::fail));
        return 1;
    }

    private void onRead(ReplayCommand.ReadBatches read) {
        asked = false;
        ByteBuf batches = read.batches();
        try {
            if (done) {
                return;
            }
            bytes.take(Math.max(1, batches.readableBytes()));
            for (int at = batches.readerIndex(); at < batches.writerIndex(); ) {
                look(batches, at);
                at += RecordBatch.totalBytes(batches, at);
            }
            moveTo(read.next());
        } catch (SpillwayException e) {
            fail(e);
        } finally {
            batches.release();
        }
    }

    private void moveTo(long next) {
        ReplayCommand.Span now = spans.get(span);
        long end = Math.min(Math.max(next, offset), now.to());
        boolean stands = end == offset;
        plan.wire.setScanned(plan.wire.getScanned() + end - offset);
        offset = end;
        if (offset >= now.to() || stands) {
            next();
        }
    }

    private void next() {
        span++;
        if (span < spans.size()) {
            offset = spans.get(span).from();
            settled = new Selection.SettledWalk(spans.get(span).settled());
        }
    }

    private void look(ByteBuf batch, int at) {
        long base = RecordBatch.baseOffset(batch, at);
        int count = RecordBatch.recordCount(batch, at);
        long timeMs = RecordBatch.appendTimeMs(batch, at);
        ReplayCommand.Span now = spans.get(span);
        view.wrap(batch, at);
        for (int i = 0; i < count; i++) {
            boolean readable = readNext();
            if (selection.takes(now, base + i, settled)
                    && (readable
                            ? selection.takes(view, now.partition(), base + i, timeMs)
                            : !selection.looksInside())) {
                take(now.partition(), base + i, timeMs, readable);
            }
        }
    }

    /** Moves on; false when the record's parts do not fit, which nobody checked when it was published. */
    private boolean readNext() {
        try {
            return view.next();
        } catch (ProtocolException e) {
            return false;
        }
    }

    private void take(int partition, long at, long appendTimeMs, boolean readable) {
        ranges.add(partition, at);
        if (ranges.bytes() > MOST_RANGE_BYTES) {
            throw new SpillwayException(
                    Code.TOO_LARGE,
                    "the selection is too scattered for one plan",
                    "its ranges of offsets take more than " + MOST_RANGE_BYTES + " bytes after "
                            + plan.wire.getRecords() + " records",
                    "narrow it in time or to some partitions, and make several plans");
        }
        var wire = plan.wire;
        wire.setRecords(wire.getRecords() + 1).setBytes(wire.getBytes() + view.recordBytes());
        wire.setFirstUnixMs(wire.getRecords() == 1 ? appendTimeMs : Math.min(wire.getFirstUnixMs(), appendTimeMs));
        wire.setLastUnixMs(Math.max(wire.getLastUnixMs(), appendTimeMs));
        if (readable && view.hasKey()) {
            keys.add(KeyWindow.hash(view.buffer(), view.keyAt(), view.keyBytes()));
        }
        if (readable && view.hasDedupId()) {
            boolean isNew = dedupIds.add(KeyWindow.hash(view.buffer(), view.dedupAt(), view.dedupBytes()));
            wire.setDuplicates(wire.getDuplicates() + (isNew ? 0 : 1));
        }
        wire.setKeys(keys.isExact() ? keys.count() : wire.getKeys()).setKeysExact(keys.isExact());
    }

    private void finish() {
        plan.ranges = ranges.build();
        plan.wire
                .setKeys(keys.count())
                .setKeysExact(keys.isExact())
                .setScanned(plan.wire.getToScan())
                .setState(Plan.READY);
        done = true;
        whenDone.run();
    }

    /** Gives up; the plan says why. */
    void fail(SpillwayException why) {
        asked = false;
        if (!done) {
            plan.fail(why);
            done = true;
            whenDone.run();
        }
    }
}

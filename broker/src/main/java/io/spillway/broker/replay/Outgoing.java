package io.spillway.broker.replay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Inbox;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.shard.PublishOutcome;
import io.spillway.broker.shard.PublisherPort;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.Code;
import io.spillway.protocol.Limits;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.v1.Durability;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.ItemError;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A few records on their way: gathered by partition, published as whole batches through the ordinary mailboxes, and
 * answered together. Confined to the replay thread.
 */
final class Outgoing {
    private static final long TIMEOUT_NS = 20_000_000_000L;
    /** More than a publish may wait in the shard, so that its own refusal comes first. */
    private static final long ANSWER_TIMEOUT_NS = 30_000_000_000L;

    /** What became of them. */
    record Result(
            long stored,
            long duplicates,
            long errors,
            String error,
            @Nullable SpillwayException failure) {}

    private record Batch(TopicSpec topic, int partition, RecordBatchWriter.Batch parts) {}

    /** The batch that a partition's records gather in. */
    private record Open(TopicSpec topic, int partition, RecordBatchWriter writer) {}

    private final Shards shards;
    private final Inbox inbox;
    private final Clock clock;
    private final Map<Integer, Open> gathering = new LinkedHashMap<>();
    private final List<Batch> batches = new ArrayList<>();
    private long bytes;
    private int unanswered;
    private long sentNs;
    private long stored;
    private long duplicates;
    private long errors;
    private String error = "";
    private @Nullable SpillwayException failure;

    Outgoing(Shards shards, Inbox inbox, Clock clock) {
        this.shards = shards;
        this.inbox = inbox;
        this.clock = clock;
    }

    /** Throws TOO_LARGE for a record that no batch takes. */
    void add(Copy copy) {
        int bytes = copy.record().bytes();
        if (bytes > Limits.MAX_RECORD_BYTES) {
            throw new SpillwayException(
                    Code.TOO_LARGE,
                    "a record has " + bytes + " bytes with the headers of the replay",
                    "the limit is " + Limits.MAX_RECORD_BYTES,
                    "replay it to a group or into a file");
        }
        Open open = gathering.computeIfAbsent(
                copy.topic().partitionId(copy.partition()),
                id -> new Open(
                        copy.topic(),
                        copy.partition(),
                        new RecordBatchWriter(PooledByteBufAllocator.DEFAULT, Limits.MAX_BATCH_BYTES)));
        if (!open.writer.fits(bytes) || !open.writer.keepsTime(copy.record().timestampMs())) {
            close(open);
        }
        open.writer.add(copy.record());
        this.bytes += bytes;
    }

    private void close(Open open) {
        batches.add(new Batch(open.topic, open.partition, open.writer.finish(0, 0, 0)));
    }

    /** Bytes gathered. */
    long bytes() {
        return bytes;
    }

    /** Counts a record that cannot be copied. */
    void failed(String why) {
        errors++;
        error = why;
    }

    /** How many could not be copied so far. */
    long errors() {
        return errors;
    }

    void send() {
        for (Open open : gathering.values()) {
            if (open.writer.count() > 0) {
                close(open);
            }
        }
        sentNs = clock.nanoTime();
        batches.forEach(this::send);
        batches.clear();
    }

    private void send(Batch out) {
        ByteBuf batch = PooledByteBufAllocator.DEFAULT
                .directBuffer(out.parts.bytes())
                .writeBytes(out.parts.head())
                .writeBytes(out.parts.body());
        int records = out.parts.count();
        out.parts.release();
        ShardCommand.Publish publish = ShardCommand.Publish.of(
                new Port(records),
                out.topic.partitionId(out.partition),
                batch,
                true,
                0,
                sentNs,
                sentNs + TIMEOUT_NS,
                Durability.DUR_DEFAULT);
        if (shards.publish(out.topic.shard(), publish)) {
            unanswered++;
        } else {
            batch.release();
            failure = Shards.overloaded(out.topic.shard());
        }
    }

    /** The result once all is answered, or too much time has passed; null before. */
    @Nullable
    Result result() {
        boolean late = clock.nanoTime() - sentNs >= ANSWER_TIMEOUT_NS;
        if (unanswered > 0 && !late) {
            return null;
        }
        if (unanswered > 0) {
            failure = new SpillwayException(
                    Code.NOT_READY, "a shard did not answer a replay's publish", "", "look at the broker's log");
        }
        return new Result(stored, duplicates, errors, error, failure);
    }

    /** Gives up what was not sent. */
    void release() {
        gathering.values().forEach(open -> open.writer.release());
        batches.forEach(batch -> batch.parts.release());
        batches.clear();
    }

    /** Hears of one batch. */
    private final class Port implements PublisherPort {
        private final int records;

        Port(int records) {
            this.records = records;
        }

        @Override
        public void appended(ShardCommand.Publish command, PublishOutcome outcome) {
            inbox.put(() -> {
                unanswered--;
                long repeated = outcome.keyResults().size();
                long refused = 0;
                for (ItemError item : outcome.errors()) {
                    refused += item.getCount();
                    hear(item.getError());
                }
                duplicates += repeated;
                errors += refused;
                stored += records - repeated - refused;
            });
        }

        private void hear(Error told) {
            error = told.getReason() + ": " + told.getMessage();
            if (told.getCode() == Code.IDEMPOTENCY_IN_PROGRESS.number()) {
                failure = new SpillwayException(
                        Code.IDEMPOTENCY_IN_PROGRESS, "a copy is on its way already", told.getCause(), "wait for it");
            }
        }

        @Override
        public void refused(ShardCommand.Publish command, SpillwayException why) {
            inbox.put(() -> {
                unanswered--;
                failure = why;
            });
        }
    }
}

package io.spillway.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.spillway.client.net.Errors;
import io.spillway.client.net.ResponseHandler;
import io.spillway.protocol.Frame;
import io.spillway.protocol.KeyHash;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.RecordView;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.KeyResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Records of one partition that travel together, from the first one's publish to their outcome. Filled under the lock of
 * its {@link PartitionQueue}; after it was taken from there, confined to the network thread.
 */
final class PendingBatch implements ResponseHandler {
    private static final int FIRST_CALLBACKS = 16;

    final long createdMs;
    final long createdNs;
    final long timeoutMs;

    private final RecordBatchWriter writer;
    private @Nullable PublishCallback[] callbacks = new PublishCallback[FIRST_CALLBACKS];
    private int count;
    private long reservedBytes;

    private @Nullable PartitionPublisher publisher;
    private RecordBatchWriter.@Nullable Batch encoded;
    private @Nullable List<Outcomes> flushes;

    /** The producer's epoch its sequence belongs to; -1 before it is encoded. */
    int epoch = -1;

    long baseSequence;
    /** Of the request under way. */
    int correlation;

    int sends;
    /** Attempts that ended in a refusal or without an answer in time. */
    int failures;
    /** What the last retry took from the budget. */
    int retryCost;
    /** Whether an attempt may have stored it. */
    boolean maybeStored;
    /** Whether its records have their outcome before the broker gave one. */
    boolean abandoned;

    long sentNs;
    /** When it may be sent, if it has to wait. */
    long notBeforeNs;

    private final int maxBatchBytes;

    PendingBatch(ByteBufAllocator allocator, int maxBatchBytes, long createdMs, long createdNs, long timeoutMs) {
        writer = new RecordBatchWriter(allocator, maxBatchBytes);
        this.maxBatchBytes = maxBatchBytes;
        this.createdMs = createdMs;
        this.createdNs = createdNs;
        this.timeoutMs = timeoutMs;
    }

    boolean fits(int recordBytes) {
        return writer.fits(recordBytes);
    }

    int count() {
        return count;
    }

    void add(OutgoingRecord record, int keyHash, long nowMs, int recordBytes, PublishCallback callback) {
        add(record.parts(keyHash, nowMs), recordBytes, callback);
    }

    private void add(RecordParts parts, int recordBytes, @Nullable PublishCallback callback) {
        writer.add(parts);
        if (count == callbacks.length) {
            callbacks = Arrays.copyOf(callbacks, count * 2);
        }
        callbacks[count++] = callback;
        reservedBytes += recordBytes;
    }

    int bytes() {
        return encoded == null ? writer.bytes() : encoded.bytes();
    }

    long reservedBytes() {
        return reservedBytes;
    }

    long deadlineNs() {
        return createdNs + timeoutMs * 1_000_000;
    }

    boolean isEncoded() {
        return epoch >= 0;
    }

    long endSequence() {
        return baseSequence + count;
    }

    /** Gives it its place in the producer's sequence; a second time when the producer's epoch has changed. */
    void encode(PartitionPublisher owner, long producerId, int newEpoch, long sequence) {
        publisher = owner;
        epoch = newEpoch;
        baseSequence = sequence;
        encoded = encoded == null
                ? writer.finish(producerId, newEpoch, sequence)
                : encoded.resequenced(producerId, newEpoch, sequence);
    }

    ByteBuf head() {
        return batch().head();
    }

    ByteBuf body() {
        return batch().body();
    }

    private RecordBatchWriter.Batch batch() {
        if (encoded == null) {
            throw new IllegalStateException("the batch is not encoded yet");
        }
        return encoded;
    }

    @Override
    public void onResponse(Frame frame) {
        owner().onAck(this, frame.header(io.spillway.protocol.v1.PublishAck.parser()));
    }

    @Override
    public void onError(Error error) {
        owner().onRefused(this, error);
    }

    private PartitionPublisher owner() {
        if (publisher == null) {
            throw new IllegalStateException("the batch was never sent");
        }
        return publisher;
    }

    void onOutcome(Outcomes flush) {
        if (flushes == null) {
            flushes = new ArrayList<>(1);
        }
        flushes.add(flush);
        flush.expect();
    }

    /** Every record has its outcome; the buffers are free again. */
    void acked(String topic, int partition, io.spillway.protocol.v1.PublishAck ack) {
        release();
        if (ack.getKeyResultsCount() == 0 && ack.getErrorsCount() == 0) {
            List<ZoneLag> zoneLag = zoneLag(ack);
            for (int i = 0; i < count; i++) {
                long offset = ack.getBaseOffset() < 0 ? ack.getBaseOffset() : ack.getBaseOffset() + i;
                call(i, result(topic, partition, ack, offset, zoneLag), null);
            }
        } else {
            ackedInPart(topic, partition, ack);
        }
        settled();
    }

    /** Some records were refused or are duplicates by idempotency key; the others were stored one after the other. */
    private void ackedInPart(String topic, int partition, io.spillway.protocol.v1.PublishAck ack) {
        PublishAck[] acks = new PublishAck[count];
        List<ZoneLag> zoneLag = zoneLag(ack);
        SpillwayException[] errors = new SpillwayException[count];
        for (KeyResult first : ack.getKeyResultsList()) {
            if (first.getIndex() < count) {
                acks[first.getIndex()] = new PublishAck(
                        topic,
                        partition,
                        first.getOffset(),
                        Durability.of(ack.getReached()),
                        true,
                        ack.getDegraded(),
                        first.getAppendUnixMs(),
                        zoneLag);
            }
        }
        for (ItemError refused : Errors.withTexts(ack.getErrorsList())) {
            SpillwayException error = SpillwayException.of(refused.getError());
            int to = Math.min(count, refused.getIndex() + Math.max(1, refused.getCount()));
            for (int i = refused.getIndex(); i < to; i++) {
                errors[i] = error;
            }
        }
        long offset = ack.getBaseOffset();
        for (int i = 0; i < count; i++) {
            if (errors[i] == null && acks[i] == null) {
                acks[i] = result(topic, partition, ack, offset, zoneLag);
                offset = offset < 0 ? offset : offset + 1;
            }
            call(i, errors[i] == null ? acks[i] : null, errors[i]);
        }
    }

    /**
     * Moves these records, and what waits for them, to a new batch with the same deadline. Their outcome is that batch's; whoever
     * flushes waits for both.
     */
    PendingBatch split(BitSet indexes, ByteBufAllocator allocator) {
        PendingBatch part = new PendingBatch(allocator, maxBatchBytes, createdMs, createdNs, timeoutMs);
        RecordView view = new RecordView().wrap(Unpooled.wrappedBuffer(head().duplicate(), body().duplicate()), 0);
        while (view.next()) {
            if (indexes.get(view.index())) {
                RecordParts parts = parts(view);
                part.add(parts, parts.bytes(), callbacks[view.index()]);
                callbacks[view.index()] = null;
            }
        }
        if (flushes != null) {
            flushes.forEach(part::onOutcome);
        }
        return part;
    }

    private static RecordParts parts(RecordView view) {
        byte[] key = view.key();
        List<Map.Entry<String, byte[]>> headers = new ArrayList<>(view.headerCount());
        view.headers((name, buffer, at, length) -> {
            byte[] value = new byte[length];
            buffer.getBytes(at, value);
            headers.add(Map.entry(name, value));
        });
        return new RecordParts(
                view.timestampMs(),
                key,
                key == null ? 0 : KeyHash.of(key),
                headers,
                view.value(),
                view.dedupId(),
                view.trace(),
                view.deliverAtMs(),
                view.expiresAtMs(),
                view.isTombstone());
    }

    private static PublishAck result(
            String topic, int partition, io.spillway.protocol.v1.PublishAck ack, long offset, List<ZoneLag> zoneLag) {
        return new PublishAck(
                topic,
                partition,
                offset,
                Durability.of(ack.getReached()),
                ack.getDuplicate(),
                ack.getDegraded(),
                ack.getAppendUnixMs(),
                zoneLag);
    }

    private static List<ZoneLag> zoneLag(io.spillway.protocol.v1.PublishAck ack) {
        return ack.getZoneLagList().stream()
                .map(each -> new ZoneLag(each.getZone(), Duration.ofMillis(each.getLagMs())))
                .toList();
    }

    /** Its records fail; it is never sent again. */
    void abandon(SpillwayException error) {
        abandoned = true;
        release();
        for (int i = 0; i < count; i++) {
            call(i, null, error);
        }
        settled();
    }

    private void call(int i, @Nullable PublishAck ack, @Nullable SpillwayException error) {
        PublishCallback callback = callbacks[i];
        if (callback != null) {
            callbacks[i] = null;
            try {
                callback.onOutcome(ack, error);
            } catch (RuntimeException e) {
                Callbacks.threw(callback, e);
            }
        }
    }

    private void settled() {
        if (flushes != null) {
            flushes.forEach(Outcomes::arrived);
            flushes = null;
        }
    }

    private void release() {
        if (encoded != null) {
            encoded.release();
            encoded = null;
        } else {
            writer.release();
        }
    }
}

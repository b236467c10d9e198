package io.spillway.client;

import io.netty.channel.EventLoop;
import io.spillway.protocol.Code;
import io.spillway.protocol.KeyHash;
import io.spillway.protocol.RecordBatch;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A producer whose publishing threads encode records straight into batches, which the network thread sends. A key's
 * hash chooses the partition, or the idempotency key's, so that a repetition meets its first copy; other records stay on
 * one partition until a batch is sealed. Thread-safe.
 */
final class BatchingProducer implements Producer {
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);
    /** What the network thread may be late with an outcome that is due. */
    private static final Duration OUTCOME_SLACK = Duration.ofMillis(500);

    private final ProducerContext context;
    private final ClientContext client;
    private final EventLoop loop;
    private final PartitionPublisher[] publishers;
    private final Runnable[] wakes;
    private final Consumer<BatchingProducer> onClosed;
    private volatile int sticky;
    private volatile boolean closed;

    BatchingProducer(
            ProducerContext context, ClientContext client, int partitions, Consumer<BatchingProducer> onClosed) {
        this.context = context;
        this.client = client;
        this.loop = client.loop();
        this.onClosed = onClosed;
        publishers = new PartitionPublisher[partitions];
        wakes = new Runnable[partitions];
        for (int i = 0; i < partitions; i++) {
            PartitionQueue queue = new PartitionQueue(
                    client.allocator(), context.maxBatchBytes(), client.clock(), this::onBatchSealed);
            PartitionPublisher publisher = new PartitionPublisher(context, i, queue);
            publishers[i] = publisher;
            wakes[i] = () -> client.flow().runNow(publisher);
        }
    }

    private void onBatchSealed() {
        sticky = (sticky + 1) % publishers.length;
    }

    @Override
    public String topic() {
        return context.topic();
    }

    @Override
    public int partitions() {
        return publishers.length;
    }

    @Override
    public Pressure pressure() {
        Pressure worst = client.flow().pressureOn(context);
        for (PartitionPublisher publisher : publishers) {
            worst = worst.orWorse(publisher.pressure());
        }
        return worst;
    }

    @Override
    public boolean mayPublish() {
        if (closed
                || !client.flow().mayLet()
                || !client.flow().holds().letsOut(context)
                || context.space().usedBytes() >= context.space().limitBytes()) {
            return false;
        }
        for (PartitionPublisher publisher : publishers) {
            if (publisher.mayTake()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public CompletableFuture<PublishAck> publish(OutgoingRecord record) {
        AckFuture future = new AckFuture();
        publish(record, future);
        return future;
    }

    @Override
    public void publish(OutgoingRecord record, PublishCallback callback) {
        ProducerSettings settings = context.settings();
        SpillwayException refusal = offer(record, callback, settings.maxBlockNs(), settings.deliveryTimeoutMs());
        if (refusal != null) {
            callback.onOutcome(null, refusal);
        }
    }

    @Override
    public boolean tryPublish(OutgoingRecord record, PublishCallback callback) {
        SpillwayException refusal =
                offer(record, callback, 0, context.settings().deliveryTimeoutMs());
        if (refusal != null && refusal.is(Code.LOCAL_BUFFER_FULL)) {
            return false;
        }
        if (refusal != null) {
            callback.onOutcome(null, refusal);
        }
        return true;
    }

    @Override
    public PublishAck publishAndWait(OutgoingRecord record, Duration timeout) {
        client.refuseOnNetworkThread("publishAndWait");
        ProducerSettings settings = context.settings();
        long timeoutMs = Math.max(1, Math.min(timeout.toMillis(), settings.deliveryTimeoutMs()));
        AckFuture future = new AckFuture();
        SpillwayException refusal =
                offer(record, future, Math.min(settings.maxBlockNs(), timeoutMs * 1_000_000), timeoutMs);
        if (refusal != null) {
            throw refusal;
        }
        var done = client.await(future, Duration.ofMillis(timeoutMs).plus(OUTCOME_SLACK), "a publish to " + topic());
        if (done == null) {
            throw SpillwayException.of(
                    Code.OUTCOME_UNKNOWN,
                    "a record for " + topic() + " has no outcome after " + timeoutMs + " ms",
                    "the client's network thread is busy, perhaps in a callback",
                    "do not block in callbacks");
        }
        return done.value();
    }

    /** Puts the record in its batch. What keeps it out is returned, but errors of the record itself are thrown. */
    private @Nullable SpillwayException offer(
            OutgoingRecord record, PublishCallback callback, long maxBlockNs, long timeoutMs) {
        int bytes = record.parts(0, 0).bytes();
        if (bytes > context.maxRecordBytes()) {
            throw Arguments.tooLarge(
                    "a record for " + topic(),
                    bytes - RecordBatch.INDEX_ENTRY_BYTES,
                    context.maxRecordBytes() - RecordBatch.INDEX_ENTRY_BYTES);
        }
        int keyHash = record.key == null ? 0 : KeyHash.of(record.key);
        int index = partition(record, keyHash);
        BufferSpace space = context.space();
        if (!space.tryTake(bytes) && !waitForSpace(bytes, maxBlockNs)) {
            return bufferFull(maxBlockNs);
        }
        PartitionQueue queue = publishers[index].queue;
        PartitionQueue.Offer offer = queue.offer(record, keyHash, bytes, timeoutMs, callback);
        if (offer == PartitionQueue.Offer.TAKEN_WAKE) {
            client.onNetworkThread(wakes[index]);
        } else if (offer == PartitionQueue.Offer.CLOSED) {
            space.give(bytes);
            return queue.closedBy();
        }
        return null;
    }

    private int partition(OutgoingRecord record, int keyHash) {
        int partitions = publishers.length;
        if (record.partition != OutgoingRecord.ANY_PARTITION) {
            if (record.partition >= partitions) {
                throw Arguments.invalid(
                        "partition " + record.partition + " of " + topic() + " does not exist",
                        "the topic has partitions 0 to " + (partitions - 1));
            }
            return record.partition;
        }
        if (partitions == 1) {
            return 0;
        }
        if (record.key != null) {
            return KeyHash.partition(keyHash, partitions);
        }
        return record.idempotencyKey == null
                ? sticky
                : KeyHash.partition(KeyHash.of(record.idempotencyKey), partitions);
    }

    private boolean waitForSpace(long bytes, long maxBlockNs) {
        if (maxBlockNs <= 0 || loop.inEventLoop() || closed) {
            return false;
        }
        try {
            return context.space().take(bytes, maxBlockNs);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private SpillwayException bufferFull(long maxBlockNs) {
        if (closed) {
            return closedError();
        }
        return SpillwayException.of(
                Code.LOCAL_BUFFER_FULL,
                "the buffer of the producer of " + topic() + " has no space",
                context.space().limitBytes() + " bytes wait for their acks, and none came free within "
                        + maxBlockNs / 1_000_000 + " ms",
                "publish more slowly, enlarge bufferBytes, or look at the broker's health");
    }

    private SpillwayException closedError() {
        return SpillwayException.of(
                Code.CLIENT_CLOSED, "the producer of " + topic() + " is closed", "close was called", "open a new one");
    }

    @Override
    public void flush(Duration timeout) {
        client.refuseOnNetworkThread("flush");
        Outcomes flush = new Outcomes();
        client.onNetworkThread(() -> {
            for (PartitionPublisher publisher : publishers) {
                publisher.collect(flush);
            }
            flush.complete();
        });
        if (client.await(flush.future(), timeout, "a flush of " + topic()) == null) {
            throw SpillwayException.of(
                    Code.DEADLINE_EXCEEDED,
                    "the flush of " + topic() + " is not done after " + timeout.toMillis() + " ms",
                    context.space().usedBytes() + " bytes of records have no outcome yet",
                    "they are still under way; wait for their acks");
        }
    }

    @Override
    public void close() {
        close(CLOSE_TIMEOUT);
    }

    @Override
    public void close(Duration timeout) {
        client.refuseOnNetworkThread("close");
        if (closed) {
            return;
        }
        closed = true;
        SpillwayException cause = closedError();
        for (PartitionPublisher publisher : publishers) {
            publisher.queue.close(cause);
        }
        try {
            flush(timeout);
        } catch (SpillwayException e) {
            if (!e.is(Code.DEADLINE_EXCEEDED)) {
                throw e;
            }
        } finally {
            client.finishOnNetworkThread(() -> end(cause));
        }
    }

    // ---- on the network thread

    /** Opens the first partition, which shows whether the topic takes this producer. */
    void open() {
        publishers[0].want();
    }

    void onReady(boolean mayResend) {
        for (PartitionPublisher publisher : publishers) {
            if (!mayResend) {
                publisher.giveUpUnanswered();
            }
            publisher.onReady();
        }
    }

    void onLost() {
        for (PartitionPublisher publisher : publishers) {
            publisher.onLost();
        }
    }

    void tick(long nowNs) {
        for (PartitionPublisher publisher : publishers) {
            publisher.tick(nowNs);
        }
    }

    void end(SpillwayException cause) {
        for (PartitionPublisher publisher : publishers) {
            publisher.end(cause);
        }
        context.onOpenFailed(cause);
        onClosed.accept(this);
    }
}

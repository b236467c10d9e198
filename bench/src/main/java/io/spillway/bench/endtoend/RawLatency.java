package io.spillway.bench.endtoend;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.bench.RawChronicle;
import io.spillway.bench.SampleBatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * The baseline of latency: one thread appends batches of one record at a fixed rate, another spins on the log and reads
 * them. With sync, a third thread forces the log without pause and the reader sees only what was forced. Use once.
 */
final class RawLatency {
    private static final long DRAIN_SECONDS = 60;

    private final RawChronicle log;
    private final int recordBytes;
    private final Latencies latencies;
    /** Records appended, written by the driver's thread. */
    private volatile long appended;
    /** Records the reader may read, written by the driver's or the forcing thread. */
    private volatile long readable;

    RawLatency(RawChronicle log, int recordBytes, Latencies latencies) {
        this.log = log;
        this.recordBytes = recordBytes;
        this.latencies = latencies;
    }

    void run(long perSecond, long records, boolean synced) throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        ByteBuf batch = SampleBatch.of(1, recordBytes);
        int valueAt = batch.readableBytes() - recordBytes;
        try {
            Future<?> read = threads.submit(() -> read(records, valueAt));
            if (synced) {
                threads.execute(() -> force(records));
            }
            OpenLoop.run(perSecond, records, dueNs -> append(batch.setLong(valueAt, dueNs), dueNs, synced));
            read.get(DRAIN_SECONDS, TimeUnit.SECONDS);
        } finally {
            threads.shutdownNow();
            threads.awaitTermination(DRAIN_SECONDS, TimeUnit.SECONDS);
            batch.release();
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
    private void append(ByteBuf batch, long dueNs, boolean synced) {
        latencies.onSend(dueNs);
        log.append(batch);
        appended++;
        if (!synced) {
            readable = appended;
        }
    }

    private void force(long records) {
        while (readable < records && !Thread.currentThread().isInterrupted()) {
            long covered = appended;
            if (covered > readable) {
                log.force();
                readable = covered;
            } else {
                Thread.onSpinWait();
            }
        }
    }

    private void read(long records, int valueAt) {
        ByteBuf into = PooledByteBufAllocator.DEFAULT.directBuffer();
        try (RawChronicle.Tailer tailer = log.tailer()) {
            for (long i = 0; i < records && !Thread.currentThread().isInterrupted(); ) {
                if (i < readable && tailer.next(into)) {
                    latencies.onConsumed(into.getLong(valueAt));
                    i++;
                } else {
                    Thread.onSpinWait();
                }
            }
        } finally {
            into.release();
        }
    }
}

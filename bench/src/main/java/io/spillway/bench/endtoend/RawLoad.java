package io.spillway.bench.endtoend;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.bench.RawChronicle;
import io.spillway.bench.SampleBatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** The baseline of throughput: appends and reads one finished batch again and again. Each method gives records/s. */
final class RawLoad implements AutoCloseable {
    /** The broker, too, makes several batches durable with one force. */
    private static final int BATCHES_PER_FORCE = 16;

    private final RawChronicle log;
    private final int recordsPerBatch;
    private final ByteBuf batch;

    RawLoad(RawChronicle log, int recordsPerBatch, int recordBytes) {
        this.log = log;
        this.recordsPerBatch = recordsPerBatch;
        batch = SampleBatch.of(recordsPerBatch, recordBytes);
    }

    double append(long records, boolean synced) {
        long startNs = System.nanoTime();
        long batches = batches(records);
        for (long i = 1; i <= batches; i++) {
            log.append(batch);
            if (synced && (i % BATCHES_PER_FORCE == 0 || i == batches)) {
                log.force();
            }
        }
        return perSecond(batches, startNs);
    }

    /** Copies out what was appended before. */
    double read(long records) {
        long startNs = System.nanoTime();
        long batches = batches(records);
        readAll(batches);
        return perSecond(batches, startNs);
    }

    /** One thread appends, another reads behind it. */
    double appendAndRead(long records) throws InterruptedException, ExecutionException {
        long startNs = System.nanoTime();
        long batches = batches(records);
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            Future<?> read = thread.submit(() -> readAll(batches));
            append(records, false);
            read.get();
        } finally {
            thread.shutdownNow();
        }
        return perSecond(batches, startNs);
    }

    private void readAll(long batches) {
        ByteBuf into = PooledByteBufAllocator.DEFAULT.directBuffer(batch.readableBytes());
        try (RawChronicle.Tailer tailer = log.tailer()) {
            for (long i = 0; i < batches && !Thread.currentThread().isInterrupted(); ) {
                if (tailer.next(into)) {
                    i++;
                } else {
                    Thread.onSpinWait();
                }
            }
        } finally {
            into.release();
        }
    }

    private long batches(long records) {
        return Math.max(1, records / recordsPerBatch);
    }

    private double perSecond(long batches, long startNs) {
        return batches * recordsPerBatch / ((System.nanoTime() - startNs) / 1e9);
    }

    @Override
    public void close() {
        batch.release();
    }
}

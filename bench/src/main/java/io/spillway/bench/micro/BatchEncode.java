package io.spillway.bench.micro;

import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.bench.SampleBatch;
import io.spillway.protocol.Limits;
import io.spillway.protocol.RecordBatchWriter;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** A producer's work: records become a batch with index and CRC. Per record. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class BatchEncode {
    static final int RECORDS = 128;

    @Param({"128", "1024"})
    public int recordBytes;

    private final RecordBatchWriter writer =
            new RecordBatchWriter(PooledByteBufAllocator.DEFAULT, Limits.MAX_BATCH_BYTES);
    private byte[] value = {};

    @Setup
    public void setUp() {
        value = SampleBatch.value(recordBytes);
    }

    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public int encode() {
        SampleBatch.fill(writer, RECORDS, value);
        RecordBatchWriter.Batch batch = writer.finish(1, 0, 0);
        int crc = batch.crc();
        batch.release();
        return crc;
    }
}

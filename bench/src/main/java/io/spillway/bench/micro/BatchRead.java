package io.spillway.bench.micro;

import static io.spillway.bench.micro.BatchEncode.RECORDS;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.spillway.bench.SampleBatch;
import io.spillway.protocol.Limits;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordView;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** What is done with a batch that arrived: the broker validates it, a consumer walks its records. Per record. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class BatchRead {
    @Param({"128", "1024"})
    public int recordBytes;

    private final RecordView view = new RecordView();
    private ByteBuf batch = Unpooled.EMPTY_BUFFER;

    @Setup
    public void setUp() {
        batch = SampleBatch.of(RECORDS, recordBytes);
    }

    @TearDown
    public void tearDown() {
        batch.release();
    }

    /** Structure, limits and CRC. */
    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public int validate() {
        return RecordBatch.validate(batch, 0, batch.readableBytes(), Limits.MAX_BATCH_BYTES);
    }

    /** Walks the records without touching their values. */
    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public long walk() {
        long sum = 0;
        view.wrap(batch, 0);
        while (view.next()) {
            sum += view.valueAt() + view.timestampMs();
        }
        return sum;
    }

    /** Walks the records and copies each value out, as a message handler that asks for bytes does. */
    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public void decode(Blackhole sink) {
        view.wrap(batch, 0);
        while (view.next()) {
            sink.consume(view.value());
        }
    }
}

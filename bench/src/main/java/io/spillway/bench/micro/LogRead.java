package io.spillway.bench.micro;

import static io.spillway.bench.micro.BatchEncode.RECORDS;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.spillway.bench.SampleBatch;
import io.spillway.broker.log.BatchCursor;
import io.spillway.protocol.Limits;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
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

/** A cursor walks a partition of many segments and copies each batch out, checked. Per record. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class LogRead {
    private static final long LOG_BYTES = 512L << 20;

    @Param({"128", "1024"})
    public int recordBytes;

    private final ByteBuf out = PooledByteBufAllocator.DEFAULT.directBuffer(Limits.MAX_BATCH_BYTES);
    private ByteBuf batch = Unpooled.EMPTY_BUFFER;
    private @Nullable OpenLog log;
    private @Nullable BatchCursor cursor;

    @Setup
    public void fill() throws IOException {
        batch = SampleBatch.of(RECORDS, recordBytes);
        OpenLog open = new OpenLog();
        for (long bytes = 0; bytes < LOG_BYTES; bytes += batch.readableBytes()) {
            open.append(batch, RECORDS);
        }
        log = open;
        cursor = open.cursor();
        cursor.seek(0);
    }

    @TearDown
    public void close() {
        Objects.requireNonNull(log).close();
        batch.release();
        out.release();
    }

    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public int read() {
        BatchCursor reader = Objects.requireNonNull(cursor);
        if (!reader.valid()) {
            reader.seek(0);
        }
        out.clear();
        if (!reader.copyTo(out)) {
            throw new IllegalStateException("the batch at " + reader.baseOffset() + " was not read");
        }
        reader.next();
        return out.readableBytes();
    }
}

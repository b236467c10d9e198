package io.spillway.bench.micro;

import static io.spillway.bench.micro.BatchEncode.RECORDS;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.spillway.bench.SampleBatch;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
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

/** A shard's log takes batches; {@link RawChronicleAppend} is its baseline. Per record. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class LogAppend {
    private static final int BATCHES_PER_FORCE = 16;

    @Param({"128", "1024"})
    public int recordBytes;

    private ByteBuf batch = Unpooled.EMPTY_BUFFER;
    private @Nullable OpenLog log;

    @Setup
    public void encode() {
        batch = SampleBatch.of(RECORDS, recordBytes);
    }

    /** A fresh log per iteration, so that the disk holds one iteration's worth at most. */
    @Setup(Level.Iteration)
    public void open() throws IOException {
        log = new OpenLog();
    }

    @TearDown(Level.Iteration)
    public void close() {
        Objects.requireNonNull(log).close();
    }

    @TearDown
    public void release() {
        batch.release();
    }

    /** Durability MAPPED. */
    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public void append() {
        Objects.requireNonNull(log).append(batch, RECORDS);
    }

    /** Durability SYNCED: one force for sixteen batches. */
    @Benchmark
    @OperationsPerInvocation(RECORDS * BATCHES_PER_FORCE)
    public void appendAndForce() throws IOException {
        OpenLog open = Objects.requireNonNull(log);
        for (int i = 0; i < BATCHES_PER_FORCE; i++) {
            open.append(batch, RECORDS);
        }
        open.force();
    }
}

package io.spillway.bench.micro;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.spillway.bench.SampleBatch;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameDecoder;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.Limits;
import io.spillway.protocol.v1.Publish;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** Cuts publish frames of 9 KiB out of one 64 KiB read from a socket, channel included. Per frame. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class FrameDecode {
    private static final int FRAMES = 7;
    private static final int RECORDS_PER_FRAME = 64;
    private static final int RECORD_BYTES = 128;

    private final EmbeddedChannel channel =
            new EmbeddedChannel(new FrameDecoder(FrameDecoder.DEFAULT_MAX_FRAME_BYTES, Limits.MAX_CLIENT_HEADER_BYTES));
    private ByteBuf read = Unpooled.EMPTY_BUFFER;

    @Setup
    public void setUp() {
        ByteBuf batch = SampleBatch.of(RECORDS_PER_FRAME, RECORD_BYTES);
        read = PooledByteBufAllocator.DEFAULT.directBuffer();
        for (int i = 0; i < FRAMES; i++) {
            ByteBuf prefix = Frame.encodePrefix(
                    PooledByteBufAllocator.DEFAULT,
                    FrameKind.PUBLISH,
                    0,
                    1,
                    i + 1,
                    Publish.getDefaultInstance(),
                    batch.readableBytes());
            read.writeBytes(prefix).writeBytes(batch.duplicate());
            prefix.release();
        }
        batch.release();
    }

    @TearDown
    public void tearDown() {
        channel.finishAndReleaseAll();
        read.release();
    }

    @Benchmark
    @OperationsPerInvocation(FRAMES)
    public void decode(Blackhole sink) {
        channel.writeInbound(read.retainedDuplicate());
        for (Frame frame = channel.readInbound(); frame != null; frame = channel.readInbound()) {
            sink.consume(frame.payload().readableBytes());
            frame.release();
        }
    }
}

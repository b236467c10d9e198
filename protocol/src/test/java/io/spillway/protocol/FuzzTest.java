package io.spillway.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.spillway.protocol.v1.Publish;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Throws damaged and invented bytes at the frame decoder and the batch reader: whatever comes, they answer with a frame, a
 * {@link ProtocolException} or patience, leak nothing and read nothing that is not theirs. Half of
 * {@code -Dspillway.fuzz.seconds} (14) each; {@code -Dspillway.seed} repeats a run.
 */
@Tag("fuzz")
class FuzzTest {
    private static final long SECONDS = Long.getLong("spillway.fuzz.seconds", 14);

    private final long seed = Long.getLong("spillway.seed", System.nanoTime());
    private final SplittableRandom random = new SplittableRandom(seed);

    @Test
    void theDecoderSurvivesAnything() {
        byte[] batch = ProtocolVectorsTest.twoRecords();
        long runs = 0;
        long frames = 0;
        long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS) / 2;
        while (System.nanoTime() < endNs) {
            frames += feed(stream(batch), runs);
            runs++;
        }
        System.out.printf("fuzz decoder: %d streams, %d frames, seed %d%n", runs, frames, seed);
        assertThat(frames).as("frames that came through").isPositive();
    }

    private ByteBuf stream(byte[] batch) {
        ByteBuf stream = Unpooled.buffer();
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            Publish header = Publish.newBuilder()
                    .setTimeoutMs(random.nextInt(1, 1 << 20))
                    .setAttempt(random.nextInt(10))
                    .build();
            ByteBuf prefix = Frame.encodePrefix(
                    stream.alloc(), FrameKind.PUBLISH, 0, random.nextInt(100), random.nextInt(), header, batch.length);
            stream.writeBytes(prefix).writeBytes(batch);
            prefix.release();
        }
        return damage(stream);
    }

    /** Flips, overwrites, cuts or inserts; one time in four nothing. */
    private ByteBuf damage(ByteBuf bytes) {
        for (int i = random.nextInt(4); i > 0 && bytes.isReadable(); i--) {
            int at = random.nextInt(bytes.writerIndex());
            switch (random.nextInt(4)) {
                case 0 -> bytes.setByte(at, bytes.getByte(at) ^ (1 << random.nextInt(8)));
                case 1 -> bytes.setByte(at, interesting());
                case 2 -> bytes.writerIndex(at);
                default -> {
                    if (at + Integer.BYTES <= bytes.writerIndex()) {
                        bytes.setInt(at, random.nextBoolean() ? random.nextInt() : interesting() - 128);
                    }
                }
            }
        }
        return bytes;
    }

    private int interesting() {
        int[] values = {0, 1, 0x7f, 0x80, 0xff, 12, 16, 72};
        return values[random.nextInt(values.length)];
    }

    private long feed(ByteBuf stream, long run) {
        EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder(1 << 16, Limits.MAX_CLIENT_HEADER_BYTES));
        long frames = 0;
        try {
            while (stream.isReadable()) {
                int bytes = Math.min(stream.readableBytes(), random.nextInt(1, 200));
                channel.writeInbound(stream.readBytes(bytes));
            }
        } catch (ProtocolException e) {
            assertThat(e.code()).as("run %d, seed %d", run, seed).isIn(Code.TOO_LARGE, Code.MALFORMED_FRAME);
        }
        List<ByteBuf> parts = new ArrayList<>();
        Frame frame;
        while ((frame = channel.readInbound()) != null) {
            frames++;
            read(frame.payload(), run);
            frame.release();
            parts.add(frame.payload());
        }
        channel.finishAndReleaseAll();
        assertThat(parts).as("leaked, seed %d", seed).allMatch(part -> part.refCnt() == 0);
        stream.release();
        return frames;
    }

    @Test
    void theBatchReaderSurvivesAnything() {
        byte[] seedBatch = ProtocolVectorsTest.twoRecords();
        long runs = 0;
        long accepted = 0;
        long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS) / 2;
        while (System.nanoTime() < endNs) {
            ByteBuf batch = damage(
                    random.nextInt(3) == 0
                            ? RecordBatchTest.batch(random.nextInt(1, 9))
                            : Unpooled.copiedBuffer(seedBatch));
            if (batch.readableBytes() > 32 && random.nextInt(4) > 0) {
                // A right length and checksum, so that the lie is met behind them.
                batch.setInt(8, batch.readableBytes() - 12);
                batch.setInt(28, Crc.crc32c(batch, 32, batch.readableBytes() - 32));
            }
            accepted += read(batch, runs) ? 1 : 0;
            batch.release();
            runs++;
        }
        System.out.printf("fuzz batches: %d batches, %d accepted, seed %d%n", runs, accepted, seed);
        assertThat(accepted).as("batches that were accepted").isPositive();
    }

    /** Whether the batch was accepted and all its records could be read. */
    private boolean read(ByteBuf bytes, long run) {
        // An exact copy, so that reading behind the end is an error and not the neighbour's bytes.
        ByteBuf batch = Unpooled.copiedBuffer(bytes).asReadOnly();
        try {
            int total = RecordBatch.validate(batch, 0, batch.readableBytes(), 1 << 16);
            if (RecordBatch.codec(batch, 0) != 0) {
                return false;
            }
            RecordView view = new RecordView().wrap(batch, 0);
            while (view.next()) {
                view.key();
                view.dedupId();
                view.trace();
                view.deliverAtMs();
                view.expiresAtMs();
                view.headers(
                        (name, buffer, at, length) -> assertThat(at + length).isLessThanOrEqualTo(total));
                view.value();
            }
            return true;
        } catch (ProtocolException e) {
            return false;
        } catch (RuntimeException e) {
            throw new AssertionError(
                    "run " + run + ", seed " + seed + ", bytes " + io.netty.buffer.ByteBufUtil.hexDump(bytes), e);
        } finally {
            batch.release();
        }
    }
}

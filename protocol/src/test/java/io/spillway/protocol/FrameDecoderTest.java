package io.spillway.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.spillway.protocol.v1.Ping;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FrameDecoderTest {
    private final EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder(1024, Limits.MAX_CLIENT_HEADER_BYTES));

    @AfterEach
    void close() {
        channel.finishAndReleaseAll();
    }

    private static ByteBuf frame(int payloadBytes) {
        Ping ping = Ping.newBuilder().setNonce(7).build();
        return Frame.encodePrefix(Unpooled.buffer().alloc(), FrameKind.PING, 0, 3, 9, ping, payloadBytes)
                .writeZero(payloadBytes);
    }

    private static ByteBuf prefix(long length, int flags, long headerBytes) {
        return Unpooled.buffer()
                .writeInt((int) length)
                .writeByte(FrameKind.PING.code())
                .writeByte(flags)
                .writeShort(0)
                .writeInt((int) headerBytes)
                .writeInt(0);
    }

    private void refuses(ByteBuf bytes, Code code) {
        assertThatThrownBy(() -> channel.writeInbound(bytes))
                .isInstanceOfSatisfying(
                        ProtocolException.class, e -> assertThat(e.code()).isEqualTo(code));
        assertThat(channel.<Frame>readInbound()).isNull();
    }

    @Test
    void readsAFrameCutAtEveryByte() {
        ByteBuf whole = frame(20);
        for (int cut = 0; cut <= whole.readableBytes(); cut++) {
            channel.writeInbound(whole.copy(0, cut));
            channel.writeInbound(whole.copy(cut, whole.readableBytes() - cut));

            Frame frame = channel.readInbound();
            assertThat(frame.channel()).isEqualTo(3);
            assertThat(frame.correlation()).isEqualTo(9);
            assertThat(frame.header(Ping.parser()).getNonce()).isEqualTo(7);
            assertThat(frame.payload().readableBytes()).isEqualTo(20);
            frame.release();
        }
        whole.release();
    }

    @Test
    void readsFramesOfAnySizeCutAnywhere() {
        channel.pipeline().get(FrameDecoder.class).maxFrameBytes(1 << 20);
        Random random = new Random(17);
        for (int round = 0; round < 50; round++) {
            List<Integer> sizes = new ArrayList<>();
            ByteBuf stream = Unpooled.buffer();
            for (int i = random.nextInt(1, 8); i > 0; i--) {
                int size = random.nextInt(1 << random.nextInt(1, 19));
                sizes.add(size);
                ByteBuf frame = frame(size);
                stream.writeBytes(frame);
                frame.release();
            }
            while (stream.isReadable()) {
                int bytes = Math.min(stream.readableBytes(), random.nextInt(1, 1 << random.nextInt(1, 18)));
                channel.writeInbound(stream.readRetainedSlice(bytes));
            }
            for (int size : sizes) {
                Frame frame = channel.readInbound();
                assertThat(frame.header(Ping.parser()).getNonce()).isEqualTo(7);
                assertThat(frame.payload().readableBytes()).isEqualTo(size);
                frame.release();
            }
            assertThat(channel.<Frame>readInbound()).isNull();
            assertThat(stream.refCnt()).as("nothing is kept between frames").isOne();
            stream.release();
        }
    }

    @Test
    void takesNoMoreMemoryForAFrameThanHasCome() {
        channel.pipeline().get(FrameDecoder.class).maxFrameBytes(FrameDecoder.DEFAULT_MAX_FRAME_BYTES);
        UnpooledByteBufAllocator memory = new UnpooledByteBufAllocator(true);
        channel.config().setAllocator(memory);

        channel.writeInbound(Unpooled.buffer().writeInt(FrameDecoder.DEFAULT_MAX_FRAME_BYTES));

        assertThat(memory.metric().usedHeapMemory() + memory.metric().usedDirectMemory())
                .isBetween(4L, 16L << 10);
    }

    @Test
    void readsSeveralFramesOfOneRead() {
        channel.writeInbound(Unpooled.wrappedBuffer(frame(0), frame(1), frame(2)));

        for (int i = 0; i < 3; i++) {
            Frame frame = channel.readInbound();
            assertThat(frame.payload().readableBytes()).isEqualTo(i);
            frame.release();
        }
    }

    @Test
    void refusesALengthOverTheLimitBeforeAnyOfTheFrameIsThere() {
        refuses(Unpooled.buffer().writeInt(1025), Code.TOO_LARGE);
    }

    @Test
    void refusesALengthThatLooksNegative() {
        refuses(Unpooled.buffer().writeInt(-1), Code.TOO_LARGE);
    }

    @Test
    void refusesALengthShorterThanThePrefix() {
        refuses(Unpooled.buffer().writeInt(11), Code.MALFORMED_FRAME);
    }

    @Test
    void refusesAHeaderLongerThanItsFrame() {
        refuses(prefix(12, 0, 1), Code.MALFORMED_FRAME);
        refusesAfterwards();
    }

    @Test
    void refusesOnceWhatComesInPieces() {
        ByteBuf bytes = prefix(12, 0, 1);
        channel.writeInbound(bytes.readRetainedSlice(8));
        refuses(bytes, Code.MALFORMED_FRAME);
        refusesAfterwards();
        refusesAfterwards();
    }

    @Test
    void refusesAHeaderThatLooksNegative() {
        refuses(prefix(12, 0, 0xffffffffL), Code.TOO_LARGE);
    }

    @Test
    void refusesAPayloadThatTheFlagsDeny() {
        refuses(prefix(13, 0, 0), Code.MALFORMED_FRAME);
    }

    private void refusesAfterwards() {
        channel.writeInbound(frame(0));
        assertThat(channel.<Frame>readInbound()).as("a frame after a violation").isNull();
    }

    @Test
    void obeysANegotiatedLimit() {
        channel.pipeline().get(FrameDecoder.class).maxFrameBytes(4096);

        channel.writeInbound(frame(2000));

        Frame frame = channel.readInbound();
        assertThat(frame.payload().readableBytes()).isEqualTo(2000);
        frame.release();
    }
}

package io.spillway.conformance.proxy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.RetryClass;

/** Changes some of the frames that a broker sends, a given number of times. Confined to the event loop. */
final class FrameRule {
    /** What becomes of a frame that the rule applies to. */
    interface Effect {
        void apply(Frame frame, ByteBufAllocator allocator, Output output);
    }

    /** Whether the rule applies to a frame. */
    private interface Condition {
        boolean test(Frame frame);
    }

    /** Where frames go on, or end. */
    interface Output {
        void send(ByteBuf frame);

        void cut();
    }

    private final Condition condition;
    private final Effect effect;
    private long timesLeft;

    private FrameRule(ObjectNode arguments, Condition condition, Effect effect) {
        this.condition = condition;
        this.effect = effect;
        timesLeft = arguments.path("times").asLong(Long.MAX_VALUE);
    }

    /** An error of the broker with reason {@code from} becomes another. */
    static FrameRule rewriteError(ObjectNode arguments) {
        String from = arguments.path("from").asText();
        return new FrameRule(
                arguments,
                frame -> frame.isError()
                        && frame.header(Error.parser()).getReason().equals(from),
                (frame, allocator, output) -> {
                    Error error = frame.header(Error.parser());
                    output.send(errorFrame(frame, allocator, rewritten(error.toBuilder(), arguments)));
                });
    }

    /** A good answer to a request of that kind becomes an error. */
    static FrameRule failAnswer(ObjectNode arguments) {
        FrameKind kind = kind(arguments);
        return new FrameRule(
                arguments,
                frame -> isAnswer(frame, kind),
                (frame, allocator, output) -> output.send(errorFrame(
                        frame,
                        allocator,
                        rewritten(
                                Error.newBuilder()
                                        .setMessage("the proxy says no")
                                        .setCause("the scenario wants it")
                                        .setNextStep("do as the retry class says"),
                                arguments))));
    }

    /** The connection is cut instead of an answer to a request of that kind. */
    static FrameRule cutBeforeAnswer(ObjectNode arguments) {
        FrameKind kind = kind(arguments);
        return new FrameRule(arguments, frame -> isAnswer(frame, kind), (frame, allocator, output) -> output.cut());
    }

    /** The last byte of a delivered payload is another one. */
    static FrameRule corruptDelivery(ObjectNode arguments) {
        return new FrameRule(
                arguments,
                frame -> FrameKind.of(frame.kindCode()) == FrameKind.DELIVER
                        && frame.payload().isReadable(),
                (frame, allocator, output) -> {
                    ByteBuf damaged = encode(allocator, frame);
                    int last = damaged.writerIndex() - 1;
                    damaged.setByte(last, damaged.getByte(last) ^ 0xff);
                    output.send(damaged);
                });
    }

    /** A frame of a kind that nobody knows comes before the frame. */
    static FrameRule unknownFrame(ObjectNode arguments) {
        int unknown = 0x7e;
        return new FrameRule(arguments, frame -> true, (frame, allocator, output) -> {
            ByteBuf nothing = allocator.buffer(0);
            output.send(encode(allocator, new Frame(unknown, 0, 0, 0, nothing, nothing)));
            nothing.release();
            output.send(encode(allocator, frame));
        });
    }

    private static FrameKind kind(ObjectNode arguments) {
        return FrameKind.valueOf(arguments.path("kind").asText());
    }

    private static boolean isAnswer(Frame frame, FrameKind kind) {
        return frame.isResponse() && !frame.isError() && FrameKind.of(frame.kindCode()) == kind;
    }

    private static Error rewritten(Error.Builder error, ObjectNode arguments) {
        return error.setCode(arguments.path("code").asInt())
                .setReason(arguments.path("reason").asText())
                .setRetry(RetryClass.valueOf("RETRY_" + arguments.path("retry").asText("NEVER")))
                .setRetryAfterMs(arguments.path("retry_after_ms").asInt(0))
                .build();
    }

    /** Whether it applies to the frame; if so, one of its times is used up. */
    boolean takes(Frame frame) {
        if (timesLeft == 0 || !condition.test(frame)) {
            return false;
        }
        timesLeft--;
        return true;
    }

    void apply(Frame frame, ByteBufAllocator allocator, Output output) {
        effect.apply(frame, allocator, output);
    }

    private static ByteBuf errorFrame(Frame frame, ByteBufAllocator allocator, Error error) {
        ByteBuf header = allocator.buffer().writeBytes(error.toByteArray());
        ByteBuf nothing = allocator.buffer(0);
        ByteBuf out = encode(
                allocator,
                new Frame(
                        frame.kindCode(),
                        (frame.flags() | Frame.RESPONSE | Frame.ERROR) & ~Frame.HAS_PAYLOAD,
                        frame.channel(),
                        frame.correlation(),
                        header,
                        nothing));
        header.release();
        nothing.release();
        return out;
    }

    /** The frame's bytes as they were on the wire. */
    static ByteBuf encode(ByteBufAllocator allocator, Frame frame) {
        int headerBytes = frame.header().readableBytes();
        int payloadBytes = frame.payload().readableBytes();
        return allocator
                .buffer(Frame.PREFIX_BYTES + headerBytes + payloadBytes)
                .writeInt(Frame.PREFIX_AFTER_LENGTH + headerBytes + payloadBytes)
                .writeByte(frame.kindCode())
                .writeByte(frame.flags())
                .writeShort(frame.channel())
                .writeInt(headerBytes)
                .writeInt(frame.correlation())
                .writeBytes(frame.header(), frame.header().readerIndex(), headerBytes)
                .writeBytes(frame.payload(), frame.payload().readerIndex(), payloadBytes);
    }
}

package io.spillway.broker.session;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import io.netty.buffer.ByteBuf;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;

/** A frame that a client in the house was sent, copied out of the broker's buffers. */
record HouseFrame(int kind, int flags, int correlation, byte[] header, byte[] payload) {
    private static final int KIND = 4;
    private static final int FLAGS = 5;
    private static final int HEADER_BYTES = 8;
    private static final int CORRELATION = 12;

    /** Releases nothing. */
    static HouseFrame of(ByteBuf prefix, ByteBuf payload) {
        byte[] header = new byte[prefix.getInt(HEADER_BYTES)];
        prefix.getBytes(Frame.PREFIX_BYTES, header);
        int inPrefix = prefix.readableBytes() - Frame.PREFIX_BYTES - header.length;
        byte[] bytes = new byte[inPrefix + payload.readableBytes()];
        prefix.getBytes(Frame.PREFIX_BYTES + header.length, bytes, 0, inPrefix);
        payload.getBytes(payload.readerIndex(), bytes, inPrefix, payload.readableBytes());
        return new HouseFrame(
                prefix.getUnsignedByte(KIND), prefix.getUnsignedByte(FLAGS), prefix.getInt(CORRELATION), header, bytes);
    }

    boolean is(FrameKind asked) {
        return kind == asked.code();
    }

    boolean isError() {
        return (flags & Frame.ERROR) != 0;
    }

    <T> T header(Parser<T> parser) {
        return parse(parser, header);
    }

    <T> T payload(Parser<T> parser) {
        return parse(parser, payload);
    }

    private static <T> T parse(Parser<T> parser, byte[] bytes) {
        try {
            return parser.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("the broker did not understand its own answer", e);
        }
    }
}

package io.spillway.protocol;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/**
 * One frame: a fixed 16-byte prefix, a protobuf header and an opaque payload (record batches).
 *
 * <pre>
 *  0 u32 length        bytes after this field
 *  4 u8  kind
 *  5 u8  flags         1 RESPONSE  2 ERROR  4 HAS_PAYLOAD  8 CRITICAL
 *  6 u16 channel       publisher or subscription handle; 0 = the connection
 *  8 u32 header_len    the payload is the rest
 * 12 u32 correlation   echoed in the response; 0 = one-way
 * 16 header | payload
 * </pre>
 *
 * Big-endian. Owns its two buffers: whoever takes the frame releases it once.
 */
public record Frame(int kindCode, int flags, int channel, int correlation, ByteBuf header, ByteBuf payload) {
    public static final int PREFIX_BYTES = 16;
    /** What `length` counts of the prefix itself. */
    public static final int PREFIX_AFTER_LENGTH = PREFIX_BYTES - Integer.BYTES;

    public static final int RESPONSE = 1;
    public static final int ERROR = 2;
    public static final int HAS_PAYLOAD = 4;
    public static final int CRITICAL = 8;

    public boolean isResponse() {
        return (flags & RESPONSE) != 0;
    }

    public boolean isError() {
        return (flags & ERROR) != 0;
    }

    public boolean isCritical() {
        return (flags & CRITICAL) != 0;
    }

    /** Parses the header. Throws {@link ProtocolException} MALFORMED_FRAME when it is not a message of that type. */
    public <T> T header(Parser<T> parser) {
        try {
            return header.hasArray()
                    ? parser.parseFrom(
                            header.array(), header.arrayOffset() + header.readerIndex(), header.readableBytes())
                    : parser.parseFrom(header.nioBuffer());
        } catch (InvalidProtocolBufferException e) {
            throw new ProtocolException(
                    Code.MALFORMED_FRAME, "the header of a frame of kind " + kindCode + " cannot be parsed: " + e);
        }
    }

    public void release() {
        header.release();
        payload.release();
    }

    /** A whole frame without payload. */
    public static ByteBuf encode(
            ByteBufAllocator allocator, FrameKind kind, int flags, int channel, int correlation, MessageLite header) {
        return encodePrefix(allocator, kind, flags, channel, correlation, header, 0);
    }

    /** A frame without payload, of whose header a part is encoded already; it is written behind the rest. */
    public static ByteBuf encode(
            ByteBufAllocator allocator,
            FrameKind kind,
            int flags,
            int channel,
            int correlation,
            MessageLite header,
            byte[] more) {
        int headerBytes = header.getSerializedSize();
        int allBytes = headerBytes + more.length;
        ByteBuf out = allocator.directBuffer(PREFIX_BYTES + allBytes);
        writePrefix(out, kind, flags, channel, correlation, allBytes, 0);
        writeMessage(header, headerBytes, out);
        return out.writeBytes(more);
    }

    /**
     * Prefix and header of a frame whose payload of {@code payloadBytes} the caller writes right after it, so that
     * batches go from their buffer to the socket without a copy.
     */
    public static ByteBuf encodePrefix(
            ByteBufAllocator allocator,
            FrameKind kind,
            int flags,
            int channel,
            int correlation,
            MessageLite header,
            int payloadBytes) {
        int headerBytes = header.getSerializedSize();
        ByteBuf out = allocator.directBuffer(PREFIX_BYTES + headerBytes);
        writePrefix(out, kind, flags, channel, correlation, headerBytes, payloadBytes);
        writeMessage(header, headerBytes, out);
        return out;
    }

    private static void writePrefix(
            ByteBuf out, FrameKind kind, int flags, int channel, int correlation, int headerBytes, int payloadBytes) {
        out.writeInt(PREFIX_AFTER_LENGTH + headerBytes + payloadBytes)
                .writeByte(kind.code())
                .writeByte(payloadBytes > 0 ? flags | HAS_PAYLOAD : flags)
                .writeShort(channel)
                .writeInt(headerBytes)
                .writeInt(correlation);
    }

    private static void writeMessage(MessageLite message, int bytes, ByteBuf out) {
        if (bytes == 0) {
            return;
        }
        var nio = out.nioBuffer(out.writerIndex(), bytes);
        var coded = com.google.protobuf.CodedOutputStream.newInstance(nio);
        try {
            message.writeTo(coded);
            coded.flush();
        } catch (java.io.IOException e) {
            throw new IllegalStateException("a message of " + bytes + " bytes did not fit its own size", e);
        }
        out.writerIndex(out.writerIndex() + bytes);
    }
}

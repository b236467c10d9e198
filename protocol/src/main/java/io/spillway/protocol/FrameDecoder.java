package io.spillway.protocol;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;

/**
 * Cuts the byte stream after the preface into {@link Frame}s. The length is checked against the limit before a byte of
 * the frame is buffered; header and payload are retained slices, not copies. After a violation it throws
 * {@link ProtocolException} once and ignores everything that follows, because the stream cannot be resynchronised.
 * Confined to the channel's event loop.
 */
public final class FrameDecoder extends ByteToMessageDecoder {
    /** Default limits of protocol v1, in bytes (docs/protocol.md, Limits). */
    public static final int DEFAULT_MAX_FRAME_BYTES = 16 << 20;

    private int maxFrameBytes;
    private final int maxHeaderBytes;
    private boolean broken;

    /** @param maxHeaderBytes one of {@link Limits}: it depends on who is on the other side */
    public FrameDecoder(int maxFrameBytes, int maxHeaderBytes) {
        this.maxFrameBytes = maxFrameBytes;
        this.maxHeaderBytes = maxHeaderBytes;
    }

    /** Changes the limit, for instance once the handshake has negotiated it. */
    public void maxFrameBytes(int bytes) {
        maxFrameBytes = bytes;
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
        if (broken) {
            in.skipBytes(in.readableBytes());
            return;
        }
        if (in.readableBytes() < Integer.BYTES) {
            return;
        }
        int start = in.readerIndex();
        long length = in.getUnsignedInt(start);
        if (length > maxFrameBytes) {
            fail(in, Code.TOO_LARGE, "a frame of " + length + " bytes is over the limit of " + maxFrameBytes);
        }
        if (length < Frame.PREFIX_AFTER_LENGTH) {
            fail(in, Code.MALFORMED_FRAME, "a frame says it has " + length + " bytes, the least is 12");
        }
        if (in.readableBytes() >= Frame.PREFIX_BYTES) {
            checkHeader(in, start, length);
        }
        if (in.readableBytes() < length + Integer.BYTES) {
            return;
        }
        int headerBytes = in.getInt(start + 8);
        in.skipBytes(Frame.PREFIX_BYTES);
        ByteBuf header = in.readRetainedSlice(headerBytes);
        ByteBuf payload = in.readRetainedSlice((int) length - Frame.PREFIX_AFTER_LENGTH - headerBytes);
        out.add(new Frame(
                in.getUnsignedByte(start + 4),
                in.getUnsignedByte(start + 5),
                in.getUnsignedShort(start + 6),
                in.getInt(start + 12),
                header,
                payload));
    }

    private void checkHeader(ByteBuf in, int start, long length) {
        long headerBytes = in.getUnsignedInt(start + 8);
        if (headerBytes > maxHeaderBytes) {
            fail(in, Code.TOO_LARGE, "a header of " + headerBytes + " bytes is over the limit of " + maxHeaderBytes);
        }
        if (headerBytes > length - Frame.PREFIX_AFTER_LENGTH) {
            fail(in, Code.MALFORMED_FRAME, "a header of " + headerBytes + " bytes does not fit its frame of " + length);
        }
        boolean hasPayload = (in.getUnsignedByte(start + 5) & Frame.HAS_PAYLOAD) != 0;
        if (!hasPayload && headerBytes != length - Frame.PREFIX_AFTER_LENGTH) {
            fail(in, Code.MALFORMED_FRAME, "a frame carries a payload but its flags say it has none");
        }
    }

    private void fail(ByteBuf in, Code code, String message) {
        broken = true;
        in.skipBytes(in.readableBytes());
        throw new ProtocolException(code, message);
    }
}

package io.spillway.protocol;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the byte stream after the preface into {@link Frame}s. The length is checked against the limit before a byte of
 * the frame is buffered; header and payload are retained slices of what was read. Only a frame that came in several reads is copied, into
 * a buffer of its own: a decoder that joins what is left with what comes next would copy nearly every byte of a busy connection. After a violation it throws
 * {@link ProtocolException} once and ignores everything that follows, because the stream cannot be resynchronised.
 * Confined to the channel's event loop.
 */
public final class FrameDecoder extends ChannelInboundHandlerAdapter {
    /** Default limits of protocol v1, in bytes (docs/protocol.md, Limits). */
    public static final int DEFAULT_MAX_FRAME_BYTES = 16 << 20;

    /** What is taken at first for a frame of which less has come: who only says that it is long gets no more. */
    private static final int FIRST_BYTES = 8 << 10;

    private int maxFrameBytes;
    private final int maxHeaderBytes;
    private boolean broken;
    /** The beginning of a frame; null between frames. */
    private @Nullable ByteBuf partial;

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
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        try {
            if (!broken) {
                read(context, in);
            }
        } catch (RuntimeException | Error e) {
            broken = true;
            release();
            throw e;
        } finally {
            in.release();
        }
    }

    private void read(ChannelHandlerContext context, ByteBuf in) {
        if (partial != null) {
            goOn(context, partial, in);
        }
        while (isWhole(in)) {
            context.fireChannelRead(next(in));
        }
        if (in.isReadable()) {
            partial = begin(context, in);
        }
    }

    /** As it is when the channel is closed, too. */
    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        release();
    }

    private void release() {
        if (partial != null) {
            partial.release();
            partial = null;
        }
    }

    private ByteBuf begin(ChannelHandlerContext context, ByteBuf in) {
        int come = in.readableBytes();
        long whole = come < Integer.BYTES ? Frame.PREFIX_BYTES : bytesOf(in);
        int first = (int) Math.min(whole, Math.max(FIRST_BYTES, 2L * come));
        return context.alloc().buffer(first).writeBytes(in);
    }

    /** First the prefix, which says how much is missing. */
    private void goOn(ChannelHandlerContext context, ByteBuf begun, ByteBuf in) {
        take(begun, in, Frame.PREFIX_BYTES);
        if (!isWhole(begun) && begun.readableBytes() >= Frame.PREFIX_BYTES) {
            take(begun, in, bytesOf(begun));
        }
        if (isWhole(begun)) {
            partial = null;
            try {
                context.fireChannelRead(next(begun));
            } finally {
                begun.release();
            }
        }
    }

    private static void take(ByteBuf begun, ByteBuf in, long upTo) {
        long missing = upTo - begun.readableBytes();
        if (missing > 0) {
            begun.writeBytes(in, (int) Math.min(missing, in.readableBytes()));
        }
    }

    /** Whether a frame is there, which is as it may be as far as it has come. */
    private boolean isWhole(ByteBuf in) {
        if (in.readableBytes() < Integer.BYTES) {
            return false;
        }
        int start = in.readerIndex();
        long length = in.getUnsignedInt(start);
        if (length > maxFrameBytes) {
            throw new ProtocolException(
                    Code.TOO_LARGE, "a frame of " + length + " bytes is over the limit of " + maxFrameBytes);
        }
        if (length < Frame.PREFIX_AFTER_LENGTH) {
            throw new ProtocolException(
                    Code.MALFORMED_FRAME, "a frame says it has " + length + " bytes, the least is 12");
        }
        if (in.readableBytes() >= Frame.PREFIX_BYTES) {
            checkHeader(in, start, length);
        }
        return in.readableBytes() >= bytesOf(in);
    }

    private static long bytesOf(ByteBuf in) {
        return in.getUnsignedInt(in.readerIndex()) + Integer.BYTES;
    }

    private static Frame next(ByteBuf in) {
        int start = in.readerIndex();
        int length = in.getInt(start);
        int headerBytes = in.getInt(start + 8);
        in.skipBytes(Frame.PREFIX_BYTES);
        ByteBuf header = in.readRetainedSlice(headerBytes);
        ByteBuf payload = in.readRetainedSlice(length - Frame.PREFIX_AFTER_LENGTH - headerBytes);
        return new Frame(
                in.getUnsignedByte(start + 4),
                in.getUnsignedByte(start + 5),
                in.getUnsignedShort(start + 6),
                in.getInt(start + 12),
                header,
                payload);
    }

    private void checkHeader(ByteBuf in, int start, long length) {
        long headerBytes = in.getUnsignedInt(start + 8);
        if (headerBytes > maxHeaderBytes) {
            throw new ProtocolException(
                    Code.TOO_LARGE, "a header of " + headerBytes + " bytes is over the limit of " + maxHeaderBytes);
        }
        if (headerBytes > length - Frame.PREFIX_AFTER_LENGTH) {
            throw new ProtocolException(
                    Code.MALFORMED_FRAME, "a header of " + headerBytes + " bytes does not fit its frame of " + length);
        }
        boolean hasPayload = (in.getUnsignedByte(start + 5) & Frame.HAS_PAYLOAD) != 0;
        if (!hasPayload && headerBytes != length - Frame.PREFIX_AFTER_LENGTH) {
            throw new ProtocolException(
                    Code.MALFORMED_FRAME, "a frame carries a payload but its flags say it has none");
        }
    }
}

package io.spillway.broker.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.DecoderException;
import io.spillway.broker.auth.Tls;
import io.spillway.broker.session.SessionConfig;
import io.spillway.broker.session.SessionContext;
import io.spillway.protocol.FrameDecoder;
import io.spillway.protocol.Limits;
import io.spillway.protocol.Preface;
import io.spillway.protocol.ProtocolException;
import java.util.List;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers the eight bytes that begin a connection and makes way for frames, or refuses. Confined to the event loop. */
final class PrefaceHandler extends ByteToMessageDecoder {
    private static final Logger LOG = LoggerFactory.getLogger(PrefaceHandler.class);

    private final SessionContext context;
    private final SessionConfig config;
    private final Connections connections;
    private final Admittance admittance;
    private final Door door;
    private @Nullable Channel channel;
    private boolean done;

    PrefaceHandler(
            SessionContext context, SessionConfig config, Connections connections, Admittance admittance, Door door) {
        this.context = context;
        this.config = config;
        this.connections = connections;
        this.admittance = admittance;
        this.door = door;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        channel = ctx.channel();
    }

    /** Its time is over. */
    void closeIfHalfOpen() {
        Channel mine = channel;
        if (mine != null && admittance.isHalfOpen(mine)) {
            LOG.info("event=handshake_too_slow remote={} ms={}", mine.remoteAddress(), door.handshakeTimeoutMs());
            mine.close();
        }
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (done) {
            in.skipBytes(in.readableBytes());
            return;
        }
        if (in.readableBytes() < Preface.BYTES && !isForeign(in)) {
            return;
        }
        done = true;
        Preface.Answer answer;
        try {
            answer = isForeign(in) ? foreign(in) : Preface.negotiate(in);
        } catch (ProtocolException e) {
            LOG.info("event=not_spillway remote={} why=\"{}\"", ctx.channel().remoteAddress(), e.getMessage());
            in.skipBytes(in.readableBytes());
            ctx.close();
            return;
        }
        if (answer.version() != 0
                && (connections.count() >= door.limits().maxConnections() || context.isTooBusyForMore())) {
            answer = new Preface.Answer(0, answer.serverMin(), answer.serverMax(), Preface.REFUSED_BUSY);
        }
        ByteBuf bytes = ctx.alloc().buffer(Preface.BYTES);
        Preface.writeServer(bytes, answer);
        if (answer.version() == 0) {
            in.skipBytes(in.readableBytes());
            ctx.writeAndFlush(bytes).addListener(ChannelFutureListener.CLOSE);
            return;
        }
        ctx.writeAndFlush(bytes, ctx.voidPromise());
        FrameDecoder decoder = new FrameDecoder(Limits.MAX_FRAME_BEFORE_HELLO_BYTES, Limits.MAX_CLIENT_HEADER_BYTES);
        ctx.pipeline()
                .addLast(decoder)
                .addLast(new ConnectionHandler(
                        ctx.channel(),
                        decoder,
                        context,
                        config,
                        new ConnectionHandler.House(connections, admittance, door)))
                .remove(this);
    }

    /** Tells a TLS, HTTP or text peer by its first byte, without waiting for eight. */
    private static boolean isForeign(ByteBuf in) {
        return in.isReadable() && in.getUnsignedByte(in.readerIndex()) != Preface.MAGIC >>> 24;
    }

    private static Preface.Answer foreign(ByteBuf in) {
        throw new ProtocolException(
                io.spillway.protocol.Code.MALFORMED_FRAME,
                "the first byte is 0x%02x, not a Spillway preface".formatted(in.getUnsignedByte(in.readerIndex())));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        Throwable reason = cause instanceof DecoderException && cause.getCause() != null ? cause.getCause() : cause;
        if (reason instanceof SSLException failure) {
            context.security().denials().unknown(String.valueOf(ctx.channel().remoteAddress()), Tls.text(failure));
        } else {
            LOG.debug(
                    "event=connection_lost remote={} why=\"{}\"", ctx.channel().remoteAddress(), cause.toString());
        }
        ctx.close();
    }
}

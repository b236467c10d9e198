package io.spillway.broker.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslHandler;
import io.spillway.broker.auth.Peer;
import io.spillway.broker.base.Clock;
import io.spillway.broker.session.ClientSession;
import io.spillway.broker.session.Connection;
import io.spillway.broker.session.SessionConfig;
import io.spillway.broker.session.SessionContext;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameDecoder;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.Ping;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection after its preface: frames to the session, heartbeats, and the end. Confined to the event loop, but for
 * the {@link Connection} methods.
 */
final class ConnectionHandler extends ChannelInboundHandlerAdapter implements Connection {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectionHandler.class);
    private static final long WRITE_STALL_MS = 10_000;
    private static final int MISSED_HEARTBEATS = 3;

    private final Channel channel;
    private final FrameDecoder decoder;
    private final OutboundQueue outbound;
    private final ClientSession session;
    private final House house;
    private final Clock clock;
    private boolean isHalfOpen = true;
    private int heartbeatMs;
    private long lastReadNs;
    private long lastProgress;
    private long lastProgressNs;
    private boolean hasPinged;
    private java.util.concurrent.@Nullable ScheduledFuture<?> watch;

    /** Where connections are known. */
    record House(Connections connections, Admittance admittance, Door door) {}

    ConnectionHandler(
            Channel channel, FrameDecoder decoder, SessionContext context, SessionConfig config, House house) {
        this.channel = channel;
        this.decoder = decoder;
        this.house = house;
        heartbeatMs = config.heartbeatMs();
        clock = context.clock();
        lastReadNs = clock.nanoTime();
        lastProgressNs = lastReadNs;
        session = new ClientSession(context, this);
        outbound = new OutboundQueue(channel, session::onWritable);
    }

    ClientSession session() {
        return session;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        house.connections.add(this);
        heartbeatMs(heartbeatMs);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        lastReadNs = clock.nanoTime();
        session.onFrame((Frame) message);
        if (isHalfOpen && session.isOpen()) {
            isHalfOpen = false;
            house.admittance.opened(channel);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (channel.isWritable()) {
            outbound.drain();
        }
    }

    /** Ends a silent or stuck peer, and keeps a quiet one's line alive. */
    private void watch() {
        long nowNs = clock.nanoTime();
        if (nowNs - lastReadNs > MISSED_HEARTBEATS * heartbeatMs * 1_000_000L) {
            LOG.info("event=connection_silent remote={} ms={}", remote(), (nowNs - lastReadNs) / 1_000_000);
            channel.close();
            return;
        }
        long sent = outbound.progress() - lastProgress;
        boolean isQuiet = sent == (hasPinged ? 1 : 0);
        if (outbound.isEmpty() || sent > 0) {
            lastProgress += sent;
            lastProgressNs = nowNs;
        } else if (nowNs - lastProgressNs > WRITE_STALL_MS * 1_000_000L) {
            LOG.warn(
                    "event=connection_stuck remote={} why=\"reads nothing for 10 s\" next=\"none; the connection is closed\"",
                    remote());
            channel.close();
            return;
        }
        hasPinged = isQuiet && session.isOpen();
        if (hasPinged) {
            send(Frame.encode(channel.alloc(), FrameKind.PING, 0, 0, 0, Ping.getDefaultInstance()));
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (watch != null) {
            watch.cancel(false);
        }
        house.connections.remove(this);
        session.onClosed();
        outbound.close();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        Throwable reason = cause instanceof DecoderException && cause.getCause() != null ? cause.getCause() : cause;
        if (reason instanceof ProtocolException violation) {
            LOG.info(
                    "event=protocol_violation remote={} code={} why=\"{}\"",
                    remote(),
                    violation.code(),
                    reason.getMessage());
            refuse(violation.code(), String.valueOf(reason.getMessage()));
        } else if (reason instanceof IOException) {
            LOG.debug("event=connection_lost remote={} why=\"{}\"", remote(), reason.getMessage());
            channel.close();
        } else {
            LOG.error("event=connection_failed remote={} next=\"none; the connection is closed\"", remote(), reason);
            refuse(Code.INTERNAL, "an unexpected failure; see the broker's log");
        }
    }

    private void refuse(Code code, String message) {
        Error error = Error.newBuilder()
                .setCode(code.number())
                .setReason(code.name())
                .setRetry(code.retry())
                .setMessage(message)
                .setCause("the connection cannot go on after this")
                .setNextStep("check that client and broker speak the same version; see docs/protocol.md")
                .build();
        send(Frame.encode(channel.alloc(), FrameKind.HELLO, Frame.RESPONSE | Frame.ERROR, 0, 0, error));
        closeAfterFlush();
    }

    @Override
    public ByteBufAllocator allocator() {
        return channel.alloc();
    }

    @Override
    public void send(ByteBuf frame) {
        outbound.add(frame);
    }

    @Override
    public void send(ByteBuf prefix, ByteBuf payload) {
        outbound.add(prefix, payload);
    }

    @Override
    public boolean writable() {
        return outbound.isWritable();
    }

    @Override
    public void maxFrameBytes(int bytes) {
        decoder.maxFrameBytes(bytes);
    }

    @Override
    public void heartbeatMs(int ms) {
        heartbeatMs = ms;
        if (watch != null) {
            watch.cancel(false);
        }
        watch = channel.eventLoop().scheduleAtFixedRate(this::watch, ms / 2, ms / 2, TimeUnit.MILLISECONDS);
    }

    @Override
    public void pauseReading(int ms) {
        channel.config().setAutoRead(false);
        channel.eventLoop().schedule(() -> channel.config().setAutoRead(true), ms, TimeUnit.MILLISECONDS);
    }

    @Override
    public void execute(Runnable task) {
        channel.eventLoop().execute(task);
    }

    @Override
    public void closeAfterFlush() {
        outbound.closeWhenEmpty();
        channel.eventLoop().schedule(() -> channel.close(), 1, TimeUnit.SECONDS);
    }

    @Override
    public Peer peer() {
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        Peer shown = tls == null
                ? Peer.UNKNOWN
                : house.door.names().peer(tls.engine().getSession());
        return shown.from(channel.remoteAddress());
    }

    @Override
    public String remote() {
        return String.valueOf(channel.remoteAddress());
    }
}

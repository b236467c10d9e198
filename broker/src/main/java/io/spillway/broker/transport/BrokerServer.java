package io.spillway.broker.transport;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.spillway.broker.base.ListenAddress;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.session.SessionConfig;
import io.spillway.broker.session.SessionContext;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The wire listener: event loops, sockets, connections. Thread-safe. */
public final class BrokerServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BrokerServer.class);

    private final EventLoopGroup group;
    private final Channel listener;
    private final Connections connections;
    private final Admittance admittance;

    private BrokerServer(EventLoopGroup group, Channel listener, Connections connections, Admittance admittance) {
        this.group = group;
        this.admittance = admittance;
        this.listener = listener;
        this.connections = connections;
    }

    /**
     * Starts to listen. Port 0 picks a free one.
     *
     * @param ioThreads event loops
     * @throws SpillwayException INVALID_ARGUMENT when the address cannot be listened at
     */
    public static BrokerServer start(
            ListenAddress address, int ioThreads, Door door, SessionConfig config, SessionContext context) {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(ioThreads, new IoThreads(), Sockets.handlers());
        Connections connections = new Connections();
        Admittance admittance = new Admittance(door.limits());
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(group)
                .channel(Sockets.server())
                .option(ChannelOption.SO_BACKLOG, 1024)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
                .childOption(
                        ChannelOption.RECVBUF_ALLOCATOR, new AdaptiveRecvByteBufAllocator(2 << 10, 64 << 10, 512 << 10))
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(256 << 10, 1 << 20))
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        if (admittance.enter(channel)) {
                            init(
                                    channel,
                                    door,
                                    admittance,
                                    new PrefaceHandler(context, config, connections, admittance, door));
                        } else {
                            channel.close();
                        }
                    }
                });
        var bound = bootstrap.bind(address.host(), address.port()).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            group.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
            throw address.refused(bound.cause(), "--listen");
        }
        return new BrokerServer(group, bound.channel(), connections, admittance);
    }

    /** One deadline covers all that comes before the session: nobody stays for saying little again and again. */
    private static void init(SocketChannel channel, Door door, Admittance admittance, PrefaceHandler preface) {
        channel.pipeline().addLast(new FirstBytes(admittance));
        if (door.tls() != null) {
            SslHandler tls = door.tls().get().clients().newHandler(channel.alloc());
            tls.setHandshakeTimeoutMillis(door.handshakeTimeoutMs());
            channel.pipeline().addLast(tls);
        }
        channel.pipeline().addLast(preface);
        channel.eventLoop().schedule(preface::closeIfHalfOpen, door.handshakeTimeoutMs(), TimeUnit.MILLISECONDS);
    }

    /** Tells that something has come, and leaves. */
    private static final class FirstBytes extends ChannelInboundHandlerAdapter {
        private final Admittance admittance;

        FirstBytes(Admittance admittance) {
            this.admittance = admittance;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object bytes) {
            admittance.spoke(context.channel());
            context.fireChannelRead(bytes);
            context.pipeline().remove(this);
        }
    }

    public InetSocketAddress address() {
        return (InetSocketAddress) listener.localAddress();
    }

    public int connections() {
        return connections.count();
    }

    /** Connections without a session. */
    public int halfOpen() {
        return admittance.halfOpen();
    }

    /** Connections that were closed at once: their address has too many. */
    public long refusedConnections() {
        return admittance.refused();
    }

    /** Connections that were closed for newer ones, before they had said who they are. */
    public long evictedConnections() {
        return admittance.evicted();
    }

    /** Runs this on one of the event loops, at this interval, until the server closes. */
    public void every(int ms, Runnable task) {
        Runnable logged = () -> {
            try {
                task.run();
            } catch (RuntimeException e) {
                LOG.error("event=task_failed next=\"it runs again in {} ms\"", ms, e);
            }
        };
        group.next().scheduleWithFixedDelay(logged, ms, ms, TimeUnit.MILLISECONDS);
    }

    /** Takes no more connections and tells the present ones to leave within the grace. */
    public void drain(SpillwayException why, int graceMs) {
        listener.close().awaitUninterruptibly();
        connections.goAway(why, graceMs);
    }

    /** Tells the present connections to leave within the grace; new ones are taken. */
    public void goAway(SpillwayException why, int graceMs) {
        connections.goAway(why, graceMs);
    }

    /** Closes all connections once what was queued for them is written, for at most a second. */
    @Override
    public void close() {
        listener.close().awaitUninterruptibly();
        connections.closeAll();
        group.shutdownGracefully(50, 1_500, TimeUnit.MILLISECONDS).awaitUninterruptibly(3_000);
    }
}

package io.spillway.broker.admin;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.spillway.broker.base.ListenAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Serves {@code /livez}, {@code /readyz}, {@code /startupz}, {@code /health}, {@code /metrics}, {@code /diagnose}, and what
 * is operated: {@link Operated}. It has a thread of its own, {@code spillway-http}, so
 * that a scrape delays no client and a busy broker still answers that it lives. Thread-safe.
 */
public final class AdminServer implements AutoCloseable {
    private static final int BACKLOG = 64;
    private static final long CLOSE_TIMEOUT_MS = 1_000;

    private final EventLoopGroup thread;
    private final Channel listener;
    private final AdminRoutes routes;

    private AdminServer(EventLoopGroup thread, Channel listener, AdminRoutes routes) {
        this.thread = thread;
        this.listener = listener;
        this.routes = routes;
    }

    /**
     * Listens; port 0 picks a free one. The supplier is called on the server's thread. Throws INVALID_ARGUMENT when the
     * address cannot be listened at.
     */
    public static AdminServer start(
            ListenAddress listen, Supplier<Health> health, PrometheusMeterRegistry metrics, Operated operated) {
        EventLoopGroup thread = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("spillway-http", true), NioIoHandler.newFactory());
        AdminRoutes routes =
                new AdminRoutes(health, metrics, operated, ConsoleServer.start(operated.console(), thread.next()));
        ConnectionLimit limit = new ConnectionLimit();
        HttpGate gate = new HttpGate(operated.door());
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(thread)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        AdminPipeline.install(channel, operated.door(), limit, new AdminHandler(routes, gate, limit));
                    }
                });
        ChannelFuture bound = bootstrap.bind(listen.host(), listen.port()).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            thread.shutdownGracefully(0, CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS);
            throw listen.refused(bound.cause(), "--http");
        }
        return new AdminServer(thread, bound.channel(), routes);
    }

    /** Where it listens, with the port that was bound. */
    public InetSocketAddress address() {
        return (InetSocketAddress) listener.localAddress();
    }

    @Override
    public void close() {
        listener.close().awaitUninterruptibly();
        thread.shutdownGracefully(0, CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS).awaitUninterruptibly(CLOSE_TIMEOUT_MS);
        routes.close();
    }
}

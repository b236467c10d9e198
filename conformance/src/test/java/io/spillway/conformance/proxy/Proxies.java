package io.spillway.conformance.proxy;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.TimeUnit;

/** Makes proxies; all of them share one thread. Thread-safe. */
public final class Proxies implements AutoCloseable {
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Socket reserved = new Socket();

    public Proxies() throws IOException {
        reserved.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    /** A proxy in front of that broker, host:port. */
    public FaultProxy open(String target) {
        return new FaultProxy((EventLoop) group.next(), target);
    }

    /** An address at which nobody listens, and nobody will: the port is taken, but not listened on. */
    public String addressOfNobody() {
        return "127.0.0.1:" + reserved.getLocalPort();
    }

    @Override
    public void close() throws IOException {
        reserved.close();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}

package io.spillway.broker.transport;

import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How sockets are waited for: epoll where Netty has its native part for this machine, else the selectors of the JDK, which wake a thread by
 * way of a descriptor of their own and look twice ({@code -Dio.netty.transport.noNative=true} asks for them). Stateless.
 */
final class Sockets {
    private static final Logger LOG = LoggerFactory.getLogger(Sockets.class);

    private Sockets() {}

    static IoHandlerFactory handlers() {
        if (!Epoll.isAvailable()) {
            LOG.info(
                    "event=no_epoll why=\"{}\" next=\"none; the JDK does the same for more CPU: docs/operations/tuning.md\"",
                    String.valueOf(Epoll.unavailabilityCause()));
        }
        return Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    }

    static Class<? extends ServerChannel> server() {
        return Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
    }
}

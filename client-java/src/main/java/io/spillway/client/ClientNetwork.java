package io.spillway.client;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.FastThreadLocalThread;
import java.util.concurrent.TimeUnit;

/**
 * A network thread that clients share, see {@link ClientBuilder#network}. Without one each client has a thread of its own, which is right
 * for a few. Many clients that have little to do each, such as those of a producer of more topics than a connection takes, cost less on
 * one: it finds the work of all of them when it wakes. What they share, too, are callbacks: one that is slow holds up all of them.
 *
 * <p>Close it after its clients. Thread-safe.
 */
public final class ClientNetwork implements AutoCloseable {
    private static final long CLOSE_TIMEOUT_MS = 2_000;

    private final EventLoopGroup group =
            new MultiThreadIoEventLoopGroup(1, ClientNetwork::daemon, NioIoHandler.newFactory());

    private ClientNetwork() {}

    /** Starts no thread before a client connects. */
    public static ClientNetwork create() {
        return new ClientNetwork();
    }

    EventLoop loop() {
        return (EventLoop) group.next();
    }

    /**
     * Ends the thread, and waits for its end for 2 s at most. A client that is still open is of no use any more; its calls fail with
     * CLIENT_CLOSED. Throws {@link SpillwayException} INVALID_ARGUMENT when it is called on that thread.
     */
    @Override
    public void close() {
        if (loop().inEventLoop()) {
            throw Arguments.invalid(
                    "close was called on the network thread",
                    "it waits for the end of the thread that it is called on");
        }
        group.shutdownGracefully(0, CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS).awaitUninterruptibly(CLOSE_TIMEOUT_MS);
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new FastThreadLocalThread(task, "spillway-client-io");
        thread.setDaemon(true);
        return thread;
    }
}

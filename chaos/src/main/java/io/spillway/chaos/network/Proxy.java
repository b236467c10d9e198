package io.spillway.chaos.network;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/** In front of one port of one node: passes bytes on as the network allows it, each direction by a thread of its own. */
final class Proxy implements AutoCloseable {
    private static final int CHUNK_BYTES = 16 << 10;
    private static final long LOOK_AGAIN_NS = 20_000_000;
    /** Of a slow host. */
    private static final long SLOW_NS_PER_BYTE = 4_000;

    private static final long SLOW_LATENCY_NS = 40_000_000;

    private final String node;
    private final Loopback network;
    private final ServerSocket server;
    private final InetAddress host;
    private final int port;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

    /** @param target the node's port, 127.0.0.1:PORT */
    Proxy(String node, String target, Loopback network) {
        this.node = node;
        this.network = network;
        port = Integer.parseInt(target.substring(target.indexOf(':') + 1));
        try {
            host = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
            server = new ServerSocket(0, 128, host);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        daemon("proxy-" + node, this::accept);
    }

    private static void daemon(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    String address() {
        return "127.0.0.1:" + server.getLocalPort();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket peer = server.accept();
                sockets.add(peer);
                daemon("proxy-" + node, () -> connect(peer));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void connect(Socket peer) {
        String from = network.hostOf(peer.getPort(), server.getLocalPort());
        try {
            // As long as nothing gets through, there is nobody to refuse it either.
            hold(from, node, peer);
            Socket own = new Socket(host, port);
            sockets.add(own);
            peer.setTcpNoDelay(true);
            own.setTcpNoDelay(true);
            daemon("proxy-" + from + "-" + node, () -> pump(peer, own, from, node));
            daemon("proxy-" + node + "-" + from, () -> pump(own, peer, node, from));
        } catch (IOException e) {
            end(peer);
        }
    }

    private void pump(Socket in, Socket out, String from, String to) {
        byte[] chunk = new byte[CHUNK_BYTES];
        try {
            InputStream source = in.getInputStream();
            OutputStream sink = out.getOutputStream();
            for (int n = source.read(chunk); n >= 0; n = source.read(chunk)) {
                if (network.isSlow(from) || network.isSlow(to)) {
                    LockSupport.parkNanos(SLOW_LATENCY_NS + n * SLOW_NS_PER_BYTE);
                }
                hold(from, to, out);
                sink.write(chunk, 0, n);
            }
            hold(from, to, out);
        } catch (IOException e) {
            // One side is gone; the other hears of it below.
        }
        end(in);
        end(out);
    }

    private void hold(String from, String to, Socket socket) {
        while (!network.flows(from, to) && !socket.isClosed()) {
            LockSupport.parkNanos(LOOK_AGAIN_NS);
        }
    }

    private void end(Socket socket) {
        sockets.remove(socket);
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        sockets.forEach(this::end);
    }
}

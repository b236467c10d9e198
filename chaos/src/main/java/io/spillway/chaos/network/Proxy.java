package io.spillway.chaos.network;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** In front of one port of one node: passes bytes on as the network allows it. */
final class Proxy implements AutoCloseable {
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
            Lane.hold(network, from, node, peer);
            Socket own = new Socket(host, port);
            sockets.add(own);
            peer.setTcpNoDelay(true);
            own.setTcpNoDelay(true);
            carry(from, node, peer, own);
            carry(node, from, own, peer);
        } catch (IOException e) {
            end(peer);
        }
    }

    private void carry(String from, String to, Socket in, Socket out) {
        Lane lane = new Lane(network, from, to, in, out);
        daemon("proxy-" + from + "-" + to + "-in", () -> {
            try {
                lane.read();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // nobody does; the thread ends
            }
        });
        daemon("proxy-" + from + "-" + to + "-out", () -> {
            try {
                lane.write();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // nobody does; the thread ends
            }
            end(in);
            end(out);
        });
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

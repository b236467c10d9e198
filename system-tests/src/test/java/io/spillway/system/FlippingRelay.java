package io.spillway.system;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Passes bytes on to a broker, and flips one bit in the middle of the first long run of one byte value that a client sends, as a
 * bad cable does. Thread-safe.
 */
final class FlippingRelay implements AutoCloseable {
    private static final int LONG_RUN = 256;

    private final ServerSocket server;
    private final String[] broker;
    private final byte wanted;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private volatile int flipped;

    /** @param wanted the value of the bytes one of which is flipped */
    FlippingRelay(String broker, char wanted) throws IOException {
        this.broker = broker.split(":");
        this.wanted = (byte) wanted;
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    private static void start(Work work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (IOException e) {
                        // One side has closed, which closes the other.
                    }
                },
                "flipping-relay");
        thread.setDaemon(true);
        thread.start();
    }

    private interface Work {
        void run() throws IOException;
    }

    String endpoint() {
        return "127.0.0.1:" + server.getLocalPort();
    }

    /** Bits flipped so far. */
    int flipped() {
        return flipped;
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = server.accept();
            Socket onward = new Socket(broker[0], Integer.parseInt(broker[1]));
            sockets.addAll(List.of(client, onward));
            start(() -> pass(client, onward, true));
            start(() -> pass(onward, client, false));
        }
    }

    private void pass(Socket from, Socket to, boolean flips) throws IOException {
        byte[] buffer = new byte[64 << 10];
        try (from;
                to) {
            int read;
            while ((read = from.getInputStream().read(buffer)) >= 0) {
                if (flips && flipped == 0) {
                    flip(buffer, read);
                }
                to.getOutputStream().write(buffer, 0, read);
            }
        }
    }

    private void flip(byte[] buffer, int length) {
        int run = 0;
        for (int i = 0; i < length; i++) {
            run = buffer[i] == wanted ? run + 1 : 0;
            if (run == LONG_RUN) {
                buffer[i - LONG_RUN / 2] ^= 1;
                flipped = 1;
                return;
            }
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}

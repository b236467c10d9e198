package io.spillway.chaos.network;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * One direction of one connection. One thread reads, another one writes what was read when its time has come and the network
 * lets it through, so that a delay takes no throughput away.
 */
final class Lane {
    private static final int CHUNK_BYTES = 16 << 10;
    private static final int QUEUED_CHUNKS = 64;
    private static final long LOOK_AGAIN_NS = 20_000_000;
    /** Of a slow host. */
    private static final long SLOW_NS_PER_BYTE = 4_000;

    private static final long SLOW_LATENCY_NS = 40_000_000;

    /** Bytes, and when their time has come. */
    private static final class Chunk {
        final byte[] bytes;
        final long dueNs;

        Chunk(byte[] bytes, long dueNs) {
            this.bytes = bytes;
            this.dueNs = dueNs;
        }
    }

    private final Loopback network;
    private final String from;
    private final String to;
    private final Socket in;
    private final Socket out;
    private final BlockingQueue<Chunk> queue = new ArrayBlockingQueue<>(QUEUED_CHUNKS);

    Lane(Loopback network, String from, String to, Socket in, Socket out) {
        this.network = network;
        this.from = from;
        this.to = to;
        this.in = in;
        this.out = out;
    }

    /** Until the end of what comes, or of the connection. The end of what comes is an empty chunk. */
    void read() throws InterruptedException {
        byte[] buffer = new byte[CHUNK_BYTES];
        long lastDueNs = System.nanoTime();
        try {
            InputStream source = in.getInputStream();
            for (int n = source.read(buffer); n >= 0; n = source.read(buffer)) {
                lastDueNs = Math.max(lastDueNs, System.nanoTime() + network.delayNs(from, to));
                put(new Chunk(Arrays.copyOf(buffer, n), lastDueNs));
            }
        } catch (IOException e) {
            // One side is gone; the other hears of it by the end of what comes.
        }
        put(new Chunk(new byte[0], lastDueNs));
    }

    private void put(Chunk chunk) throws InterruptedException {
        while (!queue.offer(chunk, LOOK_AGAIN_NS, TimeUnit.NANOSECONDS)) {
            if (out.isClosed()) {
                return; // nobody takes it any more
            }
        }
    }

    /** Until the end of what comes, or of the connection. */
    void write() throws InterruptedException {
        try {
            OutputStream sink = out.getOutputStream();
            while (true) {
                Chunk chunk = queue.take();
                for (long left = chunk.dueNs - System.nanoTime(); left > 0; left = chunk.dueNs - System.nanoTime()) {
                    LockSupport.parkNanos(left);
                }
                if (network.isSlow(from) || network.isSlow(to)) {
                    LockSupport.parkNanos(SLOW_LATENCY_NS + chunk.bytes.length * SLOW_NS_PER_BYTE);
                }
                hold(network, from, to, out);
                if (chunk.bytes.length == 0) {
                    return;
                }
                sink.write(chunk.bytes);
            }
        } catch (IOException e) {
            // The receiver is gone; the sender hears of it by the end of the connection.
        }
    }

    /** Waits until something that is on its way between these two gets through. */
    static void hold(Loopback network, String from, String to, Socket socket) {
        while (!network.flows(from, to) && !socket.isClosed()) {
            LockSupport.parkNanos(LOOK_AGAIN_NS);
        }
    }
}

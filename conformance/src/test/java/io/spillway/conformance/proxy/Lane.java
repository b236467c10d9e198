package io.spillway.conformance.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/** One direction of one connection: bytes wait here until conditions let them go on. Confined to the event loop. */
final class Lane {
    private static final int MAX_QUEUED_BYTES = 256 << 10;
    private static final int PACED_BYTES = 4 << 10;

    private record Chunk(ByteBuf bytes, long dueNs) {}

    private final Direction direction;
    private final Conditions conditions;
    private final Channel from;
    private final Channel to;
    private final Runnable cut;
    private final ArrayDeque<Chunk> queue = new ArrayDeque<>();
    private long queuedBytes;
    private long lastDueNs = System.nanoTime();
    private boolean ended;
    private boolean wakes;

    /** @param cut ends the whole connection at once */
    Lane(Direction direction, Conditions conditions, Channel from, Channel to, Runnable cut) {
        this.direction = direction;
        this.conditions = conditions;
        this.from = from;
        this.to = to;
        this.cut = cut;
    }

    /** Takes the bytes over. */
    void add(ByteBuf bytes) {
        if (conditions.isLimited()) {
            while (bytes.readableBytes() > PACED_BYTES) {
                enqueue(bytes.readRetainedSlice(PACED_BYTES));
            }
        }
        enqueue(bytes);
        pump();
    }

    private void enqueue(ByteBuf bytes) {
        long dueNs = Math.max(System.nanoTime() + conditions.delayNs(), lastDueNs);
        lastDueNs = dueNs + conditions.paceNs(bytes.readableBytes());
        queuedBytes += bytes.readableBytes();
        queue.add(new Chunk(bytes, dueNs));
    }

    /** The sender is done; so is the receiver once it has everything. */
    void end() {
        ended = true;
        pump();
    }

    /** Sends what may be sent now. */
    void pump() {
        boolean written = false;
        while (!conditions.isHeld(direction) && !queue.isEmpty() && isDue() && to.isWritable()) {
            ByteBuf bytes = queue.remove().bytes();
            int size = bytes.readableBytes();
            queuedBytes -= size;
            int admitted = conditions.admit(direction, size);
            if (admitted < size) {
                bytes.writerIndex(bytes.readerIndex() + admitted);
                to.writeAndFlush(bytes).addListener(sent -> cut.run());
                return;
            }
            to.write(bytes, to.voidPromise());
            written = true;
        }
        if (written) {
            to.flush();
        }
        if (ended && queue.isEmpty() && !conditions.isHeld(direction)) {
            to.close();
        }
        from.config().setAutoRead(queuedBytes < MAX_QUEUED_BYTES && !conditions.isHeld(direction));
    }

    /** Whether the first chunk's time has come; else comes back when it has. */
    private boolean isDue() {
        long leftNs = queue.element().dueNs() - System.nanoTime();
        if (leftNs <= 0) {
            return true;
        }
        if (!wakes) {
            wakes = true;
            var unused = to.eventLoop()
                    .schedule(
                            () -> {
                                wakes = false;
                                pump();
                            },
                            leftNs,
                            TimeUnit.NANOSECONDS);
        }
        return false;
    }

    void discard() {
        queue.forEach(chunk -> chunk.bytes().release());
        queue.clear();
        queuedBytes = 0;
    }
}

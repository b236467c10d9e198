package io.spillway.broker.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.agrona.concurrent.ManyToOneConcurrentLinkedQueue;

/**
 * What other threads write to one connection. The first write after a pause schedules one task on the event loop, which
 * writes all that has come until then and flushes once. Bytes wait here, not in Netty, while the socket takes no more, so
 * that {@link #isWritable} tells the truth; deliveries stop on it, and acks are few because publish credit bounds them.
 * Thread-safe; {@code drain}, {@code close} and {@code stalledSince} belong to the event loop.
 */
final class OutboundQueue {
    /** Bytes waiting beyond which deliveries pause, and below which they go on. */
    private static final long HIGH_BYTES = 4 << 20;

    private static final long LOW_BYTES = 1 << 20;

    private final Channel channel;
    private final Runnable onWritable;
    private final ManyToOneConcurrentLinkedQueue<ByteBuf> queue = new ManyToOneConcurrentLinkedQueue<>();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private final AtomicBoolean refused = new AtomicBoolean();
    private final Runnable drain = this::drain;
    private volatile boolean closed;
    private boolean closeWhenEmpty;
    private long progress;

    /** @param onWritable run on the event loop when deliveries may go on after they were refused */
    OutboundQueue(Channel channel, Runnable onWritable) {
        this.channel = channel;
        this.onWritable = onWritable;
    }

    void add(ByteBuf frame) {
        if (closed) {
            frame.release();
            return;
        }
        bytes.addAndGet(frame.readableBytes());
        queue.add(frame);
        schedule();
    }

    void add(ByteBuf prefix, ByteBuf payload) {
        if (closed) {
            prefix.release();
            payload.release();
            return;
        }
        bytes.addAndGet(prefix.readableBytes() + payload.readableBytes());
        // One element, so that two writers never interleave a prefix with another's payload.
        queue.add(channel.alloc().compositeBuffer(2).addComponents(true, prefix, payload));
        schedule();
    }

    private void schedule() {
        if (!scheduled.get() && scheduled.compareAndSet(false, true)) {
            channel.eventLoop().execute(drain);
        }
    }

    /** Whether deliveries may be added; after a false, {@code onWritable} tells when they may again. */
    boolean isWritable() {
        if (bytes.get() < HIGH_BYTES) {
            return true;
        }
        refused.set(true);
        return bytes.get() < LOW_BYTES;
    }

    void closeWhenEmpty() {
        channel.eventLoop().execute(() -> {
            closeWhenEmpty = true;
            drain();
        });
    }

    /** Writes what waits, as long as the socket takes it. */
    void drain() {
        scheduled.set(false);
        if (closed) {
            releaseAll();
            return;
        }
        boolean wrote = false;
        ByteBuf frame;
        while (channel.isWritable() && (frame = queue.poll()) != null) {
            bytes.addAndGet(-frame.readableBytes());
            progress++;
            channel.write(frame, channel.voidPromise());
            wrote = true;
        }
        if (wrote) {
            channel.flush();
        }
        if (refused.get() && bytes.get() < LOW_BYTES) {
            refused.set(false);
            onWritable.run();
        }
        if (closeWhenEmpty && queue.isEmpty()) {
            channel.writeAndFlush(io.netty.buffer.Unpooled.EMPTY_BUFFER)
                    .addListener(io.netty.channel.ChannelFutureListener.CLOSE);
        }
    }

    boolean isEmpty() {
        return queue.isEmpty();
    }

    /** Grows with every frame the socket took. */
    long progress() {
        return progress;
    }

    void close() {
        closed = true;
        releaseAll();
    }

    private void releaseAll() {
        ByteBuf frame;
        while ((frame = queue.poll()) != null) {
            frame.release();
        }
    }
}

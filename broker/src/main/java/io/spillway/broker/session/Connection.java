package io.spillway.broker.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.spillway.broker.auth.Peer;

/** The wire under a session, as transport provides it. Thread-safe. */
public interface Connection {
    ByteBufAllocator allocator();

    /** Queues a frame; takes it over. Never blocks. */
    void send(ByteBuf frame);

    /** Queues a frame whose payload is a buffer of its own; takes both over. Never blocks. */
    void send(ByteBuf prefix, ByteBuf payload);

    /** False when the peer reads too slowly for more deliveries; the session is told when that has changed. */
    boolean writable();

    /** Allows frames of this size from now on. */
    void maxFrameBytes(int bytes);

    /** The interval of heartbeats from now on, in ms; three without a byte end the connection. On its event loop. */
    void heartbeatMs(int ms);

    /** Reads nothing for so long. On its event loop. */
    void pauseReading(int ms);

    /** Runs a task on the connection's event loop, where its frames are handled. */
    void execute(Runnable task);

    /** Closes once everything queued has been written, or after a second. */
    void closeAfterFlush();

    /** What the connection itself tells of who is on the other side. */
    Peer peer();

    /** Who is on the other side, for logs. */
    String remote();
}

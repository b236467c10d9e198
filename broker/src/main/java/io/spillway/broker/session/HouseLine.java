package io.spillway.broker.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.spillway.broker.auth.Peer;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.Hello;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * The line of one client in the house: frames go to its session and come back without a socket between. Confined to its
 * executor, but for the {@link Connection} methods.
 */
final class HouseLine implements Connection {
    private final Executor thread;
    private final House.Visitor visitor;
    private final Consumer<HouseFrame> heard;
    private final ClientSession session;
    private boolean closed;

    /** @param heard gets what comes back, on the executor; nothing after {@link #close} */
    HouseLine(SessionContext context, Executor thread, House.Visitor visitor, Consumer<HouseFrame> heard) {
        this.thread = thread;
        this.visitor = visitor;
        this.heard = heard;
        session = new ClientSession(context, this);
    }

    /** Where another node leads, and this one serves no readers, the refusal is heard. */
    void open() {
        session.enter(
                Hello.newBuilder()
                        .setClientId(visitor.name())
                        .setLang(visitor.name())
                        .setFollowerReads(true)
                        .build(),
                visitor.identity());
    }

    boolean isOpen() {
        return session.isOpen();
    }

    void say(FrameKind kind, int channel, int correlation, com.google.protobuf.MessageLite message) {
        try {
            session.onFrame(new Frame(
                    kind.code(),
                    0,
                    channel,
                    correlation,
                    Unpooled.wrappedBuffer(message.toByteArray()),
                    Unpooled.EMPTY_BUFFER));
        } catch (ProtocolException e) {
            throw new SpillwayException(
                    e.code(), "the request is not understood", String.valueOf(e.getMessage()), "correct it", 0, e);
        }
    }

    void close() {
        closed = true;
        session.onClosed();
    }

    @Override
    public ByteBufAllocator allocator() {
        return ByteBufAllocator.DEFAULT;
    }

    @Override
    public void send(ByteBuf frame) {
        send(frame, Unpooled.EMPTY_BUFFER);
    }

    @Override
    public void send(ByteBuf prefix, ByteBuf payload) {
        HouseFrame frame;
        try {
            frame = HouseFrame.of(prefix, payload);
        } finally {
            prefix.release();
            payload.release();
        }
        thread.execute(() -> {
            if (!closed) {
                heard.accept(frame);
            }
        });
    }

    /** What it is sent is bounded by the credit it gives. */
    @Override
    public boolean writable() {
        return true;
    }

    @Override
    public void maxFrameBytes(int bytes) {}

    @Override
    public void heartbeatMs(int ms) {}

    @Override
    public void pauseReading(int ms) {}

    @Override
    public void execute(Runnable task) {
        thread.execute(task);
    }

    /** Whoever opened it closes it, once it has its answer. */
    @Override
    public void closeAfterFlush() {}

    @Override
    public Peer peer() {
        return Peer.UNKNOWN;
    }

    @Override
    public String remote() {
        return visitor.remote();
    }

    /** What an error frame says. */
    static SpillwayException failure(HouseFrame frame) {
        Error error = frame.header(Error.parser());
        Code code = Code.of(error.getCode());
        SpillwayException failure = new SpillwayException(
                code == null ? Code.INTERNAL : code,
                error.getMessage(),
                error.getCause(),
                error.getNextStep(),
                error.getRetryAfterMs(),
                null);
        error.getMetadataMap().forEach(failure::with);
        return failure;
    }
}

package io.spillway.broker.session;

import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.shard.Reply;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Error;
import java.util.function.Function;

/** Writes frames to one connection. Thread-safe. */
final class Outbox {
    private final Connection connection;

    Outbox(Connection connection) {
        this.connection = connection;
    }

    void send(FrameKind kind, int channel, MessageLite header) {
        connection.send(Frame.encode(connection.allocator(), kind, 0, channel, 0, header));
    }

    void sendPayload(FrameKind kind, int channel, MessageLite header, ByteBuf payload) {
        connection.send(
                Frame.encodePrefix(connection.allocator(), kind, 0, channel, 0, header, payload.readableBytes()),
                payload);
    }

    void answer(FrameKind kind, int channel, int correlation, MessageLite header) {
        connection.send(Frame.encode(connection.allocator(), kind, Frame.RESPONSE, channel, correlation, header));
    }

    /** Answers with a header of which a part is encoded already. */
    void answer(FrameKind kind, int channel, int correlation, MessageLite header, byte[] more) {
        connection.send(Frame.encode(connection.allocator(), kind, Frame.RESPONSE, channel, correlation, header, more));
    }

    /** Answers with a message in the payload, for what may be larger than a header. */
    void answerPayload(FrameKind kind, int correlation, MessageLite header, MessageLite payload) {
        byte[] bytes = payload.toByteArray();
        ByteBuf prefix =
                Frame.encodePrefix(connection.allocator(), kind, Frame.RESPONSE, 0, correlation, header, bytes.length);
        connection.send(prefix.writeBytes(bytes));
    }

    /** The same with bytes as they are; takes the payload over. */
    void answerPayload(FrameKind kind, int correlation, MessageLite header, ByteBuf payload) {
        connection.send(
                Frame.encodePrefix(
                        connection.allocator(), kind, Frame.RESPONSE, 0, correlation, header, payload.readableBytes()),
                payload);
    }

    /** Whether the peer keeps up with what it is sent. */
    boolean writable() {
        return connection.writable();
    }

    void fail(FrameKind kind, int channel, int correlation, Error error) {
        connection.send(
                Frame.encode(connection.allocator(), kind, Frame.RESPONSE | Frame.ERROR, channel, correlation, error));
    }

    /** Tells that what was opened on a channel is not, or no longer; forgotten before the peer can know, so that it may reuse it. */
    void end(FrameKind kind, int channel, int correlation, SpillwayException why, Runnable forget) {
        connection.execute(() -> {
            forget.run();
            fail(kind, channel, correlation, WireErrors.of(why));
        });
    }

    /** A reply that answers this request with the result's wire form. */
    <T> Reply<T> reply(FrameKind kind, int channel, int correlation, Function<T, MessageLite> toWire) {
        return reply(kind, channel, correlation, toWire, () -> {});
    }

    /** The same for a request that opened something on its channel, to be forgotten when it is refused. */
    <T> Reply<T> reply(FrameKind kind, int channel, int correlation, Function<T, MessageLite> toWire, Runnable forget) {
        return new Reply<>() {
            @Override
            public void ok(T result) {
                answer(kind, channel, correlation, toWire.apply(result));
            }

            @Override
            public void failed(SpillwayException why) {
                end(kind, channel, correlation, why, forget);
            }
        };
    }
}

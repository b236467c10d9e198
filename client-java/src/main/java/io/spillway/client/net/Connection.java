package io.spillway.client.net;

import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.util.collection.IntObjectHashMap;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.GoAway;
import io.spillway.protocol.v1.Handoff;
import io.spillway.protocol.v1.HelloOk;
import io.spillway.protocol.v1.Ping;
import io.spillway.protocol.v1.ToggleUpdate;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;

/**
 * One open session with a broker: requests and their answers by correlation, handles for publishers and subscriptions,
 * heartbeat. What is written in one turn of the network thread is flushed once at its end. Confined to the network
 * thread.
 */
public final class Connection {
    private static final int MAX_HANDLE = 65_535;
    private static final int DEAD_AFTER_HEARTBEATS = 3;
    private static final long MIN_PING_INTERVAL_NS = 1_000_000_000L;

    private final Channel channel;
    private final Endpoint endpoint;
    private final HelloOk hello;
    private final Clock clock;
    private final long heartbeatNs;
    private final IntObjectHashMap<ResponseHandler> waiting = new IntObjectHashMap<>();
    private final IntObjectHashMap<HandleListener> handles = new IntObjectHashMap<>();
    private ConnectionListener listener = new Unheard();
    private int lastCorrelation;
    private int lastHandle;
    private boolean flushDue;
    private @Nullable Error closedBy;
    private long lastReadNs;
    private long lastWriteNs;
    private long lastPingNs;
    private long lastTickNs;

    Connection(Channel channel, Endpoint endpoint, HelloOk hello, int heartbeatMs, Clock clock) {
        this.channel = channel;
        this.endpoint = endpoint;
        this.hello = hello;
        this.clock = clock;
        int agreedMs = hello.getHeartbeatMs() > 0 ? hello.getHeartbeatMs() : heartbeatMs;
        heartbeatNs = agreedMs * 1_000_000L;
        long now = clock.nanoTime();
        lastReadNs = now;
        lastWriteNs = now;
        lastPingNs = now - MIN_PING_INTERVAL_NS;
        lastTickNs = now;
    }

    void listener(ConnectionListener heir) {
        listener = heir;
    }

    public Endpoint endpoint() {
        return endpoint;
    }

    /** What the broker said when the session began: its limits and its version. */
    public HelloOk hello() {
        return hello;
    }

    public ByteBufAllocator allocator() {
        return channel.alloc();
    }

    public boolean isOpen() {
        return closedBy == null;
    }

    /** Whether the socket takes more; when not, {@code onTurn} says when it does again. */
    public boolean isWritable() {
        return channel.isWritable();
    }

    /** A free handle for a publisher or subscription. */
    public int openHandle(HandleListener heir) {
        do {
            lastHandle = lastHandle % MAX_HANDLE + 1;
        } while (handles.containsKey(lastHandle));
        handles.put(lastHandle, heir);
        return lastHandle;
    }

    /** Forgets the handle; what still arrives for it is ignored. */
    public void closeHandle(int handle) {
        handles.remove(handle);
    }

    /** Sends a request; its handler is called exactly once, unless it is forgotten. Returns its correlation. */
    public int request(FrameKind kind, int handle, MessageLite header, ResponseHandler handler) {
        int correlation = expect(handler);
        if (correlation != 0) {
            write(Frame.encode(channel.alloc(), kind, Frame.CRITICAL, handle, correlation, header));
        }
        return correlation;
    }

    /** A request whose payload is two buffers, written one after the other without a copy; they stay the caller's. */
    public int request(
            FrameKind kind, int handle, MessageLite header, ByteBuf first, ByteBuf second, ResponseHandler handler) {
        int correlation = expect(handler);
        if (correlation != 0) {
            int bytes = first.readableBytes() + second.readableBytes();
            write(Frame.encodePrefix(channel.alloc(), kind, Frame.CRITICAL, handle, correlation, header, bytes));
            write(first.retainedDuplicate());
            write(second.retainedDuplicate());
        }
        return correlation;
    }

    private int expect(ResponseHandler handler) {
        Error over = closedBy;
        if (over != null) {
            handler.onError(over);
            return 0;
        }
        do {
            lastCorrelation++;
        } while (lastCorrelation == 0 || waiting.containsKey(lastCorrelation));
        waiting.put(lastCorrelation, handler);
        return lastCorrelation;
    }

    /** Ignores the answer to that request from now on. */
    public void forget(int correlation) {
        waiting.remove(correlation);
    }

    /** Sends a frame that has no answer. */
    public void send(FrameKind kind, int handle, MessageLite header) {
        if (closedBy == null) {
            write(Frame.encode(channel.alloc(), kind, 0, handle, 0, header));
        }
    }

    private void write(ByteBuf bytes) {
        channel.write(bytes, channel.voidPromise());
        if (!flushDue) {
            flushDue = true;
            channel.eventLoop().execute(this::flush);
        }
    }

    private void flush() {
        flushDue = false;
        lastWriteNs = clock.nanoTime();
        channel.flush();
    }

    /** Keeps the session alive and finds out when it is dead. Call it several times a second. */
    void tick() {
        long now = clock.nanoTime();
        if (now - lastTickNs > heartbeatNs) {
            lastReadNs = now; // this thread stood still; what has arrived meanwhile has not been read yet
        }
        lastTickNs = now;
        if (now - lastReadNs > DEAD_AFTER_HEARTBEATS * heartbeatNs) {
            close(Errors.of(
                    Code.CONNECTION_LOST,
                    "the connection to " + endpoint + " is dead",
                    "not a byte came for " + (now - lastReadNs) / 1_000_000 + " ms",
                    "check the network and the broker"));
        } else if (now - Math.min(lastReadNs, lastWriteNs) > heartbeatNs / 2
                && now - lastPingNs >= Math.max(MIN_PING_INTERVAL_NS, heartbeatNs / 2)) {
            lastPingNs = now;
            request(FrameKind.PING, 0, Ping.getDefaultInstance(), new Pong());
        }
    }

    void onBytes() {
        lastReadNs = clock.nanoTime();
    }

    void onTurn() {
        listener.onTurn();
    }

    /** One frame from the broker; the caller releases it. */
    void onFrame(Frame frame) {
        if (frame.isResponse() && frame.correlation() != 0) {
            onResponse(frame);
        } else if (frame.isError()) {
            onOneWayError(frame);
        } else if (!frame.isResponse()) {
            onNotice(frame);
        }
    }

    private void onResponse(Frame frame) {
        ResponseHandler handler = waiting.remove(frame.correlation());
        if (handler == null) {
            return;
        }
        if (frame.isError()) {
            Error error = frame.header(Error.parser());
            if (Errors.is(error, Code.DRAINING)) {
                listener.onGoAway(GoAway.newBuilder()
                        .setError(error)
                        .setReconnectAfterMs(error.getRetryAfterMs())
                        .build());
            } else {
                tellNotLeader(error);
            }
            handler.onError(error);
        } else {
            handler.onResponse(frame);
        }
    }

    private void onOneWayError(Frame frame) {
        Error error = frame.header(Error.parser());
        HandleListener heir = handles.get(frame.channel());
        if (frame.channel() == 0) {
            close(error);
            return;
        }
        tellNotLeader(error);
        if (heir != null) {
            heir.onEnded(error);
        }
    }

    /** All else that is under way here will be refused, too. A leader that is about to begin says LEADER_ELECTION. */
    private void tellNotLeader(Error error) {
        if (Errors.is(error, Code.NOT_LEADER)) {
            listener.onNotLeader(error);
        }
    }

    private void onNotice(Frame frame) {
        FrameKind kind = FrameKind.of(frame.kindCode());
        HandleListener heir = handles.get(frame.channel());
        if (kind == FrameKind.DELIVER && heir != null) {
            heir.onDeliver(frame);
        } else if (kind == FrameKind.HANDOFF && heir != null) {
            heir.onHandoff(frame.header(Handoff.parser()));
        } else if (kind == FrameKind.BACKPRESSURE) {
            onBackpressure(frame.header(Backpressure.parser()), frame.channel());
        } else if (kind == FrameKind.TOGGLE_UPDATE) {
            listener.onToggles(frame.header(ToggleUpdate.parser()));
        } else if (kind == FrameKind.PING && frame.correlation() != 0) {
            Ping ping = frame.header(Ping.parser());
            write(Frame.encode(channel.alloc(), FrameKind.PING, Frame.RESPONSE, 0, frame.correlation(), ping));
        } else if (kind == FrameKind.GO_AWAY) {
            listener.onGoAway(frame.header(GoAway.parser()));
        }
    }

    private void onBackpressure(Backpressure signal, int frameHandle) {
        int scope = signal.getChannel() == 0 ? frameHandle : signal.getChannel();
        HandleListener heir = handles.get(scope);
        if (scope == 0) {
            listener.onBackpressure(signal);
        } else if (heir != null) {
            heir.onBackpressure(signal);
        }
    }

    /** Ends the session; everything that waits fails with this error. Closing twice is fine. */
    public void close(Error why) {
        if (closedBy != null) {
            return;
        }
        closedBy = why;
        channel.close();
        var abandoned = new ArrayList<>(waiting.values());
        waiting.clear();
        handles.clear();
        for (ResponseHandler handler : abandoned) {
            handler.onError(why);
        }
        listener.onClosed(why);
    }

    /** Any byte is a sign of life; that the answer came says nothing more. */
    private static final class Pong implements ResponseHandler {
        @Override
        public void onResponse(Frame frame) {}

        @Override
        public void onError(Error error) {}
    }

    /** Before its owner listens, there is nothing to hear but the end, which the owner asks for. */
    private static final class Unheard implements ConnectionListener {
        @Override
        public void onTurn() {}

        @Override
        public void onBackpressure(Backpressure signal) {}

        @Override
        public void onToggles(ToggleUpdate update) {}

        @Override
        public void onGoAway(GoAway notice) {}

        @Override
        public void onNotLeader(Error why) {}

        @Override
        public void onClosed(Error why) {}
    }
}

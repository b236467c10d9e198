package io.spillway.client;

import io.netty.channel.EventLoop;
import io.spillway.client.core.InFlightWindow;
import io.spillway.client.net.Clock;
import io.spillway.client.net.Connection;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.PressureState;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Lets batches out to the connection: as many as the window allows, none before the gate the broker set, the partitions
 * in turn. Confined to the network thread.
 */
final class PublishFlow {
    /** Longest time a broker can make this side wait with one signal. */
    private static final long MAX_GATE_MS = 30_000;

    private final EventLoop loop;
    private final Clock clock;
    private final ClientMetrics metrics;
    private final ArrayDeque<PartitionPublisher> runnable = new ArrayDeque<>();
    private InFlightWindow window = new InFlightWindow();
    private @Nullable Connection connection;
    private boolean draining;
    private boolean runDue;
    private int inFlight;
    private long gateNs;
    private PressureState pressure = PressureState.P_NORMAL;

    PublishFlow(EventLoop loop, Clock clock, ClientMetrics metrics) {
        this.loop = loop;
        this.clock = clock;
        this.metrics = metrics;
        gateNs = clock.nanoTime();
    }

    void onReady(Connection fresh) {
        connection = fresh;
        draining = false;
        window = new InFlightWindow();
        inFlight = 0;
        gateNs = clock.nanoTime();
        pressure = fresh.hello().getState();
    }

    void onLost() {
        connection = null;
        inFlight = 0;
    }

    /** The broker is going away: what is in flight may finish, nothing new is sent. */
    void drain() {
        draining = true;
    }

    /** The connection for new requests, or null. */
    @Nullable
    Connection connection() {
        return draining ? null : connection;
    }

    int inFlight() {
        return inFlight;
    }

    boolean maySend() {
        return connection != null
                && !draining
                && inFlight < window.limit()
                && clock.nanoTime() - gateNs >= 0
                && connection.isWritable();
    }

    /** Why nothing can be sent on the connection there is; for the error of a batch whose time is over. */
    String obstacle() {
        if (clock.nanoTime() - gateNs < 0) {
            return "the broker asked to wait, its state is " + pressure.name().substring(2);
        }
        return inFlight >= window.limit()
                ? inFlight + " batches are in flight, the window allows no more"
                : "the connection does not take more bytes";
    }

    void onSent() {
        inFlight++;
    }

    /** A batch has its verdict, or is taken back without one. */
    void onDone() {
        inFlight--;
    }

    void onAcked(PressureState state, int throttleMs) {
        window.onAck(inFlight);
        inFlight--;
        onPressure(state, throttleMs, "connection");
    }

    /** A batch was refused. Only a refusal for load says something about the window. */
    void onRefused(Error error) {
        Code code = Code.of(error.getCode());
        if (code != null && code.backoff() == Code.Backoff.THROTTLE) {
            window.onSignal(InFlightWindow.Signal.THROTTLED, clock.nanoTime() / 1_000_000);
        }
    }

    void onTimeout() {
        window.onSignal(InFlightWindow.Signal.TIMEOUT, clock.nanoTime() / 1_000_000);
    }

    void onBackpressure(Backpressure signal) {
        onPressure(signal.getState(), signal.getRetryAfterMs(), signal.getScope());
    }

    private void onPressure(PressureState state, int retryAfterMs, String scope) {
        pressure = state;
        window.onState(state);
        if (state == PressureState.P_NORMAL && retryAfterMs == 0) {
            return;
        }
        long nowNs = clock.nanoTime();
        window.onSignal(signal(state), nowNs / 1_000_000);
        if (state != PressureState.P_ELEVATED) {
            gateNs = nowNs + gateMs(retryAfterMs) * 1_000_000;
            metrics.onThrottled(scope, gateMs(retryAfterMs));
        }
    }

    private static InFlightWindow.Signal signal(PressureState state) {
        return switch (state) {
            case P_ELEVATED -> InFlightWindow.Signal.ELEVATED;
            case P_NORMAL, P_THROTTLED -> InFlightWindow.Signal.THROTTLED;
            case P_OVERLOADED, P_READ_ONLY, UNRECOGNIZED -> InFlightWindow.Signal.OVERLOADED;
        };
    }

    static long gateMs(int retryAfterMs) {
        return retryAfterMs < 0 ? MAX_GATE_MS : Math.min(retryAfterMs, MAX_GATE_MS);
    }

    /** The publisher has something to do; it is done at the end of this turn. */
    void wake(PartitionPublisher publisher) {
        if (!publisher.queued) {
            publisher.queued = true;
            runnable.add(publisher);
        }
        if (!runDue) {
            runDue = true;
            loop.execute(this::run);
        }
    }

    /** Gives the publisher its turn now; it has work that came from another thread. */
    void runNow(PartitionPublisher publisher) {
        if (!publisher.queued && publisher.pump()) {
            publisher.queued = true;
            runnable.add(publisher);
        }
    }

    /** Gives each publisher that has something to do its turn, until the window is full. */
    void run() {
        runDue = false;
        for (int turns = runnable.size(); turns > 0; turns--) {
            PartitionPublisher publisher = runnable.remove();
            publisher.queued = false;
            if (publisher.pump()) {
                publisher.queued = true;
                runnable.add(publisher);
            }
        }
    }
}

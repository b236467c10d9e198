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
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Lets batches out to the connection: as many as the window allows, none before the gate the broker set, the partitions
 * in turn. Confined to the network thread, but for {@link #mayLet} and what {@link KnownPressure} allows.
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
    private final KnownPressure pressure;
    private final Holds holds;
    /** For other threads: a batch could be sent, but for the gate. */
    private volatile boolean hasRoom;

    PublishFlow(EventLoop loop, Clock clock, ClientMetrics metrics, Consumer<Pressure> onPressure) {
        this.loop = loop;
        this.clock = clock;
        this.metrics = metrics;
        pressure = new KnownPressure("connection", clock, onPressure);
        holds = new Holds(clock, onPressure);
    }

    /** What waits of single topics. */
    Holds holds() {
        return holds;
    }

    /** The worst of what is known of the connection and of the topic. From any thread. */
    Pressure pressureOn(ProducerContext producer) {
        return holds.worst(pressure.now(), producer);
    }

    /** What the broker says of itself, for all that is published. */
    KnownPressure pressure() {
        return pressure;
    }

    void onReady(Connection fresh) {
        connection = fresh;
        draining = false;
        window = new InFlightWindow();
        inFlight = 0;
        window.onState(fresh.hello().getState());
        tellWindow(pressure.connected(fresh.hello().getState()));
        holds.clear();
        look();
    }

    void onLost() {
        connection = null;
        inFlight = 0;
        look();
    }

    /** The broker is going away: what is in flight may finish, nothing new is sent. */
    void drain() {
        draining = true;
        look();
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
        look();
        return hasRoom && pressure.isGateOpen();
    }

    /** Whether a batch could be sent now. From any thread. */
    boolean mayLet() {
        return hasRoom && pressure.isGateOpen();
    }

    private void look() {
        boolean room = connection != null && !draining && inFlight < window.limit() && connection.isWritable();
        if (room != hasRoom) {
            hasRoom = room;
        }
    }

    /** Why nothing can be sent on the connection there is; for the error of a batch whose time is over. */
    String obstacle() {
        if (!pressure.isGateOpen()) {
            return "the broker asked to wait, its state is " + pressure.now().level();
        }
        return inFlight >= window.limit()
                ? inFlight + " batches are in flight, the window allows no more"
                : "the connection does not take more bytes";
    }

    void onSent() {
        inFlight++;
        look();
    }

    /** A batch has its verdict, or is taken back without one. */
    void onDone() {
        inFlight--;
        look();
    }

    void onAcked(PressureState state, int throttleMs) {
        window.onAck(inFlight);
        inFlight--;
        boolean changed = pressure.acked(state, throttleMs);
        onPressure(state, throttleMs, "connection", changed);
        look();
    }

    /** A batch was refused. Only a refusal for load says something about the window. */
    void onRefused(Error error) {
        Code code = Code.of(error.getCode());
        if (code != null && code.backoff() == Code.Backoff.THROTTLE) {
            window.onSignal(InFlightWindow.Signal.THROTTLED, clock.nanoTime() / 1_000_000);
        }
    }

    /**
     * Something of a publisher was refused for load, and is tried again after that time. What would be refused for the same reason
     * waits, too.
     *
     * @param own the publisher's pressure
     */
    void onLoadRefused(ProducerContext producer, KnownPressure own, Error error, long waitMs) {
        if (!KnownPressure.isOfLoad(error)) {
            return;
        }
        long holdMs = Holds.holdMs(error, waitMs);
        Holds.Reach reach = Holds.Reach.of(error);
        metrics.onThrottled(error.getMetadataOrDefault("scope", producer.topic()), holdMs);
        switch (reach) {
            case PARTITION -> own.refused(error, waitMs);
            case CLASS, TOPIC -> holds.refused(producer, reach, error, holdMs);
            case CONNECTION -> {
                boolean changed = pressure.refused(error, holdMs);
                window.onRefused();
                tellWindow(changed);
                look();
            }
        }
    }

    void onTimeout() {
        window.onSignal(InFlightWindow.Signal.TIMEOUT, clock.nanoTime() / 1_000_000);
    }

    void onBackpressure(Backpressure signal) {
        boolean changed = pressure.signal(signal, "");
        onPressure(signal.getState(), signal.getRetryAfterMs(), signal.getScope(), changed);
        look();
    }

    /** What the broker said stands no longer than it said. */
    void tick() {
        tellWindow(pressure.tick());
        holds.tick();
        look();
    }

    private void tellWindow(boolean changed) {
        if (changed) {
            window.onState(pressure.state());
        }
    }

    private void onPressure(PressureState state, int retryAfterMs, String scope, boolean changed) {
        tellWindow(changed);
        if (state == PressureState.P_NORMAL && retryAfterMs == 0) {
            return;
        }
        window.onSignal(signal(state), clock.nanoTime() / 1_000_000);
        if (state != PressureState.P_ELEVATED) {
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

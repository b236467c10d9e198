package io.spillway.client.net;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import io.spillway.client.core.Backoff;
import io.spillway.client.core.Candidate;
import io.spillway.client.core.ConnectionMachine;
import io.spillway.client.core.ConnectionMachine.Action;
import io.spillway.client.core.Preference;
import io.spillway.client.core.Refusal;
import io.spillway.client.core.Welcome;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.GoAway;
import io.spillway.protocol.v1.HelloOk;
import io.spillway.protocol.v1.ToggleUpdate;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the client connected: does what its {@link ConnectionMachine} decides. There is one connection, and for a moment two
 * while the client moves from a broker that goes away to another. Confined to the network thread, but for {@link #hello},
 * {@link #lastError} and {@link #isConnected}.
 */
public final class Link {
    /** Hears of the link. Called on the network thread. */
    public interface Listener {
        /** There is a connection after there was none. */
        void onReady(Connection connection);

        /** The connection is over; what was under way has no outcome. */
        void onLost(Endpoint endpoint, Error why);

        /** The connection ends soon: finish what is under way and start nothing. */
        void onDraining();

        /** From now on publishers and requests use this connection. */
        void onPublishersMoved(Connection connection);

        /** From now on subscriptions use this connection. */
        void onSubscriptionsMoved(Connection connection);

        /** Whether batches wait for their verdict. */
        boolean isPublishing();

        /** Whether messages are being handled, or settlements wait for their answer. */
        boolean isConsuming();

        /** An attempt to connect failed. */
        void onConnectFailed(Endpoint endpoint, Error why);

        /** No endpoint could be connected to; the next round begins after a pause. */
        void onRoundFailed(Error last);

        void onBackpressure(Backpressure signal);

        /** What is toggled, all of it. */
        default void onToggles(ToggleUpdate update) {}

        /** Bytes that had arrived have been handled, or there is room to write again. */
        void onTurn();

        /** Comes every {@value Link#TICK_MS} ms. */
        void onTick(long nowNs);
    }

    public static final int TICK_MS = 20;

    private static final System.Logger LOG = System.getLogger("io.spillway.client");

    private final EventLoop loop;
    private final Clock clock;
    private final RandomGenerator random;
    private final Connector connector;
    private final Resolver resolver;
    private final Map<Candidate, Peer> peers = new IdentityHashMap<>();
    private final ConnectionMachine machine;
    private @Nullable Listener heir;
    /** Where publishers and requests are; its breaker counts their outcomes. */
    private @Nullable Peer callee;

    private volatile boolean connected;
    private @Nullable ScheduledFuture<?> ticks;
    private volatile @Nullable HelloOk hello;
    private volatile Error lastError;

    public Link(
            EventLoop loop,
            List<Endpoint> endpoints,
            ConnectionSettings settings,
            Clock clock,
            RandomGenerator random) {
        this.loop = loop;
        this.clock = clock;
        this.random = random;
        connector = new Connector(loop, settings, clock);
        resolver = new Resolver(loop);
        List<Candidate> candidates = new ArrayList<>();
        for (Endpoint endpoint : endpoints) {
            Candidate candidate = new Candidate(endpoint.toString(), "");
            candidates.add(candidate);
        }
        machine = new ConnectionMachine(candidates, new Preference(settings.zone(), settings.followerReads()));
        lastError = Errors.of(Code.CONNECT_FAILED, "not connected yet", "no attempt was made", "wait");
    }

    public EventLoop loop() {
        return loop;
    }

    /** What the broker said when the newest connection began; null before the first. */
    public @Nullable HelloOk hello() {
        return hello;
    }

    /** Why the last attempt or connection ended. */
    public Error lastError() {
        return lastError;
    }

    /** The connection that publishers and requests use, or null. */
    public @Nullable Connection current() {
        return callee == null ? null : callee.connection;
    }

    /** Whether there is a connection. From any thread. */
    public boolean isConnected() {
        return connected;
    }

    /** A broker has named these as the nodes of its cluster, to this link or to another one. */
    public void know(List<io.spillway.protocol.v1.Endpoint> told) {
        machine.know(Nodes.nodes(told));
    }

    /** At random from 0 to that. */
    public long upTo(long most) {
        return most * r() / Backoff.MAX_R;
    }

    /** Starts connecting, and goes on until it is closed. */
    public void start(Listener newListener) {
        heir = newListener;
        ticks = loop.scheduleAtFixedRate(this::tick, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
        perform(machine.start(nowMs(), r()));
    }

    /** A call on the current connection ended; {@code failure} is null for a success. */
    public void onOutcome(Code.@Nullable Breaker failure, long sentNs) {
        Peer peer = callee;
        if (peer != null && peer.connection != null) {
            long latencyMs = (clock.nanoTime() - sentNs) / 1_000_000;
            if (failure == null) {
                peer.candidate.breaker().onSuccess(nowMs(), latencyMs);
            } else {
                peer.candidate.breaker().onFailure(nowMs(), failure, latencyMs, r());
            }
        }
    }

    /** Ends the link and its connections for good. */
    public void close(Error why) {
        lastError = why;
        if (ticks != null) {
            ticks.cancel(false);
        }
        perform(machine.close());
    }

    private Listener listener() {
        return Objects.requireNonNull(heir, "the link was not started");
    }

    private long nowMs() {
        return clock.nanoTime() / 1_000_000;
    }

    private int r() {
        return random.nextInt(Backoff.MAX_R + 1);
    }

    private void perform(List<Action> actions) {
        for (Action action : actions) {
            Candidate candidate = action.candidate();
            if (candidate == null) {
                listener().onRoundFailed(lastError);
            } else {
                perform(action.kind(), peers.computeIfAbsent(candidate, Peer::new));
            }
        }
    }

    private void perform(ConnectionMachine.Kind kind, Peer peer) {
        Connection connection = peer.connection;
        switch (kind) {
            case DIAL -> peer.dial();
            case DRAIN -> listener().onDraining();
            case CLOSE -> peer.close();
            case LOST -> {
                callee = null;
                connected = false;
                listener().onLost(peer.endpoint, lastError);
            }
            case USE -> {
                callee = peer;
                connected = true;
                listener().onReady(Objects.requireNonNull(connection));
            }
            case MOVE_PUBLISHERS -> {
                callee = peer;
                listener().onPublishersMoved(Objects.requireNonNull(connection));
            }
            case MOVE_SUBSCRIPTIONS -> listener().onSubscriptionsMoved(Objects.requireNonNull(connection));
            case ROUND_FAILED -> throw new IllegalStateException("it concerns no endpoint");
        }
    }

    private void tick() {
        try {
            for (Peer peer : List.copyOf(peers.values())) {
                if (peer.connection != null) {
                    peer.connection.tick();
                }
            }
            if (machine.state() == ConnectionMachine.State.DRAINING) {
                tellLoad();
            }
            perform(machine.timer(nowMs(), r()));
            listener().onTick(clock.nanoTime());
        } catch (RuntimeException e) {
            LOG.log(
                    System.Logger.Level.ERROR,
                    "tick=failed cause=" + e,
                    e); // else the loop would end the ticks silently
        }
    }

    private void tellLoad() {
        perform(machine.load(listener().isPublishing(), listener().isConsuming(), nowMs(), r()));
    }

    /** Of endpoints that a cluster names no more. */
    private void forgetPeers() {
        List<Candidate> known = machine.known();
        peers.values().removeIf(peer -> peer.connection == null && !known.contains(peer.candidate));
    }

    private boolean isClosed() {
        return machine.state() == ConnectionMachine.State.CLOSED;
    }

    /** One endpoint and its connection. Hears both the attempt to connect and the connection. */
    private final class Peer implements Connector.Outcome {
        private final Candidate candidate;
        private final Endpoint endpoint;
        private int attempts;
        private long dialedMs;
        private @Nullable Connection connection;

        Peer(Candidate candidate) {
            this.candidate = candidate;
            endpoint = Endpoint.parse(candidate.endpoint());
        }

        /** The first attempt with an endpoint need not wait for its turn. */
        void dial() {
            attempts++;
            long waitMs = attempts == 1 ? 0 : ConnectTurns.OF_PROCESS.takeMs();
            if (waitMs == 0) {
                connect();
            } else {
                loop.schedule(this::connect, waitMs, TimeUnit.MILLISECONDS);
            }
        }

        private void connect() {
            if (isClosed()) {
                return;
            }
            dialedMs = nowMs();
            resolver.resolve(endpoint, attempts, connector.secret(), found -> {
                if (isClosed()) {
                    return;
                }
                if (found.address() == null) {
                    onFailed(Connector.cannotConnect(endpoint, "the host name is not known"));
                } else if (found.secret() == null) {
                    onFailed(Errors.of(
                            Code.UNAUTHENTICATED,
                            "cannot connect to " + endpoint,
                            "there is no password or token to be had: " + found.why(),
                            "look at what the client was given as its credentials"));
                } else {
                    connector.connect(endpoint, found.address(), found.secret(), this);
                }
            });
        }

        @Override
        public void onHandshaking() {
            perform(machine.connected(candidate));
        }

        @Override
        public void onConnected(Connection made) {
            if (isClosed()) {
                made.close(lastError);
                return;
            }
            connection = made;
            HelloOk ok = made.hello();
            hello = ok;
            made.listener(new Ears(this, made));
            tellLoad();
            Welcome welcome = new Welcome(zone(ok), ok.getState(), Nodes.nodes(ok.getEndpointsList()));
            perform(machine.helloOk(candidate, welcome, nowMs() - dialedMs, nowMs(), r()));
            forgetPeers();
        }

        private static String zone(HelloOk ok) {
            if (!ok.getZone().isEmpty()) {
                return ok.getZone();
            }
            return ok.getEndpointsList().stream()
                    .filter(each -> each.getBrokerId() == ok.getBrokerId())
                    .map(io.spillway.protocol.v1.Endpoint::getZone)
                    .findFirst()
                    .orElse("");
        }

        @Override
        public void onFailed(Error why) {
            if (!isClosed()) {
                lastError = why;
                listener().onConnectFailed(endpoint, why);
                perform(machine.failed(candidate, refusal(why), nowMs(), r()));
            }
        }

        private static Refusal refusal(Error why) {
            return new Refusal(
                    Code.of(why.getCode()), Nodes.redirect(why), Integer.toUnsignedLong(why.getRetryAfterMs()));
        }

        /** Ends the connection by our own decision; the machine knows. */
        void close() {
            Connection ending = connection;
            connection = null;
            if (ending != null) {
                lastError = isClosed()
                        ? lastError
                        : Errors.of(
                                Code.DRAINING,
                                endpoint + " is left",
                                "it goes away, or a broker in the client's zone is back",
                                "the client goes on elsewhere by itself");
                ending.close(lastError);
            }
        }

        void onClosed(Connection closed, Error why) {
            if (connection == closed) {
                connection = null;
                lastError = why;
                perform(machine.lost(candidate, nowMs(), r()));
            }
        }
    }

    /** Hears one connection. */
    private final class Ears implements ConnectionListener {
        private final Peer peer;
        private final Connection connection;

        Ears(Peer peer, Connection connection) {
            this.peer = peer;
            this.connection = connection;
        }

        @Override
        public void onTurn() {
            listener().onTurn();
        }

        @Override
        public void onBackpressure(Backpressure signal) {
            if (machine.active() == peer.candidate) {
                perform(machine.pressure(signal.getState()));
                listener().onBackpressure(signal);
            }
        }

        @Override
        public void onToggles(ToggleUpdate update) {
            if (update.getFull()) {
                listener().onToggles(update);
            }
        }

        @Override
        public void onGoAway(GoAway notice) {
            if (machine.active() == peer.candidate) {
                tellLoad();
                perform(machine.goAway(
                        notice.getGraceMs(),
                        notice.getReconnectAfterMs(),
                        Nodes.texts(notice.getEndpointsList()),
                        nowMs(),
                        r()));
            }
        }

        @Override
        public void onNotLeader(Error why) {
            if (machine.active() == peer.candidate) {
                tellLoad();
                perform(machine.notLeader(Nodes.redirect(why), nowMs(), r()));
            }
        }

        @Override
        public void onClosed(Error why) {
            peer.onClosed(connection, why);
        }
    }
}

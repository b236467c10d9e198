package io.spillway.client.net;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import io.spillway.client.core.Backoff;
import io.spillway.client.core.Breaker;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.GoAway;
import io.spillway.protocol.v1.HelloOk;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The one connection a client has, made anew whenever it is lost: the endpoints are tried in their order, each unless its
 * breaker is open; after a round without success it waits, longer from round to round. Confined to the network thread,
 * but for {@link #hello} and {@link #lastError}.
 */
public final class Link {
    /** Hears of the link. Called on the network thread. */
    public interface Listener {
        void onReady(Connection connection);

        /** The connection is over; what was under way has no outcome. */
        void onLost(Endpoint endpoint, Error why);

        /** The connection ends soon: finish what is under way and start nothing. */
        void onDraining();

        /** Whether something is still under way. */
        boolean isBusy();

        /** An attempt to connect failed. */
        void onConnectFailed(Endpoint endpoint, Error why);

        /** No endpoint could be connected to; the next round begins after a pause. */
        void onRoundFailed(Error last);

        void onBackpressure(Backpressure signal);

        /** Bytes that had arrived have been handled, or there is room to write again. */
        void onTurn();

        /** Comes every {@value Link#TICK_MS} ms. */
        void onTick(long nowNs);
    }

    static final int TICK_MS = 20;

    private static final int FIRST_DELAY_MS = 100;
    private static final int BLOCKED_MS = 60_000;
    private static final long STABLE_NS = 30_000_000_000L;
    private static final int DEFAULT_GRACE_MS = 5_000;

    private enum State {
        IDLE,
        CONNECTING,
        READY,
        DRAINING,
        BACKOFF,
        CLOSED
    }

    private static final System.Logger LOG = System.getLogger("io.spillway.client");

    private final EventLoop loop;
    private final Clock clock;
    private final RandomGenerator random;
    private final Connector connector;
    private final Resolver resolver;
    private final List<Candidate> candidates = new ArrayList<>();
    private @Nullable Listener heir;
    private State state = State.IDLE;
    private int first;
    private int position;
    private int failedRounds;
    private int reconnectAfterMs;
    private long readySinceNs;
    private long graceEndNs;
    private @Nullable Candidate chosen;
    private @Nullable Connection current;
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
        for (Endpoint endpoint : endpoints) {
            candidates.add(new Candidate(endpoint));
        }
        lastError = Errors.of(Code.CONNECT_FAILED, "not connected yet", "no attempt was made", "wait");
    }

    /** One endpoint and what is known of it. */
    private static final class Candidate {
        final Endpoint endpoint;
        final Breaker breaker = new Breaker();
        int attempts;
        long blockedUntilMs = Long.MIN_VALUE;

        Candidate(Endpoint endpoint) {
            this.endpoint = endpoint;
        }
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

    /** Starts connecting, and goes on until it is closed. */
    public void start(Listener newListener) {
        heir = newListener;
        ticks = loop.scheduleAtFixedRate(this::tick, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
        startRound();
    }

    private Listener listener() {
        return Objects.requireNonNull(heir, "the link was not started");
    }

    private void startRound() {
        if (state != State.CLOSED) {
            state = State.CONNECTING;
            position = 0;
            tryNext();
        }
    }

    private void tryNext() {
        while (position < candidates.size()) {
            Candidate candidate = candidates.get((first + position++) % candidates.size());
            if (mayTry(candidate)) {
                connect(candidate);
                return;
            }
        }
        first = 0;
        failedRounds++;
        listener().onRoundFailed(lastError);
        pause(reconnectDelayMs(failedRounds));
    }

    private long reconnectDelayMs(int retryNo) {
        return Backoff.CONNECTS.delayMs(Code.Backoff.TRANSIENT, retryNo, r(), 0);
    }

    private int r() {
        return random.nextInt(Backoff.MAX_R + 1);
    }

    /** With more than half of the breakers open the fault is probably on this side: they are ignored. */
    private boolean mayTry(Candidate candidate) {
        long nowMs = nowMs();
        long open = candidates.stream().filter(c -> c.breaker.isOpen(nowMs)).count();
        return nowMs >= candidate.blockedUntilMs && (open * 2 > candidates.size() || candidate.breaker.allow(nowMs));
    }

    private long nowMs() {
        return clock.nanoTime() / 1_000_000;
    }

    private void connect(Candidate candidate) {
        candidate.attempts++;
        long startMs = nowMs();
        Connector.Outcome outcome = new Connector.Outcome() {
            @Override
            public void onConnected(Connection connection) {
                candidate.breaker.onSuccess(nowMs(), nowMs() - startMs);
                ready(candidate, connection);
            }

            @Override
            public void onFailed(Error why) {
                connectFailed(candidate, why);
            }
        };
        resolver.resolve(candidate.endpoint, candidate.attempts, address -> {
            if (state == State.CLOSED) {
                return;
            }
            if (address == null) {
                outcome.onFailed(Connector.cannotConnect(candidate.endpoint, "the host name is not known"));
            } else {
                connector.connect(candidate.endpoint, address, outcome);
            }
        });
    }

    private void connectFailed(Candidate candidate, Error why) {
        candidate.breaker.onFailure(nowMs(), Code.Breaker.CONN_FAIL, 0, r());
        if (isRefusal(why)) {
            candidate.blockedUntilMs = nowMs() + BLOCKED_MS;
        }
        lastError = why;
        if (state != State.CLOSED) {
            listener().onConnectFailed(candidate.endpoint, why);
            tryNext();
        }
    }

    /** Errors that only another configuration can mend. */
    private static boolean isRefusal(Error error) {
        return Errors.is(error, Code.UNSUPPORTED_VERSION)
                || Errors.is(error, Code.UNSUPPORTED_FEATURE)
                || Errors.is(error, Code.UNAUTHENTICATED)
                || Errors.is(error, Code.PERMISSION_DENIED);
    }

    private void ready(Candidate candidate, Connection connection) {
        if (state == State.CLOSED) {
            connection.close(lastError);
            return;
        }
        state = State.READY;
        readySinceNs = clock.nanoTime();
        reconnectAfterMs = 0;
        first = 0;
        chosen = candidate;
        current = connection;
        hello = connection.hello();
        connection.listener(new Ears(connection.endpoint()));
        listener().onReady(connection);
    }

    /** Hears the current connection. */
    private final class Ears implements ConnectionListener {
        private final Endpoint endpoint;

        Ears(Endpoint endpoint) {
            this.endpoint = endpoint;
        }

        @Override
        public void onTurn() {
            listener().onTurn();
        }

        @Override
        public void onBackpressure(Backpressure signal) {
            listener().onBackpressure(signal);
        }

        @Override
        public void onGoAway(GoAway notice) {
            if (state == State.READY) {
                state = State.DRAINING;
                reconnectAfterMs = notice.getReconnectAfterMs();
                int graceMs = notice.getGraceMs() > 0 ? notice.getGraceMs() : DEFAULT_GRACE_MS;
                graceEndNs = clock.nanoTime() + graceMs * 1_000_000L;
                first = (candidates.indexOf(chosen) + 1) % candidates.size();
                listener().onDraining();
            }
        }

        @Override
        public void onClosed(Error why) {
            lost(endpoint, why);
        }
    }

    private void lost(Endpoint endpoint, Error why) {
        current = null;
        lastError = why;
        if (state == State.CLOSED) {
            return;
        }
        long now = clock.nanoTime();
        failedRounds = now - readySinceNs > STABLE_NS ? 0 : failedRounds + 1;
        if (state == State.READY && chosen != null) {
            chosen.breaker.onFailure(nowMs(), Code.Breaker.CONN_FAIL, 0, r());
        }
        listener().onLost(endpoint, why);
        long delay = failedRounds <= 1 ? Backoff.scaled(FIRST_DELAY_MS, r()) : reconnectDelayMs(failedRounds - 1);
        boolean sameAgain = candidates.size() == 1;
        pause(sameAgain ? Backoff.CONNECTS.atLeast(delay, reconnectAfterMs) : delay);
    }

    private void pause(long delayMs) {
        if (state != State.CLOSED) {
            state = State.BACKOFF;
            loop.schedule(this::startRound, delayMs, TimeUnit.MILLISECONDS);
        }
    }

    private void tick() {
        try {
            Connection connection = current;
            if (connection != null) {
                connection.tick();
            }
            if (connection != null && state == State.DRAINING) {
                endWhenDrained(connection);
            }
            listener().onTick(clock.nanoTime());
        } catch (RuntimeException e) {
            LOG.log(
                    System.Logger.Level.ERROR,
                    "tick=failed cause=" + e,
                    e); // else the loop would end the ticks silently
        }
    }

    private void endWhenDrained(Connection connection) {
        if (!listener().isBusy() || clock.nanoTime() - graceEndNs > 0) {
            connection.close(Errors.of(
                    Code.DRAINING,
                    connection.endpoint() + " is going away",
                    "it asked its clients to leave",
                    "the client reconnects by itself"));
        }
    }

    /** A call on the current connection ended; {@code failure} is null for a success. */
    public void onOutcome(Code.@Nullable Breaker failure, long sentNs) {
        Candidate candidate = chosen;
        if (candidate != null && current != null) {
            long latencyMs = (clock.nanoTime() - sentNs) / 1_000_000;
            if (failure == null) {
                candidate.breaker.onSuccess(nowMs(), latencyMs);
            } else {
                candidate.breaker.onFailure(nowMs(), failure, latencyMs, r());
            }
        }
    }

    /** The connection there is, or null. */
    public @Nullable Connection current() {
        return current;
    }

    /** Ends the link and its connection for good. */
    public void close(Error why) {
        state = State.CLOSED;
        if (ticks != null) {
            ticks.cancel(false);
        }
        if (current != null) {
            current.close(why);
        }
    }
}

package io.spillway.client.core;

import io.spillway.protocol.Code;
import io.spillway.protocol.v1.PressureState;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Decides to which endpoint a client is connected: no sockets, clocks or threads. Each event returns what is to be done now, in
 * order. Endpoints are tried in the order of {@link Failover}; after a round without success it waits, longer from round to
 * round. When the broker goes away, or the home zone is back, it connects elsewhere first and leaves the old connection once
 * nothing is under way there, or its grace is over (make before break). Times are ms of one monotonic clock, r is random, 0 to
 * 65,535. Driven by vectors/connection.json. Not thread-safe.
 */
public final class ConnectionMachine {
    /** Where it is. */
    public enum State {
        IDLE,
        CONNECTING,
        HANDSHAKING,
        READY,
        /** Connected, and the broker is under pressure. */
        PRESSURED,
        /** Connected to a broker that is to be left: nothing new is started there. */
        DRAINING,
        BACKOFF,
        /** Every endpoint refused what only another configuration can mend. */
        BLOCKED,
        CLOSED
    }

    /** What is to be done. */
    public enum Kind {
        /** Connect and shake hands. */
        DIAL,
        /** There is a connection again: reopen everything on it. */
        USE,
        /** Start nothing new on this connection. */
        DRAIN,
        /** From now on publishers and requests use this connection. */
        MOVE_PUBLISHERS,
        /** From now on subscriptions use this connection. */
        MOVE_SUBSCRIPTIONS,
        /** End this connection. */
        CLOSE,
        /** There is no connection any more. */
        LOST,
        /** No endpoint could be connected to. */
        ROUND_FAILED
    }

    /** One thing to be done, and with which candidate; null for ROUND_FAILED. */
    public record Action(Kind kind, @Nullable Candidate candidate) {
        @Override
        public String toString() {
            return candidate == null ? kind.name() : kind + " " + candidate.endpoint();
        }
    }

    private static final long FIRST_DELAY_MS = 100;
    private static final long BLOCKED_MS = 60_000;
    private static final long STABLE_MS = 30_000;
    private static final long DEFAULT_GRACE_MS = 5_000;
    private static final long HOME_AFTER_MS = 60_000;
    private static final long HOME_SPREAD_MS = 30_000;

    private final List<Candidate> candidates;
    private final String ownZone;
    private final Deque<Candidate> round = new ArrayDeque<>();
    private List<Action> actions = new ArrayList<>();
    private State state = State.IDLE;
    private @Nullable Candidate dialing;
    private @Nullable Candidate active;
    /** Connected, and takes over from the active one. */
    private @Nullable Candidate heir;

    private boolean publishersMoved;
    private boolean subscriptionsMoved;
    private boolean publishing;
    private boolean consuming;
    private int failedRounds;
    private long readySinceMs;
    private long wakeAtMs;
    private long graceEndMs;
    private long homeAtMs = Long.MAX_VALUE;
    private long reconnectAfterMs;

    /** @param ownZone where the client runs; empty = no preference */
    public ConnectionMachine(List<Candidate> candidates, String ownZone) {
        this.candidates = List.copyOf(candidates);
        this.ownZone = ownZone;
    }

    public State state() {
        return state;
    }

    /** The connection in use; while it drains, the one to be left. */
    public @Nullable Candidate active() {
        return active;
    }

    /** When BACKOFF or BLOCKED ends. */
    public long wakeAtMs() {
        return wakeAtMs;
    }

    // ---- events

    public List<Action> start(long nowMs, int r) {
        beginRound(nowMs, r);
        return done();
    }

    /** TCP is there; the handshake begins. */
    public List<Action> connected(Candidate candidate) {
        if (candidate == dialing && state == State.CONNECTING) {
            state = State.HANDSHAKING;
        }
        return done();
    }

    /** @param zone where the broker says it is; empty = it does not say */
    public List<Action> helloOk(
            Candidate candidate, String zone, PressureState pressure, long latencyMs, long nowMs, int r) {
        if (candidate != dialing) {
            return done();
        }
        dialing = null;
        candidate.breaker.onSuccess(nowMs, latencyMs);
        candidate.pressure = pressure;
        candidate.drainingUntilMs = Long.MIN_VALUE;
        if (!zone.isEmpty()) {
            candidate.zone = zone;
        }
        if (active == null) {
            use(candidate, nowMs, r);
            act(Kind.USE, candidate);
            return done();
        }
        heir = candidate;
        publishersMoved = false;
        subscriptionsMoved = false;
        if (state != State.DRAINING) {
            drain(nowMs + DEFAULT_GRACE_MS);
        }
        leave(nowMs, r);
        return done();
    }

    /** An attempt to connect failed. */
    public List<Action> failed(Candidate candidate, @Nullable Code code, long nowMs, int r) {
        if (candidate == dialing) {
            dialing = null;
            candidate.failedMs = nowMs;
            candidate.breaker.onFailure(nowMs, Code.Breaker.CONN_FAIL, 0, r);
            if (isRefusal(code)) {
                candidate.blockedUntilMs = nowMs + BLOCKED_MS;
            }
            dialNext(nowMs, r);
        }
        return done();
    }

    /** The broker says how it is, for the whole connection. */
    public List<Action> pressure(PressureState pressure) {
        if (active != null && (state == State.READY || state == State.PRESSURED)) {
            active.pressure = pressure;
            state = readyState(pressure);
        }
        return done();
    }

    /** The broker leaves. @param graceMs how long what is under way may take, 0 = 5 s */
    public List<Action> goAway(long graceMs, long newReconnectAfterMs, long nowMs, int r) {
        Candidate leaving = active;
        if (leaving != null && (state == State.READY || state == State.PRESSURED)) {
            reconnectAfterMs = newReconnectAfterMs;
            drain(nowMs + (graceMs > 0 ? graceMs : DEFAULT_GRACE_MS));
            leaving.drainingUntilMs = graceEndMs + newReconnectAfterMs;
            if (dialing == null && heir == null) {
                round.clear();
                round.addAll(Failover.order(candidates, ownZone, nowMs));
                round.remove(leaving);
                dialNext(nowMs, r);
            }
        }
        return done();
    }

    /** What is under way on the active connection. Tell it before GO_AWAY and HELLO_OK, and often while it is DRAINING. */
    public List<Action> load(boolean isPublishing, boolean isConsuming, long nowMs, int r) {
        publishing = isPublishing;
        consuming = isConsuming;
        if (state == State.DRAINING) {
            leave(nowMs, r);
        }
        return done();
    }

    /** A connection ended that the machine did not close. */
    public List<Action> lost(Candidate candidate, long nowMs, int r) {
        if (state == State.CLOSED) {
            return done();
        }
        if (candidate == active || candidate == heir) {
            candidate.failedMs = nowMs;
            if (candidate == heir || state != State.DRAINING) {
                candidate.breaker.onFailure(nowMs, Code.Breaker.CONN_FAIL, 0, r);
            }
        }
        if (candidate == heir) {
            heir = null;
            if (active != null && (publishersMoved || subscriptionsMoved)) {
                act(Kind.CLOSE, active);
                disconnected(nowMs, r);
            }
        } else if (candidate == active && heir != null) {
            takeOver(heir, nowMs, r);
        } else if (candidate == active) {
            disconnected(nowMs, r);
        }
        return done();
    }

    /** Time has passed; some times a second. */
    public List<Action> timer(long nowMs, int r) {
        if ((state == State.BACKOFF || state == State.BLOCKED) && nowMs >= wakeAtMs) {
            beginRound(nowMs, r);
        } else if (state == State.DRAINING) {
            leave(nowMs, r);
        } else if ((state == State.READY || state == State.PRESSURED) && nowMs >= homeAtMs && dialing == null) {
            round.clear();
            Failover.order(candidates, ownZone, nowMs).stream()
                    .filter(c -> c.zone.equals(ownZone) && c != active)
                    .forEach(round::add);
            dialNext(nowMs, r);
        }
        return done();
    }

    public List<Action> close() {
        if (active != null) {
            act(Kind.CLOSE, active);
        }
        if (heir != null) {
            act(Kind.CLOSE, heir);
        }
        state = State.CLOSED;
        active = null;
        heir = null;
        dialing = null;
        return done();
    }

    // ---- decisions

    private void beginRound(long nowMs, int r) {
        state = State.CONNECTING;
        round.clear();
        round.addAll(Failover.order(candidates, ownZone, nowMs));
        dialNext(nowMs, r);
    }

    private void dialNext(long nowMs, int r) {
        boolean panic = Failover.isPanic(candidates, nowMs);
        for (Candidate next = round.poll(); next != null; next = round.poll()) {
            if (panic || next.breaker.allow(nowMs)) {
                dialing = next;
                state = active == null ? State.CONNECTING : state;
                act(Kind.DIAL, next);
                return;
            }
        }
        if (active != null) {
            planReturn(nowMs, r);
            return;
        }
        failedRounds++;
        actions.add(new Action(Kind.ROUND_FAILED, null));
        if (candidates.stream().allMatch(c -> c.isBlocked(nowMs))) {
            state = State.BLOCKED;
            wakeAtMs =
                    candidates.stream().mapToLong(c -> c.blockedUntilMs).min().orElse(nowMs);
        } else {
            pause(Backoff.CONNECTS.delayMs(Code.Backoff.TRANSIENT, failedRounds, r, 0), nowMs);
        }
    }

    private void pause(long delayMs, long nowMs) {
        state = State.BACKOFF;
        wakeAtMs = nowMs + delayMs;
    }

    private void use(Candidate candidate, long nowMs, int r) {
        active = candidate;
        state = readyState(candidate.pressure);
        readySinceMs = nowMs;
        reconnectAfterMs = 0;
        planReturn(nowMs, r);
    }

    /** Far from home, it looks from time to time whether the home zone is back; clients do not return all at once. */
    private void planReturn(long nowMs, int r) {
        boolean away = active != null && !ownZone.isEmpty() && !active.zone.equals(ownZone);
        homeAtMs = away && candidates.stream().anyMatch(c -> c.zone.equals(ownZone))
                ? nowMs + HOME_AFTER_MS + Backoff.scaled(HOME_SPREAD_MS, r)
                : Long.MAX_VALUE;
    }

    private static State readyState(PressureState pressure) {
        return pressure == PressureState.P_NORMAL ? State.READY : State.PRESSURED;
    }

    private void drain(long newGraceEndMs) {
        state = State.DRAINING;
        graceEndMs = newGraceEndMs;
        act(Kind.DRAIN, active);
    }

    /** Moves what has nothing under way any more, and everything once the grace is over. */
    private void leave(long nowMs, int r) {
        boolean over = nowMs >= graceEndMs;
        Candidate to = heir;
        if (to == null) {
            if (over || (!publishing && !consuming && dialing == null)) {
                act(Kind.CLOSE, active);
                disconnected(nowMs, r);
            }
            return;
        }
        if (!publishersMoved && (over || !publishing)) {
            publishersMoved = true;
            act(Kind.MOVE_PUBLISHERS, to);
        }
        if (!subscriptionsMoved && (over || !consuming)) {
            subscriptionsMoved = true;
            act(Kind.MOVE_SUBSCRIPTIONS, to);
        }
        if (publishersMoved && subscriptionsMoved) {
            act(Kind.CLOSE, active);
            heir = null;
            use(to, nowMs, r);
        }
    }

    /** The connection that was to be left is gone already. */
    private void takeOver(Candidate to, long nowMs, int r) {
        if (!publishersMoved) {
            act(Kind.MOVE_PUBLISHERS, to);
        }
        if (!subscriptionsMoved) {
            act(Kind.MOVE_SUBSCRIPTIONS, to);
        }
        heir = null;
        use(to, nowMs, r);
    }

    private void disconnected(long nowMs, int r) {
        act(Kind.LOST, active);
        active = null;
        homeAtMs = Long.MAX_VALUE;
        failedRounds = nowMs - readySinceMs > STABLE_MS ? 0 : failedRounds + 1;
        if (dialing != null) {
            state = State.CONNECTING;
            return;
        }
        long delayMs = failedRounds <= 1
                ? Backoff.scaled(FIRST_DELAY_MS, r)
                : Backoff.CONNECTS.delayMs(Code.Backoff.TRANSIENT, failedRounds - 1, r, 0);
        pause(candidates.size() == 1 ? Backoff.CONNECTS.atLeast(delayMs, reconnectAfterMs) : delayMs, nowMs);
        reconnectAfterMs = 0;
    }

    /** Errors that only another configuration can mend. */
    private static boolean isRefusal(@Nullable Code code) {
        return code == Code.UNSUPPORTED_VERSION
                || code == Code.UNSUPPORTED_FEATURE
                || code == Code.UNAUTHENTICATED
                || code == Code.PERMISSION_DENIED;
    }

    private void act(Kind kind, @Nullable Candidate candidate) {
        actions.add(new Action(kind, candidate));
    }

    private List<Action> done() {
        List<Action> result = actions;
        actions = new ArrayList<>();
        return result;
    }
}

package io.spillway.client.core;

import io.spillway.protocol.Code;
import io.spillway.protocol.v1.PressureState;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Decides to which endpoint a client is connected: no sockets, clocks or threads. Each event returns what is to be done now, in
 * order. Endpoints are tried in the order of {@link Failover}; after a round without success it waits, longer from round to
 * round. When the broker goes away, or the home zone is back, it connects elsewhere first and leaves the old connection once
 * nothing is under way there, or its grace is over (make before break). In a cluster all work is at the leader: the other nodes
 * say where that is, and are asked in turn while there is none. Times are ms of one monotonic clock, r is random, 0 to 65,535.
 * Driven by vectors/connection.json. Not thread-safe.
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
    private static final long DEPOSED_GRACE_MS = 1_000;
    /** Until there is a leader: elections are short, so that the pauses do not grow. */
    private static final long LEADERLESS_DELAY_MS = 400;

    private final KnownEndpoints known;
    private final Preference preference;
    private final Round round = new Round();
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

    /** @param configured never forgotten */
    public ConnectionMachine(List<Candidate> configured, Preference preference) {
        known = new KnownEndpoints(configured);
        this.preference = preference;
    }

    public State state() {
        return state;
    }

    /** The connection in use; while it drains, the one to be left. */
    public @Nullable Candidate active() {
        return active;
    }

    /** All endpoints that may be tried: the configured ones, then those that a cluster has named. */
    public List<Candidate> known() {
        return known.all();
    }

    /** When BACKOFF or BLOCKED ends. */
    public long wakeAtMs() {
        return wakeAtMs;
    }

    // ---- events

    /** A broker has named these as the nodes of its cluster, to this connection or to another one. */
    public void know(List<Node> nodes) {
        if (KnownEndpoints.isCluster(nodes)) {
            known.replaceLearned(nodes);
            if (preference.nearest()) {
                known.locate(nodes);
            }
        }
    }

    public List<Action> start(long nowMs, int r) {
        if (state != State.CLOSED) {
            beginRound(nowMs, r);
        }
        return done();
    }

    /** TCP is there; the handshake begins. */
    public List<Action> connected(Candidate candidate) {
        if (candidate == dialing && state == State.CONNECTING) {
            state = State.HANDSHAKING;
        }
        return done();
    }

    public List<Action> helloOk(Candidate candidate, Welcome welcome, long latencyMs, long nowMs, int r) {
        if (candidate != dialing) {
            return done();
        }
        dialing = null;
        candidate.breaker.onSuccess(nowMs, latencyMs);
        candidate.pressure = welcome.pressure();
        candidate.drainingUntilMs = Long.MIN_VALUE;
        if (!welcome.zone().isEmpty()) {
            candidate.zone = welcome.zone();
        }
        candidate.clustered = KnownEndpoints.isCluster(welcome.nodes());
        know(welcome.nodes());
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
    public List<Action> failed(Candidate candidate, Refusal refusal, long nowMs, int r) {
        if (candidate != dialing) {
            return done();
        }
        dialing = null;
        if (refusal.isOfFollower()) {
            candidate.breaker.onFailure(nowMs, Code.Breaker.IGNORE, 0, r);
            round.sawFollower(refusal.retryAfterMs());
            if (refusal.code() == Code.NOT_LEADER && seeksLeader() && follow(candidate, refusal.redirect(), nowMs)) {
                return done();
            }
        } else {
            candidate.failedMs = nowMs;
            candidate.breaker.onFailure(nowMs, Code.Breaker.CONN_FAIL, 0, r);
            round.failed(candidate);
            if (refusal.isLasting()) {
                candidate.blockedUntilMs = nowMs + BLOCKED_MS;
            }
        }
        dialNext(nowMs, r);
        return done();
    }

    /** The broker says how it is, for the whole connection. */
    public List<Action> pressure(PressureState pressure) {
        if (active != null && isInUse()) {
            active.pressure = pressure;
            state = readyState(pressure);
        }
        return done();
    }

    /**
     * The broker leaves, or leads no more.
     *
     * @param graceMs how long what is under way may take, 0 = 5 s
     * @param nodes the endpoints of its cluster, the new leader first when there is one; one or none when it is alone
     */
    public List<Action> goAway(long graceMs, long newReconnectAfterMs, List<String> nodes, long nowMs, int r) {
        if (isInUse()) {
            String first = "";
            if (KnownEndpoints.isCluster(nodes)) {
                nodes.forEach(known::learn);
                first = preference.nearest()
                        ? ""
                        : nodes.stream().filter(this::isElsewhere).findFirst().orElse("");
            }
            goElsewhere(graceMs > 0 ? graceMs : DEFAULT_GRACE_MS, newReconnectAfterMs, first, nowMs, r);
        }
        return done();
    }

    /** A call on the active connection was answered with NOT_LEADER. @param redirect empty = not said */
    public List<Action> notLeader(String redirect, long nowMs, int r) {
        if (isInUse()) {
            goElsewhere(DEPOSED_GRACE_MS, 0, redirect, nowMs, r);
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
        } else if (isInUse() && nowMs >= homeAtMs && dialing == null) {
            round.begin(Failover.order(known.all(), preference, nowMs).stream()
                    .filter(c -> preference.isHome(c) && c != active)
                    .toList());
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
        round.begin(Failover.order(known.all(), preference, nowMs));
        dialNext(nowMs, r);
    }

    private void dialNext(long nowMs, int r) {
        boolean panic = Failover.isPanic(known.all(), nowMs);
        for (Candidate next = round.poll(); next != null; next = round.poll()) {
            if (panic || next.breaker.allow(nowMs)) {
                dial(next);
                return;
            }
        }
        if (active != null) {
            planReturn(nowMs, r);
            return;
        }
        actions.add(new Action(Kind.ROUND_FAILED, null));
        if (round.hasSeenFollower()) {
            pause(Backoff.CONNECTS.atLeast(Backoff.scaled(LEADERLESS_DELAY_MS, r), round.retryAfterMs()), nowMs);
            return;
        }
        failedRounds++;
        List<Candidate> candidates = known.all();
        if (candidates.stream().allMatch(c -> c.isBlocked(nowMs))) {
            state = State.BLOCKED;
            wakeAtMs =
                    candidates.stream().mapToLong(c -> c.blockedUntilMs).min().orElse(nowMs);
        } else {
            pause(Backoff.CONNECTS.delayMs(Code.Backoff.TRANSIENT, failedRounds, r, 0), nowMs);
        }
    }

    private void dial(Candidate candidate) {
        dialing = candidate;
        candidate.dialed = true;
        state = active == null ? State.CONNECTING : state;
        act(Kind.DIAL, candidate);
    }

    /** A reader of the nearest goes on to the next node as long as it has one. */
    private boolean seeksLeader() {
        return !preference.nearest() || active == null && round.isOver();
    }

    /** Dials where a node that refused says that the leader is. */
    private boolean follow(Candidate from, String redirect, long nowMs) {
        if (redirect.isEmpty() || redirect.equals(from.endpoint()) || !isElsewhere(redirect)) {
            return false;
        }
        Candidate to = known.learn(redirect);
        if (to.isBlocked(nowMs) || !round.mayFollow(to)) {
            return false;
        }
        dialOutOfTurn(to);
        return true;
    }

    /** Whoever names a leader should know: the breaker is not asked. */
    private void dialOutOfTurn(Candidate candidate) {
        round.remove(candidate);
        dial(candidate);
    }

    /** Leaves the active connection. @param first to be tried first; empty = who comes first anyway */
    private void goElsewhere(long graceMs, long newReconnectAfterMs, String first, long nowMs, int r) {
        Candidate leaving = Objects.requireNonNull(active);
        reconnectAfterMs = newReconnectAfterMs;
        drain(nowMs + graceMs);
        leaving.drainingUntilMs = graceEndMs + newReconnectAfterMs;
        if (dialing == null && heir == null) {
            round.begin(Failover.order(known.all(), preference, nowMs));
            round.remove(leaving);
            Candidate to = first.isEmpty() || !isElsewhere(first) ? null : known.learn(first);
            if (to != null && !to.isBlocked(nowMs)) {
                dialOutOfTurn(to);
            } else {
                dialNext(nowMs, r);
            }
        }
    }

    private boolean isInUse() {
        return active != null && (state == State.READY || state == State.PRESSURED);
    }

    private boolean isElsewhere(String endpoint) {
        return active == null || !active.endpoint().equals(endpoint);
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

    /**
     * Far from home, it looks from time to time whether the home zone is back; clients do not return all at once.
     */
    private void planReturn(long nowMs, int r) {
        boolean away = active != null && preference.isAway(active);
        homeAtMs = away && known.all().stream().anyMatch(preference::isHome)
                ? nowMs + preference.lookAfterMs(known.all(), r)
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
        pause(known.all().size() == 1 ? Backoff.CONNECTS.atLeast(delayMs, reconnectAfterMs) : delayMs, nowMs);
        reconnectAfterMs = 0;
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

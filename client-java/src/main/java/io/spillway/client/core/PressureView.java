package io.spillway.client.core;

import io.spillway.protocol.v1.PressureReason;
import io.spillway.protocol.v1.PressureState;
import java.util.List;

/**
 * What is known of a broker's pressure: on a connection, or on one publisher. What a broker says stands for the time it says,
 * so that a word that never comes blocks nobody for ever. Each event returns whether something changed that is worth telling:
 * the state, its reasons or its scope. Driven by vectors/client_pressure.json. Not thread-safe.
 */
public final class PressureView {
    private static final long MAX_GATE_MS = 30_000;
    private static final long MIN_VALID_MS = 3_000;
    private static final long REFUSAL_STANDS_MS = 1_000;
    private static final List<Integer> QUOTA = List.of(PressureReason.R_QUOTA_VALUE);

    private PressureState state = PressureState.P_NORMAL;
    private List<Integer> reasons = List.of();
    private String scope = "";
    private long seq;
    private long gateMs;
    private long untilMs;
    /** It is what a refusal said, and the next success ends it. */
    private boolean isOfRefusal;

    /**
     * What a broker says.
     *
     * @param seq older ones count no more; 0 is always new
     * @param validForMs 0: three times {@code retryAfterMs}, at least 3 s
     */
    public record Signal(
            long seq, PressureState state, List<Integer> reasons, String scope, long retryAfterMs, long validForMs) {}

    /** @param nowMs the time at which it begins */
    public PressureView(long nowMs) {
        gateMs = nowMs;
    }

    public PressureState state() {
        return state;
    }

    /** The first is the cause. */
    public List<Integer> reasons() {
        return reasons;
    }

    public String scope() {
        return scope;
    }

    /** Whether nothing is known any more, and nothing has to wait. */
    public boolean isOver(long nowMs) {
        return state == PressureState.P_NORMAL && nowMs >= gateMs;
    }

    /** Before that nothing should be sent. */
    public long gateMs() {
        return gateMs;
    }

    /** To a broker that was in this state when the session began. */
    public boolean connected(PressureState now, long nowMs) {
        seq = 0;
        gateMs = nowMs;
        isOfRefusal = false;
        return now == PressureState.P_NORMAL ? clear() : set(now, List.of(), "connection", nowMs + MIN_VALID_MS);
    }

    public boolean signal(Signal said, long nowMs) {
        if (said.seq != 0 && Long.compareUnsigned(said.seq, seq) <= 0) {
            return false;
        }
        seq = said.seq == 0 ? seq : said.seq;
        isOfRefusal = false;
        if (said.state == PressureState.P_NORMAL && said.retryAfterMs == 0) {
            gateMs = nowMs;
            return clear();
        }
        if (said.state != PressureState.P_ELEVATED) {
            gateMs = nowMs + Math.min(said.retryAfterMs, MAX_GATE_MS);
        }
        PressureState now = said.state == PressureState.P_NORMAL ? PressureState.P_THROTTLED : said.state;
        long validMs = said.validForMs == 0 ? Math.max(3 * said.retryAfterMs, MIN_VALID_MS) : said.validForMs;
        return set(now, said.reasons, said.scope, Math.max(nowMs + validMs, gateMs));
    }

    /** An ack carries a state, too. It ends a refusal whose time is over, and no signal: what is over is said by another one. */
    public boolean ack(PressureState said, long throttleMs, long nowMs) {
        boolean ended = isOfRefusal && nowMs >= gateMs && clear();
        if (said == PressureState.P_NORMAL && throttleMs == 0) {
            return ended;
        }
        PressureState now = said == PressureState.P_NORMAL ? PressureState.P_THROTTLED : said;
        if (now != PressureState.P_ELEVATED) {
            gateMs = Math.max(gateMs, nowMs + Math.min(throttleMs, MAX_GATE_MS));
        }
        long until = nowMs + Math.max(3 * throttleMs, MIN_VALID_MS);
        if (now.compareTo(state) < 0) {
            return ended;
        }
        if (now == state) {
            untilMs = Math.max(untilMs, until);
            return ended;
        }
        return set(now, said == PressureState.P_NORMAL ? QUOTA : List.of(), "connection", until) || ended;
    }

    /** A request was refused for load, and is tried again after that time at the earliest. */
    public boolean refused(PressureState now, List<Integer> why, String of, long retryAfterMs, long nowMs) {
        if (now.compareTo(state) < 0 && !isOfRefusal) {
            return false;
        }
        isOfRefusal = true;
        gateMs = Math.max(gateMs, nowMs + Math.min(retryAfterMs, MAX_GATE_MS));
        return set(now, why, of, gateMs + REFUSAL_STANDS_MS);
    }

    /** Ends what stands no more. */
    public boolean timer(long nowMs) {
        return state != PressureState.P_NORMAL && nowMs >= untilMs && clear();
    }

    private boolean clear() {
        boolean changed = state != PressureState.P_NORMAL;
        state = PressureState.P_NORMAL;
        reasons = List.of();
        scope = "";
        isOfRefusal = false;
        return changed;
    }

    private boolean set(PressureState now, List<Integer> why, String of, long until) {
        boolean changed = state != now || !scope.equals(of) || !reasons.equals(why);
        state = now;
        reasons = why;
        scope = of;
        untilMs = until;
        return changed;
    }
}

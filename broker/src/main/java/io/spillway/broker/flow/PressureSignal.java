package io.spillway.broker.flow;

import io.spillway.protocol.v1.PressureReason;
import io.spillway.protocol.v1.PressureState;
import java.util.List;

/**
 * How a broker, or one failure domain in it, stands, as its clients are told.
 *
 * @param seq grows with each change
 * @param reasons the cause first; empty when the state is normal
 * @param scope whose pressure it is: {@code broker}, or {@code domain:} and its name
 */
public record PressureSignal(long seq, PressureState state, List<PressureReason> reasons, String scope) {
    /** Whom all have to do with. */
    public static final String BROKER = "broker";

    public static final PressureSignal NONE = new PressureSignal(0, PressureState.P_NORMAL, List.of(), BROKER);

    private static final int MIN_VALID_MS = 3_000;

    /** Classes that go on while the broker is overloaded. */
    private static final int OVERLOADED_CLASSES = 2;

    private static final int THROTTLED_CLASSES = 3;

    public PressureSignal {
        reasons = List.copyOf(reasons);
    }

    /** After what time a client may try again, in ms, before it is spread. */
    public int retryAfterMs() {
        return switch (state) {
            case P_NORMAL -> 0;
            case P_ELEVATED -> 200;
            case P_THROTTLED, P_READ_ONLY, UNRECOGNIZED -> 1_000;
            case P_OVERLOADED -> 2_000;
        };
    }

    /**
     * After what time to try again what waits until the state is below THROTTLED, in ms, before it is spread. The state goes
     * down by one in three seconds at the soonest: two more attempts reach the end of one that begins to go down.
     */
    public int restrainedMs() {
        return switch (state) {
            case P_NORMAL, P_ELEVATED, P_READ_ONLY, UNRECOGNIZED -> 0;
            case P_THROTTLED -> 2_000;
            case P_OVERLOADED -> 4_000;
        };
    }

    /** For how long a client believes it without hearing of it again, in ms. */
    public int validForMs() {
        return Math.max(MIN_VALID_MS, 3 * retryAfterMs());
    }

    /** Whether publishes of any class are refused. */
    public boolean sheds() {
        return state == PressureState.P_THROTTLED || state == PressureState.P_OVERLOADED;
    }

    /** Whether publishes of this class are refused; higher ones matter less. READ_ONLY has nothing to do with classes. */
    public boolean sheds(int shedClass) {
        return sheds() && shedClass >= (state == PressureState.P_THROTTLED ? THROTTLED_CLASSES : OVERLOADED_CLASSES);
    }

    /** Whether new connections are refused: it is overloaded by more than a disk that fills up, which consumers may help to empty. */
    public boolean refusesConnections() {
        return state == PressureState.P_OVERLOADED && !reasons.contains(PressureReason.R_DISK_SPACE);
    }

    /** The cause, without its prefix on the wire. */
    public String cause() {
        return reasons.isEmpty() ? "" : reasons.get(0).name().substring(2);
    }

    /** Whether a client would be told the same, but for the number. */
    public boolean isAs(PressureSignal other) {
        return state == other.state && reasons.equals(other.reasons) && scope.equals(other.scope);
    }
}

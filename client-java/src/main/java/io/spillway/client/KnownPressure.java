package io.spillway.client;

import io.spillway.client.core.PressureView;
import io.spillway.client.net.Clock;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.PressureReason;
import io.spillway.protocol.v1.PressureState;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The pressure of one connection or one publisher: what the broker says of it, and who hears that it changed. Confined to the
 * network thread, but for {@link #now} and {@link #isGateOpen}.
 */
final class KnownPressure {
    /** What other threads see; replaced when something of it changes. */
    private record Seen(PressureLevel level, List<String> reasons, String scope, long gateMs) {}

    private final String of;
    private final Clock clock;
    private final long startNs;
    private final Consumer<Pressure> onChanged;
    private final PressureView view = new PressureView(0);
    private volatile Seen seen = new Seen(PressureLevel.NORMAL, List.of(), "", 0);

    KnownPressure(String of, Clock clock, Consumer<Pressure> onChanged) {
        this.of = of;
        this.clock = clock;
        this.onChanged = onChanged;
        startNs = clock.nanoTime();
    }

    /** From any thread. */
    Pressure now() {
        Seen last = seen;
        Duration retryAfter = Duration.ofMillis(Math.max(0, last.gateMs - nowMs()));
        return new Pressure(last.level, last.reasons, of, last.scope, retryAfter);
    }

    /** Whether the broker does not ask to wait. From any thread. */
    boolean isGateOpen() {
        return nowMs() >= seen.gateMs;
    }

    PressureState state() {
        return view.state();
    }

    boolean connected(PressureState now) {
        return tell(view.connected(known(now), nowMs()));
    }

    /** @param scope of what it is, when the signal does not say it */
    boolean signal(Backpressure signal, String scope) {
        return tell(view.signal(
                new PressureView.Signal(
                        signal.getSeq(),
                        known(signal.getState()),
                        signal.getReasonsList().stream()
                                .map(KnownPressure::number)
                                .toList(),
                        signal.getScope().isEmpty() ? scope : signal.getScope(),
                        Integer.toUnsignedLong(signal.getRetryAfterMs()),
                        Integer.toUnsignedLong(signal.getValidForMs())),
                nowMs()));
    }

    boolean acked(PressureState now, int throttleMs) {
        boolean changed = view.ack(known(now), Integer.toUnsignedLong(throttleMs), nowMs());
        boolean saysMore = now != PressureState.P_NORMAL || throttleMs != 0;
        return (changed || saysMore) && tell(changed);
    }

    /** Whether nothing is known any more, and nothing has to wait. */
    boolean isOver() {
        return view.isOver(nowMs());
    }

    /** Whether this is a refusal for load. */
    static boolean isOfLoad(Error error) {
        return stateOf(error) != null;
    }

    /** Something was refused, and waits that long; only a refusal for load is pressure. */
    boolean refused(Error error, long waitMs) {
        PressureState now = stateOf(error);
        if (now == null) {
            return false;
        }
        String scope = error.getMetadataOrDefault("scope", "");
        return tell(view.refused(now, reasonsOf(error), scope.isEmpty() ? of : scope, waitMs, nowMs()));
    }

    boolean tick() {
        boolean over = view.timer(nowMs());
        return over && tell(true);
    }

    private long nowMs() {
        return (clock.nanoTime() - startNs) / 1_000_000;
    }

    private boolean tell(boolean changed) {
        List<String> reasons = view.reasons().stream().map(KnownPressure::name).toList();
        seen = new Seen(PressureLevel.valueOf(view.state().name().substring(2)), reasons, view.scope(), view.gateMs());
        if (changed) {
            onChanged.accept(now());
        }
        return changed;
    }

    /** A newer broker may know a state that is unknown here; it is no good one. */
    private static PressureState known(PressureState state) {
        return state == PressureState.UNRECOGNIZED ? PressureState.P_OVERLOADED : state;
    }

    private static int number(PressureReason reason) {
        return reason == PressureReason.UNRECOGNIZED ? PressureReason.R_NONE_VALUE : reason.getNumber();
    }

    private static String name(int reason) {
        return PressureReason.forNumber(reason).name().substring(2);
    }

    private static @Nullable PressureState stateOf(Error error) {
        Code code = Code.of(error.getCode());
        if (code == Code.THROTTLED || code == Code.QUEUE_FULL) {
            return PressureState.P_THROTTLED;
        }
        if (code == Code.OVERLOADED) {
            return PressureState.P_OVERLOADED;
        }
        return code == Code.READ_ONLY ? PressureState.P_READ_ONLY : null;
    }

    private static List<Integer> reasonsOf(Error error) {
        String name = "R_" + error.getMetadataOrDefault("reason", "");
        for (PressureReason reason : PressureReason.values()) {
            if (reason.name().equals(name)) {
                return List.of(reason.getNumber());
            }
        }
        return List.of();
    }
}

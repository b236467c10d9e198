package io.spillway.broker.session;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.flow.PressureSignal;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.PressureReason;
import io.spillway.protocol.v1.PressureState;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What makes work and can wait is refused to a connection while its failure domain is throttled: seeks, new groups, new
 * topics. What reads, settles, ends or frees something goes on, and a disk that fills up is no reason: none of this takes much
 * of it. Thread-safe.
 */
record Restraint(Supplier<PressureSignal> signal, RandomGenerator random) {
    private static final int SPREAD_PART = 4;

    /** Why this is refused now; null when it is not. */
    @Nullable
    SpillwayException refusal(String what) {
        PressureSignal now = signal.get();
        boolean isThrottled = now.state() == PressureState.P_THROTTLED || now.state() == PressureState.P_OVERLOADED;
        boolean isBusy = isThrottled && now.reasons().indexOf(PressureReason.R_DISK_SPACE) != 0;
        return isBusy ? refusal(what, now) : null;
    }

    private SpillwayException refusal(String what, PressureSignal now) {
        int waitMs = now.restrainedMs();
        return new SpillwayException(
                        now.state() == PressureState.P_THROTTLED ? Code.THROTTLED : Code.OVERLOADED,
                        what + " was refused before any work",
                        now.scope() + " is " + now.state().name().substring(2) + " because of " + now.cause(),
                        "try again after the stated time; it can wait, publishing and consuming go on",
                        waitMs + random.nextInt(waitMs / SPREAD_PART + 1),
                        null)
                .with("reason", now.cause())
                .with("scope", now.scope());
    }

    /** Throws THROTTLED or OVERLOADED when this is refused now. */
    void require(String what) {
        SpillwayException refused = refusal(what);
        if (refused != null) {
            throw refused;
        }
    }
}

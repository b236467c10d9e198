package io.spillway.broker.flow;

import io.spillway.protocol.v1.PressureState;

/**
 * All that decides the step of degradation; the reasons are empty when it is not so.
 *
 * @param worst the highest pressure there is, of the broker or of one domain
 * @param quorumLost why nothing is agreed on
 * @param readOnly why nothing is published
 * @param reserve why nothing new is delivered
 * @param stopping why the broker goes away
 */
public record Situation(PressureSignal worst, String quorumLost, String readOnly, String reserve, String stopping) {

    /**
     * Where it puts the broker, and why.
     *
     * @param why in words; empty when all is well
     */
    public record Stand(DegradationStep step, String why) {
        public static final Stand WELL = new Stand(DegradationStep.NORMAL, "");
    }

    /** The highest step that there is a reason for. */
    public Stand stand() {
        if (!stopping.isEmpty()) {
            return new Stand(DegradationStep.SHUTTING_DOWN, stopping);
        }
        if (!reserve.isEmpty()) {
            return new Stand(DegradationStep.RESERVE, reserve);
        }
        if (!readOnly.isEmpty()) {
            return new Stand(DegradationStep.READ_ONLY, readOnly);
        }
        if (!quorumLost.isEmpty()) {
            return new Stand(DegradationStep.QUORUM_LOST, quorumLost);
        }
        return switch (worst.state()) {
            case P_NORMAL, UNRECOGNIZED -> Stand.WELL;
            case P_ELEVATED -> new Stand(DegradationStep.ELEVATED, pressure());
            case P_THROTTLED -> new Stand(DegradationStep.THROTTLED, pressure());
            case P_OVERLOADED -> new Stand(DegradationStep.OVERLOADED, pressure());
            case P_READ_ONLY -> new Stand(DegradationStep.READ_ONLY, pressure());
        };
    }

    private String pressure() {
        return worst.cause() + " of " + worst.scope();
    }

    /** Whether what runs beside the clients' work has to wait: replays. */
    public boolean holdsReplays() {
        return worst.state().getNumber() >= PressureState.P_THROTTLED_VALUE;
    }
}

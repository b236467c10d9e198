package io.spillway.broker.dispatch;

/** How a member says it is, from the best to the worst; the order is that of the wire. */
public enum HealthState {
    /** Takes its whole share. */
    READY(1_000),
    /** Takes a quarter, and is relieved of its keys when that lasts. */
    DEGRADED(250),
    /** Takes nothing until it is better. */
    CRITICAL(0),
    /** Takes nothing any more, because it is about to leave. */
    DRAINING(0);

    private final int factorPm;

    HealthState(int factorPm) {
        this.factorPm = factorPm;
    }

    int factorPm() {
        return factorPm;
    }

    /** The state of this number on the wire; one that is not known yet takes nothing. */
    public static HealthState ofWire(int number) {
        return number >= 0 && number < values().length ? values()[number] : CRITICAL;
    }
}

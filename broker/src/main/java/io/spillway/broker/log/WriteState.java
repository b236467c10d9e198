package io.spillway.broker.log;

/** Whether the log takes entries now, and if not, why and when to ask again (0 = waiting does not help). */
public record WriteState(Mode mode, String why, int retryAfterMs) {
    /** What the log accepts. */
    public enum Mode {
        WRITABLE,
        /** The disk is below its watermark: batches are refused, entries of state only go on while the reserve lasts. */
        READ_ONLY,
        /** That reserve is used up: what would be delivered could not be settled, so nothing is. */
        RESERVE,
        /** A write or a force failed: nothing is accepted until the broker is restarted. */
        FAILED
    }

    static final WriteState WRITABLE = new WriteState(Mode.WRITABLE, "", 0);

    /** Whether what is delivered now can be settled later. */
    public boolean delivers() {
        return mode != Mode.RESERVE;
    }

    public boolean writable() {
        return mode == Mode.WRITABLE;
    }
}

package io.spillway.client;

/** How a group shares its topic's records among its members. A group keeps the mode it began with. */
public enum GroupMode {
    /** Each record goes to one member at a time, whichever is ready. */
    SHARED,
    /**
     * The same, and the records of one key are delivered one at a time, in order: the next one when the one before is
     * acked or dead-lettered. A key that fails or is slow blocks itself alone.
     */
    KEY_ORDERED,
    /** One member is active, the others stand by and take over, in the order in which they came. */
    EXCLUSIVE;

    int wire() {
        return ordinal();
    }

    /** SHARED for a mode that only a newer broker knows. */
    static GroupMode of(int wire) {
        return wire > 0 && wire < values().length ? values()[wire] : SHARED;
    }
}

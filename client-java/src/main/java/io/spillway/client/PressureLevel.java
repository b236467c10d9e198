package io.spillway.client;

/** How a broker is, from well to worse; the order is that of the wire. */
public enum PressureLevel {
    NORMAL,
    /** It asks for no more than it gets. */
    ELEVATED,
    THROTTLED,
    OVERLOADED,
    READ_ONLY
}

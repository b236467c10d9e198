package io.spillway.broker.toggles;

import java.util.Locale;

/** What values a toggle has, and whether a share of those it concerns can have one. The numbers are in the log and on the wire. */
public enum ToggleKind {
    /** On or off, for all. */
    BOOL,
    /** On or off, for a share. */
    PERCENT,
    /** One of several words, for a share. */
    VARIANT;

    /** As users write it. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}

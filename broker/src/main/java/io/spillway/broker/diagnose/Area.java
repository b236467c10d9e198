package io.spillway.broker.diagnose;

import java.util.Locale;

/** A part of a broker's work that is checked as one. */
public enum Area {
    /** Nothing to check: everything goes on. */
    WELL,
    PROCESS,
    STORAGE,
    CLUSTER,
    PRESSURE,
    TOPICS,
    DELIVERY,
    LINKS,
    SETTINGS;

    /** As users read it. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}

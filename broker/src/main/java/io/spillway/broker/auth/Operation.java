package io.spillway.broker.auth;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What somebody may do. Numbers are in records: new ones go to the end. */
public enum Operation {
    /** Everything. */
    ALL,
    READ,
    WRITE,
    /** See that it is there and how it is; who may do anything else with it may do that, too. */
    DESCRIBE,
    CREATE,
    ALTER,
    DELETE,
    REPLAY,
    CHAOS,
    DRAIN,
    QUOTA,
    TOGGLE,
    /** Change the members of a cluster, its links, and who may do what. */
    CLUSTER;

    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<Operation> of(String text) {
        return Arrays.stream(values()).filter(each -> each.text().equals(text)).findFirst();
    }

    /** Whether a rule for this one is about the other, too. */
    boolean implies(Operation other) {
        return this == ALL || this == other || other == DESCRIBE;
    }
}

package io.spillway.broker.chaos;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** What can be made to go wrong. Names are labels of metrics: they are for ever. */
public enum FaultKind {
    /** Requests wait before they are looked at. */
    DELAY(60_000),
    /** Requests are refused before any work. */
    ERROR(0),
    /** Requests are taken, and nobody ever answers them. */
    DROP(0),
    /** Each sync of the log takes longer. */
    SLOW_DISK(10_000),
    /** A sync of the log fails, which the broker takes as it takes a real one: nothing is accepted until a restart. */
    FAILED_SYNC(0),
    /** Nothing of a topic is delivered. */
    PAUSE_DISPATCH(0),
    /** Two nodes of a cluster do not hear each other. */
    PARTITION(0);

    private static final Set<FaultKind> OF_REQUESTS = Set.of(DELAY, ERROR, DROP);

    private final long mostMs;

    FaultKind(long mostMs) {
        this.mostMs = mostMs;
    }

    /** As users write it. */
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public static Optional<FaultKind> of(String text) {
        return Arrays.stream(values()).filter(kind -> kind.text().equals(text)).findFirst();
    }

    /** The longest wait there may be; 0 = there is none to be given. */
    long mostMs() {
        return mostMs;
    }

    /** Whether it hits requests of clients. */
    public boolean isOfRequests() {
        return OF_REQUESTS.contains(this);
    }
}

package io.spillway.broker.auth;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What somebody may have rights on. */
public enum Resource {
    TOPIC,
    GROUP,
    /** The whole of it; it has no name. */
    CLUSTER;

    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<Resource> of(String text) {
        return Arrays.stream(values()).filter(each -> each.text().equals(text)).findFirst();
    }
}

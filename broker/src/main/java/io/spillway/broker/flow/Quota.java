package io.spillway.broker.flow;

import java.util.Locale;

/**
 * How much may be published.
 *
 * @param scope of what
 * @param name of which: {@value #ANY} is each that has no quota of its own
 */
public record Quota(Scope scope, String name, TokenBucket rate) {
    /** Each that has none of its own. */
    public static final String ANY = "*";

    /** Debt is not waited for longer than this: who owes more is refused. */
    public static final int MAX_WAIT_MS = 5_000;

    /** What a quota is of. The numbers are in the log. */
    public enum Scope {
        /** A client id. */
        PRINCIPAL,
        /** A topic. */
        TOPIC,
        /** A client id at a topic, written {@code client/topic}. */
        PRINCIPAL_TOPIC,
        /** A failure domain. */
        DOMAIN,
        /** One connection; they have no names, so that only {@link #ANY} is possible. */
        CONNECTION;

        /** As users write it. */
        public String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** In bytes a second, and bytes at once after a pause. */
    public static Quota of(Scope scope, String name, long bytesPerSecond, long burstBytes) {
        return new Quota(scope, name, new TokenBucket(bytesPerSecond, burstBytes, MAX_WAIT_MS));
    }

    /** As it is named to users. */
    public String key() {
        return scope.text() + ":" + name;
    }
}

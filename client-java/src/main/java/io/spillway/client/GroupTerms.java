package io.spillway.client;

import java.util.Map;

/**
 * What a subscription says of its group; the group's own when it says nothing.
 *
 * @param filter empty = none given
 * @param config settings by their names in docs/protocol.md
 */
record GroupTerms(GroupMode mode, String filter, Map<String, String> config) {
    static final GroupTerms NONE = new GroupTerms(GroupMode.SHARED, "", Map.of());

    static final String BACKOFF = "retry.backoff.ms";
    static final String JITTER = "retry.jitter.percent";
    static final String MAX_IN_FLIGHT = "max.inflight";

    /** Whether the group has a backoff that this subscription has asked for. */
    boolean hasBackoff() {
        return config.containsKey(BACKOFF);
    }
}

package io.spillway.broker.chaos;

import java.util.ArrayList;
import java.util.List;

/**
 * Whom a fault hits. What is empty does not narrow it.
 *
 * @param topic a name
 * @param principal a client's
 * @param domain a failure domain
 * @param peers ids of nodes, of a partition
 */
public record FaultScope(String topic, String principal, String domain, List<String> peers) {
    /** Everybody. */
    public static final FaultScope ALL = new FaultScope("", "", "", List.of());

    public FaultScope {
        peers = List.copyOf(peers);
    }

    boolean hits(String itsTopic, String itsPrincipal, String itsDomain) {
        return isOf(itsTopic)
                && (principal.isEmpty() || principal.equals(itsPrincipal))
                && (domain.isEmpty() || domain.equals(itsDomain));
    }

    /** Whether it is about that topic, of some clients at least. */
    public boolean isOf(String itsTopic) {
        return topic.isEmpty() || topic.equals(itsTopic);
    }

    boolean isOfClients() {
        return !principal.isEmpty() || !domain.isEmpty();
    }

    @Override
    public String toString() {
        List<String> parts = new ArrayList<>();
        add(parts, "topic ", topic);
        add(parts, "principal ", principal);
        add(parts, "domain ", domain);
        add(parts, "peers ", String.join(" ", peers));
        return parts.isEmpty() ? "all" : String.join(", ", parts);
    }

    private static void add(List<String> parts, String what, String name) {
        if (!name.isEmpty()) {
            parts.add(what + name);
        }
    }
}

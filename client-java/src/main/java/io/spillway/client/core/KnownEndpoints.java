package io.spillway.client.core;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The endpoints a client may connect to: those it was configured with, for good, and those that the nodes of a cluster have
 * named, which change with it. Driven by vectors/connection.json. Not thread-safe.
 */
final class KnownEndpoints {
    /** More are never learned, whatever a broker says. */
    private static final int MAX_LEARNED = 16;

    private final List<Candidate> configured;
    private List<Candidate> learned = new ArrayList<>();

    KnownEndpoints(List<Candidate> configured) {
        this.configured = List.copyOf(configured);
    }

    /** The configured ones in their order, then the learned ones. */
    List<Candidate> all() {
        List<Candidate> all = new ArrayList<>(configured);
        all.addAll(learned);
        return all;
    }

    /**
     * A broker that is alone names only itself, perhaps by an address that is of no use behind a proxy: nothing is learned from
     * that.
     */
    static boolean isCluster(List<?> named) {
        return named.size() > 1;
    }

    /** What a cluster names takes the place of what was learned before. */
    void replaceLearned(List<Node> named) {
        List<Candidate> fresh = new ArrayList<>();
        for (Node node : named) {
            String endpoint = node.endpoint();
            Candidate known = find(endpoint);
            Candidate candidate = known == null ? new Candidate(endpoint, "") : known;
            boolean isNew = !configured.contains(candidate)
                    && fresh.stream().noneMatch(each -> each.endpoint().equals(endpoint));
            if (isNew && fresh.size() < MAX_LEARNED) {
                fresh.add(candidate);
            }
        }
        learned = fresh;
    }

    /** Takes up where they are, and that the first one leads. */
    void locate(List<Node> named) {
        all().forEach(each -> each.leads = false);
        boolean isFirst = true;
        for (Node node : named) {
            Candidate known = find(node.endpoint());
            if (known != null) {
                known.zone = node.zone().isEmpty() ? known.zone : node.zone();
                known.leads = isFirst;
            }
            isFirst = false;
        }
    }

    /** One more; at the bound the one that was learned first gives way. */
    Candidate learn(String endpoint) {
        Candidate known = find(endpoint);
        if (known != null) {
            return known;
        }
        if (learned.size() == MAX_LEARNED) {
            learned.remove(0);
        }
        Candidate candidate = new Candidate(endpoint, "");
        learned.add(candidate);
        return candidate;
    }

    private @Nullable Candidate find(String endpoint) {
        return all().stream()
                .filter(each -> each.endpoint().equals(endpoint))
                .findFirst()
                .orElse(null);
    }
}

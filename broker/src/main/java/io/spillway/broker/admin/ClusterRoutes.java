package io.spillway.broker.admin;

import io.spillway.broker.base.NearestName;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Origin;
import io.spillway.broker.replication.Peer;
import io.spillway.protocol.Code;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET /cluster} and the changes an operator makes with {@code POST /cluster/...}. Answers and errors are JSON; an
 * error has code, what, why and next step. Thread-safe; what has to wait is a future.
 */
final class ClusterRoutes {
    static final String ROOT = "/cluster";

    private static final ChangeRules RULES = new ChangeRules("the cluster is", "cluster", "cluster");
    private static final String NODE = "node";
    private static final String ZONE = "zone";
    private static final String CLUSTER_ADDRESS = "cluster_address";
    private static final String CLIENT_ADDRESS = "client_address";
    private static final String TIMEOUT = "timeout_ms";
    private static final String REASON = "reason";
    private static final int MAX_REASON = 1_024;
    /** The own view is shown without the leader's figures after so long. */
    private static final int LEADER_TIMEOUT_MS = 1_000;

    private static final int DEFAULT_TIMEOUT_MS = 30_000;
    private static final int MAX_TIMEOUT_MS = 600_000;

    private final @Nullable ClusterControl cluster;

    /** @param cluster null: the broker stands alone */
    ClusterRoutes(@Nullable ClusterControl cluster) {
        this.cluster = cluster;
    }

    static boolean areFor(String path) {
        return path.equals(ROOT) || path.startsWith(ROOT + "/");
    }

    CompletableFuture<Answer> answer(AdminRequest request) {
        ClusterControl control = cluster;
        if (control == null) {
            return CompletableFuture.completedFuture(Answer.error(new SpillwayException(
                    Code.NOT_FOUND,
                    "this broker is in no cluster",
                    "it stands alone: cluster-listen is not set",
                    "start it with --cluster-listen to form a cluster, or ask another broker")));
        }
        String change = request.below(ROOT);
        return switch (change) {
            case "" -> request.reads() ? show(control) : CompletableFuture.completedFuture(Answer.onlyBy(Answer.READS));
            case "add", "remove", "transfer", "promote" ->
                request.posts()
                        ? change(control, change, request)
                        : CompletableFuture.completedFuture(Answer.onlyBy("POST"));
            default ->
                CompletableFuture.completedFuture(Answer.error(new SpillwayException(
                        Code.NOT_FOUND,
                        "no such path below " + ROOT,
                        "there are add, remove, transfer and promote, by POST",
                        "use one of them, or spillway cluster")));
        };
    }

    private static CompletableFuture<Answer> show(ClusterControl control) {
        try {
            ClusterStatus own = control.status();
            String stopped = control.stopped();
            ClusterJson.Standing at = new ClusterJson.Standing(
                    stopped, control.stoppedNext(), control.returning(), control.behind(), control.quarantine());
            CompletableFuture<ClusterStatus> leaders = stopped.isEmpty()
                    ? control.leaderStatus()
                    : CompletableFuture.failedFuture(new IllegalStateException(stopped));
            // Without the leader's figures there is still what this node knows.
            return leaders.copy()
                    .orTimeout(LEADER_TIMEOUT_MS, TimeUnit.MILLISECONDS)
                    .handle((seen, failure) -> new Answer(200, Answer.JSON, ClusterJson.status(own, seen, at)));
        } catch (RuntimeException e) {
            return CompletableFuture.completedFuture(
                    Answer.error(ClusterFailures.of(e, "the state of the cluster is not known")));
        }
    }

    private static CompletableFuture<Answer> change(ClusterControl control, String change, AdminRequest request) {
        String node = request.query().getOrDefault(NODE, "");
        String what = switch (change) {
            case "add" -> "node " + node + " is not added";
            case "remove" -> "node " + node + " is not removed";
            case "transfer" -> "the leadership does not go to node " + node;
            default -> "node " + node + " is not promoted";
        };
        try {
            check(request, change);
            int timeoutMs = timeout(request);
            Origin origin = new Origin(
                    "http " + request.peer() + " at " + control.status().self(),
                    request.query().getOrDefault(REASON, ""));
            CompletableFuture<Void> done = switch (change) {
                case "add" -> control.add(peer(request), origin);
                case "remove" -> control.remove(node, origin);
                case "transfer" -> control.transferTo(node, timeoutMs, origin);
                default -> control.promote(node, origin);
            };
            return done.copy()
                    .orTimeout(timeoutMs, TimeUnit.MILLISECONDS)
                    .handle((ignored, failure) -> failure == null
                            ? new Answer(200, Answer.JSON, ClusterJson.done(change, node))
                            : Answer.error(explained(ClusterFailures.of(failure, what), control, change, node)));
        } catch (RuntimeException e) {
            return CompletableFuture.completedFuture(Answer.error(ClusterFailures.of(e, what)));
        }
    }

    private static void check(AdminRequest request, String change) {
        Set<String> taken = change.equals("add")
                ? Set.of(NODE, ZONE, CLUSTER_ADDRESS, CLIENT_ADDRESS, TIMEOUT, REASON)
                : Set.of(NODE, TIMEOUT, REASON);
        RULES.check(request, taken);
        checkReason(request.query().getOrDefault(REASON, ""));
        for (String name : new TreeSet<>(taken)) {
            if (!name.equals(TIMEOUT)
                    && !name.equals(REASON)
                    && request.query().getOrDefault(name, "").isEmpty()) {
                throw RULES.invalid("the parameter " + name + " is missing", change + " needs it");
            }
        }
    }

    private static void checkReason(String reason) {
        if (reason.length() > MAX_REASON) {
            throw RULES.invalid("the reason has " + reason.length() + " characters", "it may have up to " + MAX_REASON);
        }
    }

    private static int timeout(AdminRequest request) {
        String text = request.query().getOrDefault(TIMEOUT, String.valueOf(DEFAULT_TIMEOUT_MS));
        int timeoutMs = text.matches("\\d{1,9}") ? Integer.parseInt(text) : 0;
        if (timeoutMs < 1 || timeoutMs > MAX_TIMEOUT_MS) {
            throw RULES.invalid(TIMEOUT + " is " + text, "it must be from 1 to " + MAX_TIMEOUT_MS);
        }
        return timeoutMs;
    }

    private static Peer peer(AdminRequest request) {
        try {
            return new Peer(
                    request.query().getOrDefault(NODE, ""),
                    request.query().getOrDefault(ZONE, ""),
                    request.query().getOrDefault(CLUSTER_ADDRESS, ""),
                    request.query().getOrDefault(CLIENT_ADDRESS, ""));
        } catch (IllegalArgumentException e) {
            throw RULES.invalid("there is no such node", String.valueOf(e.getMessage()));
        }
    }

    /** A refusal that a wrong name, or the leader's, explains. */
    private static SpillwayException explained(
            SpillwayException refusal, ClusterControl control, String change, String node) {
        if (refusal.code() != Code.WRONG_STATE || change.equals("add")) {
            return refusal;
        }
        List<String> ids = control.status().nodes().stream()
                .map(known -> known.peer().id())
                .toList();
        if (!ids.contains(node)) {
            Optional<String> nearest = NearestName.of(node, ids);
            return new SpillwayException(
                    Code.NOT_FOUND,
                    refusal.what(),
                    "the cluster has no such node; it has " + String.join(", ", ids),
                    nearest.map(name -> "did you mean " + name + "?").orElse("see spillway cluster status"));
        }
        Peer leader = control.status().leader();
        if (change.equals("remove") && leader != null && leader.id().equals(node)) {
            return new SpillwayException(
                    Code.WRONG_STATE,
                    refusal.what(),
                    refusal.why(),
                    "spillway cluster transfer-leader to another voter, then again");
        }
        return refusal;
    }
}

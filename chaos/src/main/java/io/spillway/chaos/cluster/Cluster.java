package io.spillway.chaos.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import io.spillway.chaos.network.Network;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** The nodes of a round. Thread-safe. */
public final class Cluster implements AutoCloseable {
    public static final List<String> IDS = List.of("n1", "n2", "n3");

    private static final long LOOK_AGAIN_NS = 100_000_000;

    private final List<Node> nodes = new ArrayList<>();
    private final Asking asking = new Asking();

    /**
     * @param mounted whether each node gets a file system of its own
     * @param terms of every node
     */
    public Cluster(Network network, Path directory, boolean mounted, Node.Terms terms) {
        for (String id : IDS) {
            List<String> seeds = IDS.stream()
                    .filter(other -> !other.equals(id))
                    .map(other -> network.endpoints(other).clusterAdvertise())
                    .toList();
            Disk disk = Disk.make(directory, id, mounted);
            nodes.add(new Node(id, network, disk, new Node.Joining(seeds, nodes.isEmpty()), terms));
        }
    }

    public List<Node> nodes() {
        return nodes;
    }

    public Node node(String id) {
        return nodes.stream().filter(node -> node.id().equals(id)).findFirst().orElseThrow();
    }

    public Asking asking() {
        return asking;
    }

    public List<String> clientEndpoints() {
        return nodes.stream().map(node -> node.endpoints().advertise()).toList();
    }

    /** The node that the others, or it alone, call their leader. */
    public Optional<Node> leader() {
        for (Node node : nodes) {
            if (node.isAlive() && !node.isPaused()) {
                Optional<Node> claimed = asking.cluster(node)
                        .map(status -> status.path("leader").asText(""))
                        .flatMap(id -> nodes.stream()
                                .filter(other -> other.id().equals(id))
                                .findFirst());
                if (claimed.isPresent() && claimed.get().isAlive()) {
                    return claimed;
                }
            }
        }
        return Optional.empty();
    }

    /** Whether all nodes run, say that they are ready, vote, and are followed up, as the leader sees it. */
    public boolean isWhole() {
        if (!nodes.stream().allMatch(node -> node.isAlive() && asking.isReady(node))) {
            return false;
        }
        Optional<JsonNode> seen = leader().flatMap(asking::cluster);
        if (seen.isEmpty() || seen.get().path("nodes").size() != nodes.size()) {
            return false;
        }
        for (JsonNode node : seen.get().path("nodes")) {
            boolean isLeader = node.path("leader").asBoolean();
            if (!node.path("role").asText().equals("VOTER") && !isLeader) {
                return false;
            }
            if (!isLeader
                    && (!node.path("lag_entries").isNumber()
                            || node.path("last_contact_ms").asLong(9_999) > 2_000)) {
                return false;
            }
        }
        return true;
    }

    /** Whether every node has applied what the cluster has committed, and all of them as much. */
    public boolean isSameEverywhere() {
        List<Long> places = new ArrayList<>();
        for (Node node : nodes) {
            Optional<JsonNode> status = asking.cluster(node);
            if (status.isEmpty() || !status.get().path("stopped").isNull() || !asking.isReady(node)) {
                return false;
            }
            places.add(status.get().path("commit").asLong());
            places.add(status.get().path("applied").asLong());
        }
        return places.stream().distinct().count() == 1;
    }

    /** Waits until it is so; false when it is not in time. */
    public static boolean await(long limitMs, BooleanSupplier condition) {
        long deadlineNs = System.nanoTime() + limitMs * 1_000_000;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadlineNs || Thread.currentThread().isInterrupted()) {
                return false;
            }
            LockSupport.parkNanos(LOOK_AGAIN_NS);
        }
        return true;
    }

    @Override
    public void close() {
        nodes.forEach(Node::close);
    }
}

package io.spillway.chaos.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import io.spillway.chaos.history.Event;
import io.spillway.chaos.history.History;
import io.spillway.chaos.network.Network;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Asks every node again and again how it is, and notes the answer beside what is so. Has a thread of its own. */
public final class HealthWatch implements AutoCloseable {
    private static final int EVERY_MS = 500;

    private final Cluster cluster;
    private final Network network;
    private final History history;
    private final Thread thread = new Thread(this::run, "health");

    public HealthWatch(Cluster cluster, Network network, History history) {
        this.cluster = cluster;
        this.network = network;
        this.history = history;
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try {
            while (true) {
                cluster.nodes().stream()
                        .filter(Node::isAlive)
                        .map(Look::new)
                        .toList()
                        .forEach(Look::note);
                TimeUnit.MILLISECONDS.sleep(EVERY_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the end
        }
    }

    /** Questions to one node that are under way. A node that gives no answer says nothing false. */
    private final class Look {
        private final Node node;
        private final boolean wasQuorate;
        private final boolean wasServed;
        private final CompletableFuture<Optional<Asking.Said>> ready;
        private final CompletableFuture<Optional<Asking.Said>> status;

        Look(Node node) {
            this.node = node;
            wasQuorate = isQuorate(node);
            wasServed = isServed(node);
            ready = cluster.asking().get(node, "/readyz");
            status = cluster.asking().get(node, "/cluster");
        }

        void note() {
            Optional<Asking.Said> saidReady = ready.join();
            Optional<Asking.Said> saidStatus = status.join();
            if (saidReady.isEmpty() || saidStatus.isEmpty()) {
                return;
            }
            JsonNode cluster = HealthWatch.this.cluster.asking().parse(saidStatus.get());
            history.add(at -> new Event.Health(
                    at,
                    node.id(),
                    saidReady.get().status() == 200,
                    cluster.path("leader").asText("").equals(node.id()),
                    cluster.path("commit").asLong(-1),
                    wasQuorate || isQuorate(node),
                    wasServed && isServed(node)));
        }
    }

    private boolean isQuorate(Node node) {
        long reached = cluster.nodes().stream()
                .filter(other -> other == node || reaches(node, other))
                .filter(other -> other.isAlive() && !other.isPaused())
                .count();
        return reached > cluster.nodes().size() / 2;
    }

    private boolean reaches(Node one, Node other) {
        return network.flows(one.id(), other.id()) && network.flows(other.id(), one.id());
    }

    private boolean isServed(Node node) {
        return network.clientHosts().stream()
                .allMatch(host -> network.flows(node.id(), host) && network.flows(host, node.id()));
    }

    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

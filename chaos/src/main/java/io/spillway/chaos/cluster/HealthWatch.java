package io.spillway.chaos.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import io.spillway.chaos.history.Event;
import io.spillway.chaos.history.History;
import io.spillway.chaos.network.Network;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks every node again and again how it is, and notes the answer beside what is so. Has a thread of its own. */
public final class HealthWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HealthWatch.class);
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
                for (Node node : cluster.nodes()) {
                    if (node.isAlive()) {
                        look(node);
                    }
                }
                TimeUnit.MILLISECONDS.sleep(EVERY_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the end
        }
    }

    /** Does not wait for the answer; a node that gives none says nothing false. */
    private void look(Node node) {
        Asking asking = cluster.asking();
        boolean wasQuorate = isQuorate(node);
        boolean wasServed = isServed(node);
        CompletableFuture<Optional<Asking.Said>> status = asking.get(node, "/cluster");
        asking.get(node, "/readyz")
                .thenAcceptBoth(status, (ready, said) -> {
                    if (ready.isPresent() && said.isPresent()) {
                        note(node, ready.get(), asking.parse(said.get()), wasQuorate, wasServed);
                    }
                })
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        LOG.warn("event=health_not_noted node={}", node.id(), failure);
                    }
                });
    }

    private void note(Node node, Asking.Said ready, JsonNode status, boolean wasQuorate, boolean wasServed) {
        history.add(at -> new Event.Health(
                at,
                node.id(),
                ready.status() == 200,
                status.path("leader").asText("").equals(node.id()),
                status.path("commit").asLong(-1),
                wasQuorate || isQuorate(node),
                wasServed && isServed(node)));
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
        return network.flows(node.id(), Network.CLIENTS) && network.flows(Network.CLIENTS, node.id());
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

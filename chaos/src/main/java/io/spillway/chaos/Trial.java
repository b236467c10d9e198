package io.spillway.chaos;

import io.spillway.chaos.check.Checker;
import io.spillway.chaos.check.Evidence;
import io.spillway.chaos.check.StoredLog;
import io.spillway.chaos.check.Violation;
import io.spillway.chaos.clients.Clients;
import io.spillway.chaos.clients.Groups;
import io.spillway.chaos.cluster.Cluster;
import io.spillway.chaos.cluster.HealthWatch;
import io.spillway.chaos.cluster.Node;
import io.spillway.chaos.history.History;
import io.spillway.chaos.network.Loopback;
import io.spillway.chaos.network.Namespaces;
import io.spillway.chaos.network.Network;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A cluster from its first start to its end, with clients, and the verdict on what it has stored. */
public final class Trial implements AutoCloseable {
    private static final long FORM_MS = 90_000;
    private static final long FINISH_MS = 60_000;

    /**
     * What it is made of.
     *
     * @param clientHosts where clients are
     * @param terms of the brokers
     */
    public record Plan(Options.Mode mode, List<String> clientHosts, Node.Terms terms) {
        /** As every round has it. */
        static Plan usual(Options.Mode mode) {
            return new Plan(mode, List.of(Network.CLIENTS), Node.Terms.USUAL);
        }
    }

    private final Cleanup cleanup = new Cleanup();
    private final History history;
    private final Network network;
    private final Cluster cluster;
    private final Clients clients;
    private final HealthWatch health;

    /** Forms the cluster, whole, before it returns. */
    public Trial(Plan plan, Path directory) {
        try {
            history = cleanup.add(new History(directory.resolve("history.jsonl")));
            network = cleanup.add(network(plan));
            cluster = cleanup.add(new Cluster(network, directory, plan.mode() == Options.Mode.NETNS, plan.terms()));
            form();
            clients = cleanup.add(new Clients(network, cluster.clientEndpoints(), directory, history));
            health = cleanup.add(new HealthWatch(cluster, network, history));
        } catch (RuntimeException e) {
            cleanup.close();
            throw e;
        }
    }

    /** Names and addresses of its own, so that runs do not meet. */
    private static Network network(Plan plan) {
        if (plan.mode() == Options.Mode.LOOPBACK) {
            return new Loopback(Cluster.IDS, plan.clientHosts());
        }
        long pid = ProcessHandle.current().pid();
        String subnet = "10." + (64 + pid % 128) + "." + (pid / 128 % 250);
        return new Namespaces(Long.toHexString(pid), subnet, Cluster.IDS, plan.clientHosts());
    }

    private void form() {
        cluster.nodes().forEach(Node::start);
        if (!Cluster.await(FORM_MS, cluster::isWhole)) {
            throw new IllegalStateException("the nodes form no cluster within " + FORM_MS / 1_000 + " s");
        }
    }

    public History history() {
        return history;
    }

    public Network network() {
        return network;
    }

    public Cluster cluster() {
        return cluster;
    }

    public Clients clients() {
        return clients;
    }

    /** Lets everything come to its end and says what must not be. */
    public List<Violation> finish() {
        List<Violation> violations = new ArrayList<>();
        if (!clients.finishWriting(FINISH_MS)) {
            violations.add(late("what was begun is acked in the end"));
        }
        if (!clients.finishReading(FINISH_MS)) {
            violations.add(late("groups settle all there is in the end"));
        }
        clients.stopReading();
        health.close();
        if (!Cluster.await(FINISH_MS, cluster::isSameEverywhere)) {
            violations.add(late("all nodes come to the same place"));
        }
        for (Node node : cluster.nodes()) {
            if (node.isAlive() && !node.terminate()) {
                violations.add(new Violation("a node ends in order", node.id() + " did not"));
            }
        }
        Map<String, StoredLog> logs = logs(violations);
        violations.addAll(
                new Checker(Groups.ORDERED.name(), clients.groups()).check(new Evidence(history.events(), logs)));
        return violations;
    }

    private static Violation late(String rule) {
        return new Violation(rule, "not within " + FINISH_MS / 1_000 + " s");
    }

    private Map<String, StoredLog> logs(List<Violation> violations) {
        Map<String, StoredLog> logs = new LinkedHashMap<>();
        for (Node node : cluster.nodes()) {
            try {
                logs.put(node.id(), StoredLog.read(node.data()));
            } catch (RuntimeException e) {
                violations.add(new Violation("every replica can be read", node.id() + ": " + e));
            }
        }
        return logs;
    }

    @Override
    public void close() {
        cleanup.close();
    }
}

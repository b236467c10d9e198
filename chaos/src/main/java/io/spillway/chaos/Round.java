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
import io.spillway.chaos.history.Event;
import io.spillway.chaos.history.History;
import io.spillway.chaos.nemesis.Nemesis;
import io.spillway.chaos.nemesis.Scene;
import io.spillway.chaos.network.Loopback;
import io.spillway.chaos.network.Namespaces;
import io.spillway.chaos.network.Network;
import io.spillway.conformance.driver.Language;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/** A cluster from its first start to its end, with clients and a nemesis, and the verdict on it. */
final class Round {
    private static final long FORM_MS = 90_000;
    private static final long FINISH_MS = 60_000;
    private static final long CALM_MS = 2_000;

    private final Options options;
    private final List<Language> languages;
    private final int number;
    private final long seed;
    private final Path directory;
    private final List<Violation> violations = new ArrayList<>();

    Round(Options options, List<Language> languages, int number, Path directory) {
        this.options = options;
        this.languages = languages;
        this.number = number;
        this.directory = directory;
        seed = options.seed() + number - 1;
    }

    Outcome run() throws InterruptedException {
        long beganNs = System.nanoTime();
        List<Nemesis.Step> steps = List.of();
        List<Event> events = List.of();
        try (Cleanup cleanup = new Cleanup();
                History history = new History(directory.resolve("history.jsonl"))) {
            boolean isMounted = options.mode() == Options.Mode.NETNS;
            Network network = cleanup.add(network());
            Cluster cluster = cleanup.add(new Cluster(network, directory, isMounted));
            form(cluster);
            SplittableRandom random = new SplittableRandom(seed);
            Clients clients = cleanup.add(new Clients(languages, network, directory, history));
            clients.start(cluster.clientEndpoints(), random.split());
            HealthWatch health = cleanup.add(new HealthWatch(cluster, network, history));
            TimeUnit.MILLISECONDS.sleep(CALM_MS);
            Scene scene = new Scene(cluster, network, random.split());
            Nemesis.Plan plan = new Nemesis.Plan(isMounted, options.faults(), options.atOnce());
            steps = new Nemesis(scene, history, clients.progress(), plan).run(options.seconds() * 1_000L);
            steps.forEach(this::judge);
            finish(clients, cluster, health);
            events = history.events();
            judge(events, logs(cluster));
        } catch (RuntimeException e) {
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace, true));
            found("the round comes to its end", trace.toString());
        }
        long seconds = (System.nanoTime() - beganNs) / 1_000_000_000;
        return Outcome.of(number, seed, seconds, steps, events, violations);
    }

    /** Names and addresses of its own, so that runs do not meet. */
    private Network network() {
        if (options.mode() == Options.Mode.LOOPBACK) {
            return new Loopback(Cluster.IDS);
        }
        long pid = ProcessHandle.current().pid();
        return new Namespaces(Long.toHexString(pid), "10." + (64 + pid % 128) + "." + (pid / 128 % 250), Cluster.IDS);
    }

    private static void form(Cluster cluster) {
        cluster.nodes().forEach(Node::start);
        if (!Cluster.await(FORM_MS, cluster::isWhole)) {
            throw new IllegalStateException("the nodes form no cluster within " + FORM_MS / 1_000 + " s");
        }
    }

    private void judge(Nemesis.Step step) {
        if (step.upMs() < 0) {
            found("every node starts", step.kinds() + ": not within " + Nemesis.UP_BOUND_MS / 1_000 + " s");
        }
        if (step.recoveryMs() < 0) {
            found(
                    "everything goes on within " + Nemesis.RECOVERY_BOUND_MS / 1_000 + " s",
                    step.kinds() + ": not yet: " + step.missing());
        }
        if (step.wholeMs() < 0) {
            found(
                    "all nodes are whole within " + Nemesis.WHOLE_BOUND_MS / 1_000 + " s",
                    step.kinds().toString());
        }
    }

    private void found(String rule, String what) {
        violations.add(new Violation(rule, what));
    }

    private void finish(Clients clients, Cluster cluster, HealthWatch health) {
        if (!clients.finishWriting(FINISH_MS)) {
            found("what was begun is acked in the end", "not within " + FINISH_MS / 1_000 + " s");
        }
        if (!clients.finishReading(FINISH_MS)) {
            found("groups settle all there is in the end", "not within " + FINISH_MS / 1_000 + " s");
        }
        clients.stopReading();
        health.close();
        if (!Cluster.await(FINISH_MS, cluster::isSameEverywhere)) {
            found("all nodes come to the same place", "not within " + FINISH_MS / 1_000 + " s");
        }
        for (Node node : cluster.nodes()) {
            if (node.isAlive() && !node.terminate()) {
                found("a node ends in order", node.id() + " did not");
            }
        }
    }

    private Map<String, StoredLog> logs(Cluster cluster) {
        Map<String, StoredLog> logs = new LinkedHashMap<>();
        for (Node node : cluster.nodes()) {
            try {
                logs.put(node.id(), StoredLog.read(node.data()));
            } catch (RuntimeException e) {
                found("every replica can be read", node.id() + ": " + e);
            }
        }
        return logs;
    }

    private void judge(List<Event> events, Map<String, StoredLog> logs) {
        List<String> groups = Groups.ALL.stream().map(Groups.Group::name).toList();
        violations.addAll(new Checker(Groups.ORDERED.name(), groups).check(new Evidence(events, logs)));
    }
}

package io.spillway.system;

import static org.awaitility.Awaitility.await;

import io.spillway.client.ClientBuilder;
import io.spillway.client.SpillwayClient;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Hello;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Brokers in processes of their own, each in a zone of its own, that form a cluster on loopback. Ends with the test. */
public final class BrokerCluster implements AutoCloseable {
    private static final int FIRST_PORT = 20_000;
    private static final int PORTS = 12_000;
    /** Begins anywhere, so that the tests of another process, or of an earlier run, have others. */
    private static final AtomicInteger NEXT_PORT =
            new AtomicInteger(ThreadLocalRandom.current().nextInt(PORTS));

    private final HttpClient http = HttpClient.newHttpClient();
    private final Path directory;
    private final List<String> settings;
    private final List<BrokerProcess> nodes = new ArrayList<>();
    private final List<Integer> clusterPorts = new ArrayList<>();

    private BrokerCluster(Path directory, List<String> settings) {
        this.directory = directory;
        this.settings = settings;
    }

    /** @param settings key=value, of all nodes */
    static BrokerCluster start(Path directory, int size, String... settings) {
        BrokerCluster cluster = new BrokerCluster(directory, List.of(settings));
        try {
            for (int i = 0; i < size; i++) {
                cluster.add();
            }
            cluster.awaitVoters();
            return cluster;
        } catch (RuntimeException | Error e) {
            cluster.nodes.forEach(node -> e.addSuppressed(new IllegalStateException(node.saidLast())));
            cluster.close();
            throw e;
        }
    }

    /** Until every node votes: before that, the loss of one may be the loss of the majority. */
    void awaitVoters() {
        BrokerProcess leader = node(leader());
        await("all nodes to vote")
                .atMost(BrokerProcess.PATIENCE)
                .until(() -> status(leader).split("\"VOTER\"", -1).length - 1 == nodes.size());
    }

    /** Starts one more node, which joins; returns it. */
    BrokerProcess add() {
        int id = nodes.size() + 1;
        clusterPorts.add(freePort());
        String own = "127.0.0.1:" + clusterPorts.get(id - 1);
        List<String> all = new ArrayList<>(settings);
        all.addAll(List.of("node-id=n" + id, "zone=z" + id, "cluster-listen=" + own));
        if (id > 1) {
            all.add("seed=127.0.0.1:" + clusterPorts.get(0));
        }
        nodes.add(BrokerProcess.start(dataDir(id - 1), all.toArray(new String[0])));
        return nodes.get(id - 1);
    }

    /** Free a moment ago, and none that the system gives to whoever connects or does not mind, so that it stays free. */
    static int freePort() {
        for (int i = 0; i < PORTS; i++) {
            try (ServerSocket socket = new ServerSocket(FIRST_PORT + NEXT_PORT.getAndIncrement() % PORTS)) {
                return socket.getLocalPort();
            } catch (BindException e) {
                continue; // taken
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        throw new IllegalStateException("none of " + PORTS + " ports from " + FIRST_PORT + " on is free");
    }

    /** Where the other nodes reach this one. */
    String clusterAddress(int index) {
        return "127.0.0.1:" + clusterPorts.get(index);
    }

    Path dataDir(int index) {
        return directory.resolve("n" + (index + 1));
    }

    BrokerProcess node(int index) {
        return nodes.get(index);
    }

    int size() {
        return nodes.size();
    }

    /** The index of the node that serves clients, once there is one. */
    int leader() {
        AtomicInteger found = new AtomicInteger();
        await("a leader").atMost(BrokerProcess.PATIENCE).until(() -> {
            for (int i = 0; i < nodes.size(); i++) {
                if (serves(nodes.get(i))) {
                    found.set(i);
                    return true;
                }
            }
            return false;
        });
        return found.get();
    }

    /** Whether a node leads that is not this one, which is not asked. */
    boolean isLedByAnotherThan(int node) {
        for (int i = 0; i < nodes.size(); i++) {
            if (i != node && serves(nodes.get(i))) {
                return true;
            }
        }
        return false;
    }

    /** Whether a node takes a client's HELLO. */
    static boolean serves(@Nullable BrokerProcess node) {
        if (node == null || !node.isRunning()) {
            return false;
        }
        try (RawPeer peer = RawPeer.open(node)) {
            return !peer.ask(FrameKind.HELLO, 0, Hello.getDefaultInstance()).isError();
        } catch (IOException e) {
            return false;
        }
    }

    /** Whether every node takes part and has applied what the cluster has committed, and all of them as much. */
    boolean holdsTheSameEverywhere() throws IOException, InterruptedException {
        Set<String> places = new HashSet<>();
        for (BrokerProcess node : nodes) {
            if (!isReady(node)) {
                return false;
            }
            String status = status(node);
            places.add(figure(status, "commit"));
            places.add(figure(status, "applied"));
        }
        return places.size() == 1;
    }

    /** For who waited for that in vain: what each node says of itself. */
    String standing() throws IOException, InterruptedException {
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < nodes.size(); i++) {
            all.append(ready(i)).append(status(nodes.get(i))).append('\n');
        }
        return all.toString();
    }

    /** Whether a node says that it does its part. */
    boolean isReady(BrokerProcess node) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + node.http() + "/readyz"))
                .timeout(BrokerProcess.PATIENCE)
                .build();
        return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    }

    /** What a node says of whether it does its part. */
    String ready(int node) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://" + nodes.get(node).http() + "/readyz"))
                .timeout(BrokerProcess.PATIENCE)
                .build();
        return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    /** Starts a node that was killed, with other seeds than it had. */
    BrokerProcess again(int index, String... seeds) {
        List<String> all = new ArrayList<>(settings);
        all.addAll(List.of(
                "node-id=n" + (index + 1),
                "zone=z" + (index + 1),
                "cluster-listen=" + clusterAddress(index),
                "seed=" + String.join(",", seeds)));
        return BrokerProcess.start(dataDir(index), all.toArray(new String[0]));
    }

    String status(BrokerProcess node) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + node.http() + "/cluster"))
                .timeout(BrokerProcess.PATIENCE)
                .build();
        return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    /** What a node says at a path of its http address. */
    String get(int node, String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://" + nodes.get(node).http() + path))
                .timeout(BrokerProcess.PATIENCE)
                .build();
        return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    /** One of a node's metrics, by its name with labels; 0 when the node does not show it. */
    double metric(int node, String name) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://" + nodes.get(node).http() + "/metrics"))
                .timeout(BrokerProcess.PATIENCE)
                .build();
        String text = http.send(request, HttpResponse.BodyHandlers.ofString()).body();
        return text.lines()
                .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    private static String figure(String json, String name) {
        Matcher matcher = Pattern.compile("\"" + name + "\"\\s*:\\s*(-?\\d+)").matcher(json);
        if (!matcher.find()) {
            throw new AssertionError("no " + name + " in " + json);
        }
        return matcher.group(1);
    }

    String[] endpoints() {
        return nodes.stream().map(BrokerProcess::wire).toArray(String[]::new);
    }

    ClientBuilder clientBuilder() {
        return SpillwayClient.builder()
                .endpoints(endpoints())
                .waitForBroker(BrokerProcess.PATIENCE)
                .requestTimeout(BrokerProcess.PATIENCE);
    }

    SpillwayClient client() {
        return clientBuilder().connect();
    }

    @Override
    public void close() {
        nodes.forEach(BrokerProcess::close);
    }
}

package io.spillway.broker.replication;

import static org.awaitility.Awaitility.await;

import io.spillway.broker.base.ListenAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.awaitility.core.ConditionFactory;

/** Nodes in this process, on loopback, with directories below one. */
final class TestCluster implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    private final Path dir;
    private final UnaryOperator<ReplicationConfig> settings;
    private final Map<String, RaftNode> nodes = new TreeMap<>();
    private final Map<String, RecordingReplica> replicas = new TreeMap<>();
    private final Map<String, ReplicationConfig> configs = new TreeMap<>();

    TestCluster(Path dir, UnaryOperator<ReplicationConfig> settings) {
        this.dir = dir;
        this.settings = settings;
    }

    TestCluster(Path dir) {
        this(dir, config -> config);
    }

    static ConditionFactory awaiting(String what) {
        return await(what).atMost(DEADLINE).pollInterval(Duration.ofMillis(20));
    }

    /** n1 in a forms the cluster, n2 in b and n3 in c join; all vote. */
    TestCluster ofThree() throws IOException {
        start("n1", "a");
        start("n2", "b");
        start("n3", "c");
        awaitVoters("n1", "n2", "n3");
        return this;
    }

    /** A new node; the first one forms the cluster, the others have all earlier ones as seeds. */
    RaftNode start(String id, String zone) throws IOException {
        List<String> seeds = configs.values().stream()
                .map(config -> config.self().clusterAddress())
                .toList();
        return start(id, zone, seeds);
    }

    RaftNode start(String id, String zone, List<String> seeds) throws IOException {
        prepare(id, zone, seeds);
        return restart(id);
    }

    /** As a node of a cluster that has this id. */
    RaftNode start(String id, String zone, List<String> seeds, ClusterId cluster) throws IOException {
        prepare(id, zone, seeds);
        return run(id, Optional.of(cluster));
    }

    private void prepare(String id, String zone, List<String> seeds) throws IOException {
        int port = freePort();
        Peer self = new Peer(id, zone, "127.0.0.1:" + port, "127.0.0.1:" + (port == 1 ? 2 : port - 1));
        configs.put(
                id,
                settings.apply(
                        ReplicationConfig.of(self, new ListenAddress("127.0.0.1", port), seeds, dir.resolve(id))));
        replicas.put(id, new RecordingReplica());
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Starts it again from what is in its directory, and with what its replica has. */
    RaftNode restart(String id) throws IOException {
        return run(id, learn(config(id)));
    }

    private RaftNode run(String id, Optional<ClusterId> cluster) throws IOException {
        RecordingReplica replica = replica(id);
        RaftNode node = RaftNode.start(config(id), cluster, replica);
        replica.attach(node);
        nodes.put(id, node);
        return node;
    }

    /** As a node does before it takes part for the first time; of a seed that tells nothing, any id will do. */
    private static Optional<ClusterId> learn(ReplicationConfig config) throws IOException {
        if (RaftDirectory.id(config.dir(), config.cluster()).isPresent()
                || config.otherSeeds().isEmpty()) {
            return Optional.empty();
        }
        try (Outsider outsider = new Outsider(config, Optional.empty())) {
            for (String seed : config.otherSeeds()) {
                outsider.status(seed).handle((status, failure) -> failure).join();
                if (outsider.cluster().isPresent()) {
                    return outsider.cluster();
                }
            }
        }
        return Optional.of(ClusterId.drawn(config.cluster()));
    }

    void close(String id) {
        node(id).close();
        nodes.remove(id);
    }

    RaftNode node(String id) {
        return java.util.Objects.requireNonNull(nodes.get(id), id);
    }

    RecordingReplica replica(String id) {
        return java.util.Objects.requireNonNull(replicas.get(id), id);
    }

    void replace(String id, RecordingReplica replica) {
        replicas.put(id, replica);
    }

    ReplicationConfig config(String id) {
        return java.util.Objects.requireNonNull(configs.get(id), id);
    }

    void reconfigure(String id, UnaryOperator<ReplicationConfig> change) {
        configs.put(id, change.apply(config(id)));
    }

    /** The id of the node whose replica leads and may propose. */
    String awaitLeader() {
        awaiting("a leader").until(() -> leaders().size() == 1);
        return leaders().get(0);
    }

    private List<String> leaders() {
        return nodes.keySet().stream()
                .filter(id -> replica(id).isLeading() && node(id).status().isLeading())
                .toList();
    }

    List<String> followers() {
        String leader = awaitLeader();
        return nodes.keySet().stream().filter(id -> !id.equals(leader)).toList();
    }

    void awaitVoters(String... ids) {
        awaiting("voters " + List.of(ids))
                .until(() -> nodes.values().stream()
                        .allMatch(node -> idsOf(node, ClusterStatus.Role.VOTER).equals(List.of(ids))));
    }

    void awaitListeners(String... ids) {
        awaiting("listeners " + List.of(ids))
                .until(() -> nodes.values().stream()
                        .allMatch(
                                node -> idsOf(node, ClusterStatus.Role.LISTENER).equals(List.of(ids))));
    }

    private static List<String> idsOf(RaftNode node, ClusterStatus.Role role) {
        return node.status().nodes().stream()
                .filter(member -> member.role() == role)
                .map(member -> member.peer().id())
                .toList();
    }

    static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Proposes at the leader, many at a time, and waits until all have committed. */
    List<String> propose(String prefix, int count) throws Exception {
        RaftNode leader = node(awaitLeader());
        List<String> texts = new ArrayList<>();
        List<CompletableFuture<RaftPoint>> futures = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            texts.add(prefix + i);
            futures.add(leader.propose(bytes(prefix + i)));
        }
        for (CompletableFuture<RaftPoint> future : futures) {
            future.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
        }
        return texts;
    }

    void awaitTexts(List<String> texts) {
        for (String id : nodes.keySet()) {
            awaiting(texts.size() + " entries at " + id)
                    .until(() -> replica(id).texts().size() >= texts.size());
            org.assertj.core.api.Assertions.assertThat(replica(id).texts())
                    .as("entries at " + id)
                    .isEqualTo(texts);
        }
    }

    static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        nodes.values().forEach(RaftNode::close);
    }
}

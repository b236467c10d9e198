package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.broker.Broker;
import io.spillway.broker.BrokerConfig;
import io.spillway.broker.config.ConfigLoader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;

/** Nodes of a cluster that all have the certificates and the first operator of one {@code spillway secure init}. */
final class SecureNodes implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final Pattern LEADER = Pattern.compile("\"node\"\\s*:\\s*\"([^\"]+)\"[^{}]*\"leader\"\\s*:\\s*true");

    private final Path directory;
    private final TreeMap<String, Broker> nodes = new TreeMap<>();
    private final TreeMap<String, List<String>> settings = new TreeMap<>();

    SecureNodes(Path directory) throws IOException {
        this.directory = directory;
        CommandRun made =
                CommandRun.of("secure", "init", "--directory", secure("").toString());
        assertThat(made.exitCode()).as(made.err()).isZero();
        Path keys = Files.createDirectory(directory.resolve("keys"));
        Files.writeString(keys.resolve("main.hmac"), Base64.getEncoder().encodeToString(new byte[40]));
        List<String> seeds = new ArrayList<>();
        for (String id : List.of("n1", "n2", "n3")) {
            String address = "127.0.0.1:" + freePort();
            settings.put(
                    id,
                    List.of(
                            "data-dir=" + directory.resolve(id),
                            "listen=127.0.0.1:0",
                            "http=127.0.0.1:0",
                            "node-id=" + id,
                            "zone=z" + id,
                            "cluster-listen=" + address,
                            "seed=" + String.join(",", seeds),
                            "auth.token-keys=" + keys));
            seeds.add(address);
            start(id);
        }
        await("all nodes to vote").atMost(PATIENCE).until(() -> status("n1").split("\"VOTER\"", -1).length == 4);
        // Who has just joined may not know yet who leads.
        leader();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private Path secure(String file) {
        return directory.resolve("secure").resolve(file);
    }

    void start(String id) {
        nodes.put(
                id,
                Broker.start(BrokerConfig.of(new ConfigLoader()
                        .file(secure("spillway.yaml"))
                        .assignments(Objects.requireNonNull(settings.get(id)))
                        .load())));
    }

    private Broker node(String id) {
        return Objects.requireNonNull(nodes.get(id), id);
    }

    void stop(String id) {
        Broker node = node(id);
        nodes.remove(id);
        assertThat(node.stop()).isTrue();
    }

    /** What a node says of the cluster. */
    private String status(String id) {
        return run("admin", "", "cluster", "status", "--output", "json", "--http", http(id))
                .out();
    }

    /** The node that leads, once all that run say so. */
    String leader() {
        String[] found = new String[1];
        await("a leader that all know").atMost(PATIENCE).until(() -> {
            List<String> named = nodes.keySet().stream()
                    .map(id -> LEADER.matcher(status(id)))
                    .map(matcher -> matcher.find() ? matcher.group(1) : "")
                    .distinct()
                    .toList();
            found[0] = named.get(0);
            return named.size() == 1 && nodes.containsKey(found[0]);
        });
        return found[0];
    }

    /** Of the nodes that run, one that does not lead. */
    String follower() {
        String leader = leader();
        return nodes.keySet().stream()
                .filter(id -> !id.equals(leader))
                .findFirst()
                .orElseThrow();
    }

    String wire(String id) {
        return "127.0.0.1:" + node(id).wireAddress().getPort();
    }

    String http(String id) {
        return "127.0.0.1:" + node(id).httpAddress().getPort();
    }

    private String all(Function<String, String> address) {
        return String.join(",", nodes.keySet().stream().map(address).toList());
    }

    /** A command of the operator, who has a certificate, at whichever node it takes; it has to succeed. */
    CommandRun admin(String input, String... command) {
        CommandRun run = run("admin", input, command);
        assertThat(run.exitCode()).as(run.err()).isZero();
        return run;
    }

    /** A command of somebody with a password, or with a token when the name is that of a file. */
    CommandRun run(String who, String input, String... command) {
        List<String> whole = new ArrayList<>(List.of(command));
        whole.addAll(List.of("--tls-authority", secure("authority.pem").toString()));
        whole.addAll(
                switch (who) {
                    case "admin" ->
                        List.of(
                                "--tls-certificate", secure("admin.pem").toString(),
                                "--tls-key", secure("admin.key").toString());
                    case "token" ->
                        List.of("--token-file", directory.resolve("token").toString());
                    default ->
                        List.of(
                                "--user",
                                who,
                                "--password-file",
                                directory.resolve(who + ".password").toString());
                });
        boolean isOfHttp = List.of("user", "acl", "token", "cluster").contains(command[0]);
        if (isOfHttp && !whole.contains("--http")) {
            whole.addAll(List.of("--http", all(this::http)));
        } else if (!isOfHttp && !whole.contains("--endpoint")) {
            whole.addAll(List.of("--endpoint", all(this::wire)));
        }
        return CommandRun.withInput(input, whole.toArray(String[]::new));
    }

    void addUser(String name, String password) throws IOException {
        admin(password + "\n", "user", "add", name);
        Files.writeString(directory.resolve(name + ".password"), password);
    }

    /** The token that {@code token} comes in with from now on. */
    void issue(String who) throws IOException {
        String key = directory.resolve("keys").resolve("main.hmac").toString();
        CommandRun run = CommandRun.of("token", "issue", who, "--key", key, "--valid", "1h");
        assertThat(run.exitCode()).as(run.err()).isZero();
        Files.writeString(directory.resolve("token"), run.out().strip(), StandardCharsets.UTF_8);
    }

    /** The id of that token, by which it is revoked. */
    String tokenId() throws IOException {
        String body = Files.readString(directory.resolve("token")).split("\\.")[1];
        String json = new String(Base64.getUrlDecoder().decode(body), StandardCharsets.UTF_8);
        return json.replaceAll(".*\"jti\":\"([^\"]*)\".*", "$1");
    }

    @Override
    public void close() {
        nodes.values().forEach(Broker::stop);
    }
}

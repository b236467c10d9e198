package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.Broker;
import io.spillway.broker.BrokerConfig;
import io.spillway.broker.auth.ClientContext;
import io.spillway.broker.config.ConfigLoader;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/** A broker as {@code spillway secure init} sets it up, and those who use it. */
final class SecureBroker {
    static final String PASSWORD = "correct horse battery";
    static final int HALF_OPEN = 20;

    private final Path directory;
    private final Path secure;
    private final List<String> tokens = new ArrayList<>();
    private Broker broker;
    private String endpoint = "";
    private String http = "";

    private SecureBroker(Path directory) {
        this.directory = directory;
        secure = directory.resolve("secure");
        broker = startBroker();
    }

    static SecureBroker start(Path directory) throws IOException {
        CommandRun made = CommandRun.of(
                "secure", "init", "--directory", directory.resolve("secure").toString());
        assertThat(made.exitCode()).as(made.err()).isZero();
        Path keys = Files.createDirectory(directory.resolve("keys"));
        Files.writeString(keys.resolve("main.hmac"), Base64.getEncoder().encodeToString(new byte[40]));
        return new SecureBroker(directory);
    }

    Path secure() {
        return secure;
    }

    Broker broker() {
        return broker;
    }

    String http() {
        return http;
    }

    /** All that were issued. */
    List<String> tokens() {
        return tokens;
    }

    void restart() {
        assertThat(broker.stop()).isTrue();
        broker = startBroker();
    }

    List<String> admin() {
        return List.of(
                "--tls-authority", secure.resolve("authority.pem").toString(),
                "--tls-certificate", secure.resolve("admin.pem").toString(),
                "--tls-key", secure.resolve("admin.key").toString());
    }

    List<String> user(String name) {
        return List.of(
                "--tls-authority", secure.resolve("authority.pem").toString(),
                "--user", name,
                "--password-file", directory.resolve(name + ".password").toString());
    }

    CommandRun run(List<String> who, String input, String... command) {
        List<String> whole = new ArrayList<>(List.of(command));
        whole.addAll(who);
        if (!whole.contains("--http")) {
            whole.addAll(List.of("--endpoint", endpoint));
        }
        return CommandRun.withInput(input, whole.toArray(String[]::new));
    }

    CommandRun as(String who, String... command) {
        CommandRun run = run(who.equals("admin") ? admin() : user(who), "", command);
        assertThat(run.exitCode()).as(run.err()).isZero();
        return run;
    }

    String issue(String who, String valid) {
        String key = directory.resolve("keys").resolve("main.hmac").toString();
        CommandRun run = CommandRun.of("token", "issue", who, "--key", key, "--valid", valid);
        assertThat(run.exitCode()).as(run.err()).isZero();
        String token = run.out().strip();
        tokens.add(token);
        return token;
    }

    List<String> token(String token) throws IOException {
        Path file = Files.createTempFile(directory, "token", "");
        Files.writeString(file, token);
        return List.of("--tls-authority", secure.resolve("authority.pem").toString(), "--token-file", file.toString());
    }

    private Broker startBroker() {
        Broker started = Broker.start(BrokerConfig.of(new ConfigLoader()
                .file(secure.resolve("spillway.yaml"))
                .assignments(List.of(
                        "data-dir=" + directory.resolve("data"),
                        "listen=127.0.0.1:0",
                        "http=127.0.0.1:0",
                        "auth.token-keys=" + directory.resolve("keys"),
                        "session.handshake-timeout-ms=1500",
                        "session.max-half-open=" + HALF_OPEN))
                .load()));
        endpoint = "127.0.0.1:" + started.wireAddress().getPort();
        http = "127.0.0.1:" + started.httpAddress().getPort();
        return started;
    }

    void addUser(String name) throws IOException {
        List<String> command = new ArrayList<>(List.of("user", "add", name, "--http", http));
        command.addAll(admin());
        CommandRun run = CommandRun.withInput(PASSWORD + "\n", command.toArray(String[]::new));
        assertThat(run.exitCode()).as(run.err()).isZero();
        Files.writeString(directory.resolve(name + ".password"), PASSWORD);
    }

    SSLContext tls() throws Exception {
        return ClientContext.of(secure.resolve("authority.pem"), null, null);
    }

    TlsPeer login(String token) throws Exception {
        return TlsPeer.login(tls(), broker.wireAddress().getPort(), token);
    }

    /** One request over a connection of its own; all that comes back. */
    String https(String method, String target, String headers) throws Exception {
        return https("127.0.0.1", method, target, headers);
    }

    /** The same, from an address of loopback. */
    String https(String from, String method, String target, String headers) throws Exception {
        try (SSLSocket socket = (SSLSocket) tls().getSocketFactory()
                .createSocket("127.0.0.1", broker.httpAddress().getPort(), InetAddress.getByName(from), 0)) {
            socket.setSoTimeout(20_000);
            String request = method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers + "\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Puts another certificate, and its key, in the place of the broker's. */
    void renewCertificate(String name) throws IOException {
        String hosts = "127.0.0.1,localhost";
        CommandRun made =
                CommandRun.of("secure", "certificate", name, "--directory", secure.toString(), "--host", hosts);
        assertThat(made.exitCode()).as(made.err()).isZero();
        for (String ending : List.of(".pem", ".key")) {
            Files.move(
                    secure.resolve(name + ending),
                    secure.resolve("server" + ending),
                    StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** The header that says that. */
    static String basic(String user, String password) {
        byte[] both = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
        return "Authorization: Basic " + Base64.getEncoder().encodeToString(both) + "\r\n";
    }

    /** What follows the name of a metric. */
    String metric(String name) throws Exception {
        String password = Files.readString(secure.resolve("admin.password")).strip();
        return https("GET", "/metrics", basic("admin", password))
                .lines()
                .filter(line -> line.startsWith(name + " "))
                .map(line -> line.substring(name.length() + 1))
                .findFirst()
                .orElse("");
    }

    /** The one that the broker shows. */
    X509Certificate certificate() throws Exception {
        try (SSLSocket socket = (SSLSocket) tls().getSocketFactory()
                .createSocket("127.0.0.1", broker.wireAddress().getPort())) {
            socket.startHandshake();
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        }
    }
}

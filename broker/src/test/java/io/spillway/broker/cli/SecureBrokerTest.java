package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.broker.Broker;
import io.spillway.broker.BrokerConfig;
import io.spillway.client.ClientTls;
import io.spillway.client.SpillwayClient;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Hello;
import io.spillway.protocol.v1.OpenPublisher;
import io.spillway.protocol.v1.OpenPublisherOk;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A broker as {@code spillway secure init} sets it up, and those who try to get in. */
@Timeout(60)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SecureBrokerTest {
    private static final PrintStream ERR = System.err;
    /** What the broker logs. */
    private static final ByteArrayOutputStream LOG = new ByteArrayOutputStream();

    private static final List<String> SECRETS = new ArrayList<>(List.of(SecureBroker.PASSWORD, "not the password"));

    @TempDir
    static Path directory;

    private static SecureBroker on;

    @BeforeAll
    static void start() throws Exception {
        System.setErr(new PrintStream(LOG, true, StandardCharsets.UTF_8));
        on = SecureBroker.start(directory);
        on.as("admin", "topic", "create", "orders");
        on.as("admin", "topic", "create", "payments");
        on.addUser("billing");
        on.addUser("shop");
        on.as("admin", "acl", "add", "billing", "allow", "read,write", "topic:orders", "--http", on.http());
        on.as("admin", "acl", "add", "billing", "allow", "read", "group:billing*", "--http", on.http());
        on.as("admin", "acl", "add", "shop", "allow", "read,write", "topic:orders", "--http", on.http());
        on.as("admin", "acl", "add", "shop", "allow", "read", "group:shop*", "--http", on.http());
    }

    @AfterAll
    static void stop() {
        System.setErr(ERR);
        ERR.print(LOG.toString(StandardCharsets.UTF_8));
        assertThat(on.broker().stop()).isTrue();
    }

    private static void assertPublishes(String who) {
        CommandRun run = on.run(on.user(who), "x\n", "publish", "orders");
        assertThat(run.exitCode()).as(run.err()).isZero();
    }

    private static void assertRefused(String code, CommandRun run) {
        assertThat(run.exitCode()).isNotZero();
        assertThat(run.err()).startsWith("error: " + code + ": ").contains("; next: ");
    }

    // ---- who comes in

    @Test
    @Order(1)
    void whatIsSecretIsReadableByItsOwnerOnly() throws IOException {
        for (String file : List.of("server.key", "admin.key", "admin.password", "credentials", "authority.p12")) {
            assertThat(PosixFilePermissions.toString(
                            Files.getPosixFilePermissions(on.secure().resolve(file))))
                    .as(file)
                    .isEqualTo("rw-------");
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(on.secure())))
                .isEqualTo("rwx------");
        CommandRun again =
                CommandRun.of("secure", "init", "--directory", on.secure().toString());
        assertRefused("USAGE", again);
        try (Stream<Path> files = Files.list(on.secure())) {
            assertThat(files.filter(file -> file.toString().endsWith(".part"))).isEmpty();
        }
    }

    @Test
    @Order(2)
    void theOperatorComesInByCertificateOrPassword() {
        assertThat(on.as("admin", "topic", "list").out()).contains("orders", "payments");
        List<String> byPassword = List.of(
                "--tls-authority", on.secure().resolve("authority.pem").toString(),
                "--user", "admin",
                "--password-file", on.secure().resolve("admin.password").toString());
        assertThat(on.run(byPassword, "", "topic", "list").out()).contains("orders", "payments");
        assertThat(on.run(byPassword, "", "user", "list", "--http", on.http()).out())
                .contains("billing", "shop");
    }

    @Test
    @Order(3)
    void whoProvesNothingOrSomethingWrongIsRefused() throws Exception {
        List<String> nothing =
                List.of("--tls-authority", on.secure().resolve("authority.pem").toString());
        assertRefused("UNAUTHENTICATED", on.run(nothing, "", "topic", "list"));
        assertRefused("UNAUTHENTICATED", on.run(nothing, "", "user", "list", "--http", on.http()));
        Files.writeString(directory.resolve("wrong.password"), "not the password");
        for (String name : List.of("billing", "nobody")) {
            List<String> wrong = List.of(
                    "--tls-authority", on.secure().resolve("authority.pem").toString(),
                    "--user", name,
                    "--password-file", directory.resolve("wrong.password").toString());
            assertRefused("UNAUTHENTICATED", on.run(wrong, "", "topic", "list"));
            assertRefused("UNAUTHENTICATED", on.run(wrong, "", "user", "list", "--http", on.http()));
        }
        assertRefused("CONNECT_FAILED", on.run(List.of(), "", "topic", "list"));
        Path other = directory.resolve("other");
        OwnerFiles.directory(other);
        CertificateAuthority strangers = new CertificateAuthority(other);
        strangers.create("Spillway authority"); // the same name, so that its certificates are shown
        strangers.issue("admin", List.of());
        List<String> stranger = List.of(
                "--tls-authority", on.secure().resolve("authority.pem").toString(),
                "--tls-certificate", other.resolve("admin.pem").toString(),
                "--tls-key", other.resolve("admin.key").toString());
        assertRefused("CONNECT_FAILED", on.run(stranger, "", "topic", "list"));
        List<String> doubtful =
                List.of("--tls-authority", other.resolve("authority.pem").toString());
        assertThat(on.run(doubtful, "", "topic", "list").err()).contains("authority that this client does not trust");
        List<String> misnamed = Stream.concat(on.user("billing").stream(), Stream.of("--tls-server-name", "elsewhere"))
                .toList();
        assertThat(on.run(misnamed, "", "topic", "list").err()).contains("for another name");
    }

    @Test
    @Order(4)
    void probesAskWithoutCredentialsAndNobodyElse() throws Exception {
        assertThat(on.https("GET", "/livez", "")).startsWith("HTTP/1.1 200");
        assertThat(on.https("GET", "/readyz", "")).startsWith("HTTP/1.1 200");
        for (String path : List.of(
                "/metrics", "/health", "/cluster", "/users", "/acls", "/nothing", "/../livez", "/livez/../users")) {
            assertThat(on.https("GET", path, ""))
                    .as(path)
                    .startsWith("HTTP/1.1 401")
                    .contains("www-authenticate: Basic");
        }
        assertThat(on.https("POST", "/quotas/set?scope=topic&name=orders&rate=1", ""))
                .startsWith("HTTP/1.1 401");
        String billing = SecureBroker.basic("billing", SecureBroker.PASSWORD);
        assertThat(on.https("POST", "/quotas/set?scope=topic&name=orders&rate=1", billing))
                .startsWith("HTTP/1.1 403");
        assertThat(on.https("GET", "/users", billing)).startsWith("HTTP/1.1 403");
        try (Socket plain = new Socket("127.0.0.1", on.broker().httpAddress().getPort())) {
            plain.getOutputStream()
                    .write(("GET /users HTTP/1.1\r\n" + billing + "\r\n").getBytes(StandardCharsets.UTF_8));
            assertThat(new String(plain.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1))
                    .doesNotContain("HTTP");
        }
    }

    @Test
    @Order(5)
    void aTokenIsGoodUntilItEndsOrIsRevoked() throws Exception {
        String token = on.issue("billing", "1h");
        CommandRun published = on.run(on.token(token), "one\n", "publish", "orders");
        assertThat(published.exitCode()).as(published.err()).isZero();
        assertThat(on.run(on.token(token), "", "topic", "list").out())
                .contains("orders")
                .doesNotContain("payments");
        assertRefused("UNAUTHENTICATED", on.run(on.token(token + "x"), "", "topic", "list"));
        String id = new String(Base64.getUrlDecoder().decode(token.split("\\.")[1]), StandardCharsets.UTF_8)
                .replaceAll(".*\"jti\":\"([0-9a-f]+)\".*", "$1");

        try (TlsPeer connected = on.login(token)) {
            on.as("admin", "token", "revoke", id, "--reason", "it was seen in a chat", "--http", on.http());

            assertThat(connected.readUntilClosed()).contains(FrameKind.GO_AWAY.code());
        }
        assertRefused("UNAUTHENTICATED", on.run(on.token(token), "", "topic", "list"));
        assertThat(on.as("admin", "token", "list", "--http", on.http()).out()).contains(id);
    }

    @Test
    @Order(5)
    void aClientWhoseTokenEndsComesAgainWithANewOne() {
        AtomicInteger asked = new AtomicInteger();
        try (SpillwayClient client = SpillwayClient.builder()
                .endpoints("127.0.0.1:" + on.broker().wireAddress().getPort())
                .tls(ClientTls.trusting(on.secure().resolve("authority.pem")))
                .token(() -> {
                    asked.incrementAndGet();
                    return on.issue("billing", "2s");
                })
                .connect()) {
            assertThat(client.admin().describeTopic("orders").name()).isEqualTo("orders");

            await().atMost(Duration.ofSeconds(20)).until(() -> asked.get() > 1);
            await().atMost(Duration.ofSeconds(20))
                    .ignoreExceptions()
                    .until(() -> client.admin().describeTopic("orders").name().equals("orders"));
        }
    }

    // ---- who may do what

    @Test
    @Order(6)
    void whatNoRuleAllowsIsDenied() {
        CommandRun published = on.run(on.user("billing"), "a\nb\n", "publish", "orders");
        assertThat(published.exitCode()).as(published.err()).isZero();
        assertThat(on.as("billing", "consume", "orders", "--group", "billing", "--timeout", "3s")
                        .out())
                .contains("a", "b");

        assertRefused("PERMISSION_DENIED", on.run(on.user("billing"), "a\n", "publish", "payments"));
        assertRefused("PERMISSION_DENIED", on.run(on.user("billing"), "", "consume", "orders", "--group", "shop"));
        assertRefused("PERMISSION_DENIED", on.run(on.user("billing"), "", "consume", "payments", "--from", "earliest"));
        assertRefused("PERMISSION_DENIED", on.run(on.user("billing"), "", "topic", "create", "mine"));
        assertRefused("PERMISSION_DENIED", on.run(on.user("billing"), "", "topic", "delete", "orders", "--yes"));
        assertRefused("PERMISSION_DENIED", on.run(on.user("billing"), "", "group", "delete", "orders", "billing"));
        assertRefused(
                "PERMISSION_DENIED", on.run(on.user("billing"), "", "consume", "spillway.audit", "--from", "earliest"));
        assertRefused("PERMISSION_DENIED", on.run(on.user("billing"), "", "replay", "plan", "orders"));
        assertRefused("PERMISSION_DENIED", on.run(on.user("billing"), "", "acl", "list", "--http", on.http()));
    }

    @Test
    @Order(7)
    void aNameIsANameWhateverItLooksLike() throws IOException {
        for (String name :
                List.of("../../etc/passwd", "orders/../payments", "/etc/passwd", "orders\u0000x", "..", "%2e%2e")) {
            assertThat(on.run(on.admin(), "", "topic", "create", name).exitCode())
                    .as(name)
                    .isNotZero();
            assertThat(on.run(on.user("billing"), "a\n", "publish", name).exitCode())
                    .as(name)
                    .isNotZero();
        }
        for (String name : List.of("../x", "a,r=b", "a=b", "anonymous", " ")) {
            CommandRun run = on.run(on.admin(), SecureBroker.PASSWORD + "\n", "user", "add", "--http", on.http(), name);
            assertThat(run.exitCode()).as(name).isNotZero();
        }
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files.map(file -> file.getFileName().toString())).doesNotContain("etc", "x", "passwd");
        }
    }

    @Test
    @Order(8)
    void theProducerOfAnotherIsRefused() throws Exception {
        String name = "billing-1";
        long id;
        try (TlsPeer billing = on.login(on.issue("billing", "1h"))) {
            OpenPublisherOk opened = OpenPublisherOk.parseFrom(billing.ask(
                            FrameKind.OPEN_PUBLISHER,
                            1,
                            OpenPublisher.newBuilder()
                                    .setTopic("orders")
                                    .setProducerName(name)
                                    .build())
                    .header());
            id = opened.getProducerId();
        }
        try (TlsPeer shop = on.login(on.issue("shop", "1h"))) {
            assertThat(shop.refusal(OpenPublisher.newBuilder()
                            .setTopic("orders")
                            .setProducerId(id)
                            .build()))
                    .isEqualTo("PERMISSION_DENIED");
            assertThat(shop.refusal(OpenPublisher.newBuilder()
                            .setTopic("orders")
                            .setProducerName(name)
                            .build()))
                    .isEqualTo("PERMISSION_DENIED");
            assertThat(shop.refusal(
                            OpenPublisher.newBuilder().setTopic("payments").build()))
                    .isEqualTo("PERMISSION_DENIED");
        }
        try (TlsPeer billing = on.login(on.issue("billing", "1h"))) {
            TlsPeer.Answer again = billing.ask(
                    FrameKind.OPEN_PUBLISHER,
                    1,
                    OpenPublisher.newBuilder()
                            .setTopic("orders")
                            .setProducerName(name)
                            .build());
            assertThat(OpenPublisherOk.parseFrom(again.header()).getProducerId())
                    .isEqualTo(id);
        }
    }

    @Test
    @Order(9)
    void aRuleThatIsTakenAwayEndsWhatIsOpen() throws Exception {
        on.as("admin", "acl", "add", "shop", "allow", "write", "topic:payments", "--http", on.http());
        try (TlsPeer shop = on.login(on.issue("shop", "1h"))) {
            OpenPublisher open = OpenPublisher.newBuilder().setTopic("payments").build();
            await().until(() -> !shop.ask(FrameKind.OPEN_PUBLISHER, 1, open).isError());
            on.as("admin", "acl", "delete", "shop", "write", "topic:payments", "--http", on.http());

            assertThat(shop.readUntilClosed()).contains(FrameKind.GO_AWAY.code());
        }
    }

    @Test
    @Order(9)
    void aLinkLogsInAtItsSourceAndCopiesWhatItMayRead() throws Exception {
        assertPublishes("billing");
        try (Broker copy = Broker.start(BrokerConfig.of(Map.of(
                "data-dir",
                directory.resolve("copy").toString(),
                "listen",
                "127.0.0.1:0",
                "http",
                "127.0.0.1:0",
                "link.tls-authority",
                on.secure().resolve("authority.pem").toString(),
                "link.user",
                "billing",
                "link.password-file",
                directory.resolve("billing.password").toString())))) {
            String source = "127.0.0.1:" + on.broker().wireAddress().getPort();
            String here = "127.0.0.1:" + copy.wireAddress().getPort();
            String http = "127.0.0.1:" + copy.httpAddress().getPort();
            CommandRun made = CommandRun.of(
                    "link", "create", "eu", "--from", source, "--topics", "orders,payments", "--http", http);
            assertThat(made.exitCode()).as(made.err()).isZero();

            await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
                CommandRun read = CommandRun.of("consume", "orders", "--from", "earliest", "--endpoint", here);
                assertThat(read.out()).as(read.err()).contains("x");
            });
            assertThat(CommandRun.of("topic", "list", "--endpoint", here).out()).doesNotContain("payments");
        }
    }

    // ---- who is not in yet

    @Test
    @Order(10)
    void whoHoldsManyConnectionsOpenKeepsNobodyOut() throws Exception {
        List<Socket> held = new ArrayList<>();
        try {
            for (int i = 0; i < 5 * SecureBroker.HALF_OPEN; i++) {
                held.add(new Socket("127.0.0.1", on.broker().wireAddress().getPort()));
            }
            assertPublishes("billing");
            for (Socket socket : held) {
                socket.setSoTimeout(20_000);
                assertThat(readsToItsEnd(socket)).isTrue();
            }
        } finally {
            for (Socket socket : held) {
                socket.close();
            }
        }
    }

    private static boolean readsToItsEnd(Socket socket) {
        try {
            return socket.getInputStream().read() < 0;
        } catch (java.net.SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true; // reset
        }
    }

    @Test
    @Order(11)
    void whoIsSlowOrSaysTooMuchIsCutOffAndOthersAreNot() throws Exception {
        try (SSLSocket slow = (SSLSocket) on.tls()
                .getSocketFactory()
                .createSocket("127.0.0.1", on.broker().wireAddress().getPort())) {
            slow.setSoTimeout(20_000);
            slow.getOutputStream().write(TlsPeer.PREFACE, 0, 3);
            slow.getOutputStream().flush();
            assertThat(readsToItsEnd(slow)).isTrue();
        }
        try (TlsPeer big = TlsPeer.open(on.tls(), on.broker().wireAddress().getPort())) {
            Hello hello = Hello.newBuilder().setClientId("x".repeat(32 << 10)).build();
            assertThat(big.sendUntilClosed(FrameKind.HELLO, 0, hello)).doesNotContain(FrameKind.PING.code());
        }
        assertThat(answerUnlessCutOff("X-Big: " + "x".repeat(20_000) + "\r\n")).doesNotStartWith("HTTP/1.1 200");
        String bomb = "Content-Encoding: gzip\r\nContent-Length: 1000000\r\n";
        assertThat(on.https("POST", "/users/add", bomb)).startsWith("HTTP/1.1 4");
        assertPublishes("billing");
        assertThat(on.https("GET", "/livez", "")).startsWith("HTTP/1.1 200");
    }

    /** What comes to these headers; nothing when the broker closes while they are still being sent. */
    private static String answerUnlessCutOff(String headers) throws Exception {
        try {
            return on.https("GET", "/livez", headers);
        } catch (SocketException e) {
            return "";
        }
    }

    // ---- what is kept

    @Test
    @Order(12)
    void newFilesAreUsedAndBadOnesAreNot() throws Exception {
        X509Certificate before = on.certificate();
        on.renewCertificate("newer");
        await().atMost(Duration.ofSeconds(20)).until(() -> !on.certificate().equals(before));
        X509Certificate after = on.certificate();

        String good = Files.readString(on.secure().resolve("server.pem"));
        Files.writeString(on.secure().resolve("server.pem"), "nonsense");
        await().atMost(Duration.ofSeconds(20))
                .until(() ->
                        on.metric("spillway_security_reload_failures_total").startsWith("1"));
        assertThat(on.certificate()).isEqualTo(after);
        assertThat(on.as("admin", "topic", "list").out()).contains("orders");
        assertThat(on.metric("spillway_tls_certificate_end_timestamp_seconds")).doesNotStartWith("0");
        Files.writeString(on.secure().resolve("server.pem"), good);
    }

    @Test
    @Order(13)
    void theAuditTellsWhoDidWhatAndNoSecret() {
        String audit = on.as("admin", "audit", "--output", "json").out();

        assertThat(audit)
                .contains(
                        "topic.create",
                        "user.add",
                        "acl.add",
                        "token.revoke",
                        "denied.login",
                        "denied.write",
                        "denied.producer")
                .contains("http by admin", "it was seen in a chat", "billing");
        assertThat(audit).doesNotContain(SecureBroker.PASSWORD, "SCRAM-SHA-256$", "eyJ");
    }

    @Test
    @Order(14)
    void usersAndRulesAreThereAfterARestartAndWhoIsDeletedIsOut() throws Exception {
        on.restart();

        assertPublishes("shop");
        assertRefused("PERMISSION_DENIED", on.run(on.user("shop"), "x\n", "publish", "payments"));
        on.as("admin", "user", "delete", "shop", "--http", on.http());
        await().untilAsserted(
                        () -> assertRefused("UNAUTHENTICATED", on.run(on.user("shop"), "x\n", "publish", "orders")));
    }

    @Test
    @Order(15)
    void theLogTellsOfRefusalsAndNoSecret() throws Exception {
        SECRETS.add(Files.readString(on.secure().resolve("admin.password")).strip());
        SECRETS.add(Files.readString(on.secure().resolve("credentials")).strip().split("\\$")[2]);
        SECRETS.add(Files.readString(directory.resolve("keys").resolve("main.hmac")));

        SECRETS.addAll(on.tokens());
        on.tokens().forEach(token -> SECRETS.add(token.split("\\.")[2]));

        String log = LOG.toString(StandardCharsets.UTF_8);

        assertThat(log).contains("TLS: what came is not of TLS").doesNotContain("not an SSL/TLS record");
        assertThat(log)
                .contains(
                        "event=denied what=denied.login", "event=denied what=denied.write", "event=files_not_reloaded");
        SECRETS.forEach(secret -> assertThat(log).doesNotContain(secret));
    }
}

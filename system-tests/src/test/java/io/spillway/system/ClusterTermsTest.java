package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.client.Durability;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.PublishAck;
import io.spillway.client.SpillwayClient;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the nodes of a cluster, as processes, are set to. */
@Timeout(180)
class ClusterTermsTest {
    private static final String PASSWORD = "changeit";
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    @TempDir
    Path directory;

    @Test
    void nodesThatSpeakUnderMutualTlsAgreeAndRefuseWhoShowsNoCertificate() throws Exception {
        List<String> tls = certificate();
        Files.createDirectories(directory.resolve("cluster"));
        try (BrokerCluster cluster = BrokerCluster.start(directory.resolve("cluster"), 3, tls.toArray(new String[0]));
                SpillwayClient client = cluster.client()) {
            client.admin().createTopic("events", 1, Map.of());
            try (Producer producer = client.producer("events").open()) {
                PublishAck ack =
                        producer.publish(OutgoingRecord.of(new byte[100])).get();
                assertThat(ack.reached()).isEqualTo(Durability.QUORUM);
            }

            try (BrokerProcess stranger = BrokerProcess.start(
                    directory.resolve("stranger"),
                    "node-id=n4",
                    "zone=z4",
                    "cluster-listen=127.0.0.1:" + BrokerCluster.freePort(),
                    "seed=" + cluster.clusterAddress(0))) {
                await("the stranger to say why it is not in")
                        .atMost(PATIENCE)
                        .until(() -> cluster.status(stranger).contains("does not answer"));
                assertThat(cluster.status(cluster.node(cluster.leader()))).doesNotContain("n4");
            }
        }
    }

    @Test
    @Tag("slow")
    void theLeadershipGoesToTheZoneThatComesFirst() {
        try (BrokerCluster cluster = BrokerCluster.start(directory, 3, "zone-order=z3,z2")) {
            await("z3 to lead").atMost(PATIENCE).until(() -> cluster.leader() == 2);
        }
    }

    /** One that signed itself serves as everybody's, and as the authority. */
    private List<String> certificate() throws Exception {
        Path store = directory.resolve("node.p12");
        keytool(store);
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        byte[] key = Objects.requireNonNull(keys.getKey("node", PASSWORD.toCharArray()))
                .getEncoded();
        Path certificate = pem("CERTIFICATE", keys.getCertificate("node").getEncoded());
        return List.of(
                "cluster-tls.certificate=" + certificate,
                "cluster-tls.key=" + pem("PRIVATE KEY", key),
                "cluster-tls.authority=" + certificate);
    }

    private Path pem(String what, byte[] der) throws IOException {
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return Files.writeString(
                directory.resolve(what.replace(' ', '-') + ".pem"),
                "-----BEGIN " + what + "-----\n" + base64 + "\n-----END " + what + "-----\n");
    }

    private static void keytool(Path store) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "node",
                        "-dname",
                        "CN=node",
                        "-ext",
                        "bc:c",
                        "-ext",
                        "san=ip:127.0.0.1",
                        "-keyalg",
                        "EC",
                        "-keystore",
                        store.toString(),
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        PASSWORD)
                .redirectErrorStream(true)
                .start();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
    }
}

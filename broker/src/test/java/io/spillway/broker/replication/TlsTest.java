package io.spillway.broker.replication;

import static io.spillway.broker.replication.RaftNodeTest.assertKind;
import static io.spillway.broker.replication.TestCluster.bytes;
import static io.spillway.broker.replication.TestCluster.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.replication.ReplicationConfig.Tls;
import io.spillway.broker.replication.ReplicationException.Kind;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mutual TLS between the nodes. */
class TlsTest {
    private static final String PASSWORD = "changeit";

    @TempDir
    Path dir;

    @Test
    void nodesWithCertificatesOfTheirAuthorityFormACluster() throws Exception {
        Path authority = authority("ours");
        Tls tls = certified("node", authority);
        try (TestCluster cluster = new TestCluster(dir.resolve("nodes"), config -> config.withTls(tls)).ofThree()) {
            cluster.awaitTexts(cluster.propose("a", 100));

            assertThat(get(cluster.node("n1").ask(cluster.config("n3").self(), bytes("x")))
                            .remaining())
                    .isPositive();
        }
    }

    @Test
    void aNodeWithACertificateOfAnotherAuthorityIsRefused() throws Exception {
        Path authority = authority("ours");
        Tls ours = certified("node", authority);
        Tls certificateOfOthers = certified("stranger", authority("theirs"));
        // It trusts ours, so that the refusal is the cluster's.
        Tls stranger = new Tls(certificateOfOthers.certificate(), certificateOfOthers.key(), ours.authority());
        try (TestCluster cluster = new TestCluster(dir.resolve("nodes"), config -> config.withTls(ours))) {
            cluster.start("n1", "a");
            cluster.awaitLeader();
            Peer n1 = cluster.config("n1").self();

            assertRefused(n1, config -> config.withTls(stranger));
            assertRefused(n1, config -> config);
            assertThat(cluster.node("n1").status().nodes()).hasSize(1);
            cluster.start("n2", "b");
            cluster.awaitVoters("n1", "n2");
        }
    }

    private void assertRefused(Peer member, java.util.function.UnaryOperator<ReplicationConfig> settings)
            throws Exception {
        Path nodes = Files.createTempDirectory(dir, "refused");
        try (TestCluster strangers = new TestCluster(nodes, settings)) {
            RaftNode node = strangers.start("n2", "b", List.of(member.clusterAddress()));
            assertKind(Kind.UNREACHABLE, node.ask(member, bytes("x")));
            assertThat(node.joined()).isNotDone();
        }
    }

    /** A key pair that signs: its key store. */
    private Path authority(String name) throws Exception {
        Path store = dir.resolve(name + ".p12");
        keytool(store, "-genkeypair", "-alias", name, "-dname", "CN=" + name, "-ext", "bc:c", "-keyalg", "EC");
        return store;
    }

    /** A certificate for loopback that the authority signed, and all as files in PEM. */
    private Tls certified(String name, Path authority) throws Exception {
        String signer = authority.getFileName().toString().replace(".p12", "");
        Path store = dir.resolve(name + "-key.p12");
        Path request = dir.resolve(name + ".csr");
        Path signed = dir.resolve(name + ".signed");
        keytool(store, "-genkeypair", "-alias", name, "-dname", "CN=" + name, "-keyalg", "EC");
        keytool(store, "-certreq", "-alias", name, "-file", request.toString());
        keytool(
                authority,
                "-gencert",
                "-alias",
                signer,
                "-infile",
                request.toString(),
                "-outfile",
                signed.toString(),
                "-rfc",
                "-ext",
                "san=ip:127.0.0.1,dns:localhost");
        Path key = dir.resolve(name + ".key");
        Path authorityPem = dir.resolve(name + "-authority.pem");
        write(key, "PRIVATE KEY", key(store, name).getEncoded());
        write(authorityPem, "CERTIFICATE", certificate(authority, signer).getEncoded());
        return new Tls(signed, key, authorityPem);
    }

    private static Key key(Path store, String alias) throws Exception {
        return java.util.Objects.requireNonNull(open(store).getKey(alias, PASSWORD.toCharArray()));
    }

    private static Certificate certificate(Path store, String alias) throws Exception {
        return open(store).getCertificate(alias);
    }

    private static KeyStore open(Path store) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        return keys;
    }

    private static void write(Path file, String what, byte[] der) throws Exception {
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        Files.writeString(file, "-----BEGIN " + what + "-----\n" + base64 + "\n-----END " + what + "-----\n");
    }

    private static void keytool(Path store, String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of(arguments));
        command.addAll(List.of("-keystore", store.toString(), "-storetype", "PKCS12", "-storepass", PASSWORD));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).as(output).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
    }
}

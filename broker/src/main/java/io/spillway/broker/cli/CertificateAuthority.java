package io.spillway.broker.cli;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECPoint;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/** An authority in a directory, and the certificates it signs, made with the JDK's keytool. Keys are readable by their owner only. */
final class CertificateAuthority {
    private static final String STORE = "authority.p12";
    private static final String ALIAS = "authority";
    /** Who can read the file can use it: its permissions protect it, not this word, which keytool asks for. */
    private static final String WORD = "spillway";

    private static final String AUTHORITY_DAYS = "3650";
    private static final String CERTIFICATE_DAYS = "825";
    private static final long TIMEOUT_SECONDS = 60;
    private static final int LINE = 64;
    private static final int NUMBER_BYTES = 32;
    private static final byte[] BEFORE_PRIVATE =
            HexFormat.of().parseHex("308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420");
    private static final byte[] BEFORE_PUBLIC = HexFormat.of().parseHex("a14403420004");

    private final Path directory;

    CertificateAuthority(Path directory) {
        this.directory = directory;
    }

    boolean exists() {
        return Files.exists(directory.resolve(STORE));
    }

    /** Makes the authority and {@code authority.pem}. */
    void create(String name) throws IOException {
        Path store = directory.resolve(STORE);
        keytool(
                store,
                "-genkeypair",
                "-alias",
                ALIAS,
                "-dname",
                "CN=" + name,
                "-validity",
                AUTHORITY_DAYS,
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-ext",
                "bc:c",
                "-ext",
                "ku:c=keyCertSign,cRLSign");
        OwnerFiles.close(store);
        write("authority.pem", "CERTIFICATE", certificate(store, ALIAS));
    }

    /**
     * Makes {@code NAME.pem}, with the authority behind it, and {@code NAME.key}.
     *
     * @param hosts names and addresses of a server; none for a client
     */
    void issue(String name, List<String> hosts) throws IOException {
        Path store = directory.resolve(name + ".p12.part");
        Path request = directory.resolve(name + ".csr.part");
        Path signed = directory.resolve(name + ".signed.part");
        try {
            keytool(
                    store,
                    "-genkeypair",
                    "-alias",
                    name,
                    "-dname",
                    "CN=" + name,
                    "-keyalg",
                    "EC",
                    "-groupname",
                    "secp256r1");
            OwnerFiles.close(store);
            keytool(store, "-certreq", "-alias", name, "-file", request.toString());
            List<String> sign = new ArrayList<>(List.of(
                    "-gencert",
                    "-alias",
                    ALIAS,
                    "-infile",
                    request.toString(),
                    "-outfile",
                    signed.toString(),
                    "-rfc",
                    "-validity",
                    CERTIFICATE_DAYS,
                    "-ext",
                    "ku:c=digitalSignature"));
            sign.addAll(List.of("-ext", hosts.isEmpty() ? "eku=clientAuth" : "eku=serverAuth,clientAuth"));
            if (!hosts.isEmpty()) {
                sign.addAll(List.of(
                        "-ext",
                        "san="
                                + String.join(
                                        ",",
                                        hosts.stream()
                                                .map(CertificateAuthority::alternative)
                                                .toList())));
            }
            keytool(directory.resolve(STORE), sign.toArray(String[]::new));
            OwnerFiles.write(directory.resolve(name + ".key"), pem("PRIVATE KEY", key(store, name)));
            Files.writeString(
                    directory.resolve(name + ".pem"),
                    Files.readString(signed) + Files.readString(directory.resolve("authority.pem")));
        } finally {
            for (Path part : List.of(store, request, signed)) {
                Files.deleteIfExists(part);
            }
        }
    }

    private static String alternative(String host) {
        boolean isAddress = host.matches("[0-9.]+") || host.indexOf(':') >= 0;
        return (isAddress ? "ip:" : "dns:") + host;
    }

    private void write(String file, String what, byte[] der) throws IOException {
        Files.writeString(directory.resolve(file), pem(what, der));
    }

    private static String pem(String what, byte[] der) {
        String base64 = Base64.getMimeEncoder(LINE, new byte[] {'\n'}).encodeToString(der);
        return "-----BEGIN " + what + "-----\n" + base64 + "\n-----END " + what + "-----\n";
    }

    /**
     * The key in PKCS #8 with its public part, which the JDK leaves out and others, such as ring, want: as all keys are of P-256, what
     * stands around the numbers is always the same (RFC 5915).
     */
    private static byte[] key(Path store, String alias) throws IOException {
        try {
            KeyStore keys = open(store);
            ECPrivateKey key = (ECPrivateKey) Objects.requireNonNull(keys.getKey(alias, WORD.toCharArray()));
            ECPoint point = ((ECPublicKey) keys.getCertificate(alias).getPublicKey()).getW();
            ByteArrayOutputStream whole = new ByteArrayOutputStream();
            whole.write(BEFORE_PRIVATE);
            whole.write(number(key.getS()));
            whole.write(BEFORE_PUBLIC);
            whole.write(number(point.getAffineX()));
            whole.write(number(point.getAffineY()));
            return whole.toByteArray();
        } catch (GeneralSecurityException e) {
            throw new IOException("keytool wrote no key into " + store, e);
        }
    }

    /** In 32 bytes. */
    private static byte[] number(BigInteger number) {
        byte[] bytes = number.toByteArray();
        byte[] fixed = new byte[NUMBER_BYTES];
        int used = Math.min(bytes.length, NUMBER_BYTES);
        System.arraycopy(bytes, bytes.length - used, fixed, NUMBER_BYTES - used, used);
        return fixed;
    }

    private static byte[] certificate(Path store, String alias) throws IOException {
        try {
            Certificate certificate = open(store).getCertificate(alias);
            return certificate.getEncoded();
        } catch (GeneralSecurityException e) {
            throw new IOException("keytool wrote no certificate into " + store, e);
        }
    }

    private static KeyStore open(Path store) throws IOException, GeneralSecurityException {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, WORD.toCharArray());
        }
        return keys;
    }

    private static void keytool(Path store, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of(arguments));
        command.addAll(List.of("-keystore", store.toString(), "-storetype", "PKCS12", "-storepass", WORD));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        process.destroy();
        throw new SpillwayException(
                Code.INTERNAL,
                "no certificate can be made",
                "keytool says: " + output.strip(),
                "see that the JDK is whole");
    }
}

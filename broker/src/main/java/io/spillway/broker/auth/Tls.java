package io.spillway.broker.auth;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * How connections are encrypted: a certificate, its key, and who may show one of his own. Immutable.
 *
 * @param clients of the port of the wire protocol
 * @param http of the HTTP side, where no certificate is required but may be shown
 * @param notAfterMs when the certificate ends
 */
public record Tls(SslContext clients, SslContext http, long notAfterMs) {
    private static final String[] VERSIONS = {"TLSv1.3", "TLSv1.2"};

    /**
     * @param authority that signs the certificates of clients; null = they show none
     * @param requires whether a client without one is refused at the handshake
     */
    public record Sources(
            Path certificate, Path key, @Nullable Path authority, boolean requires) {}

    /** Reads the files. Throws IllegalArgumentException for what does not belong together. */
    public static Tls read(Sources files) throws IOException, GeneralSecurityException {
        X509Certificate[] chain = certificates(files.certificate());
        chain[0].checkValidity();
        PrivateKey key = privateKey(Pem.read(files.key(), "PRIVATE KEY"));
        requirePair(chain[0], key);
        X509Certificate[] authority = files.authority() == null ? null : certificates(files.authority());
        ClientAuth ofClients = files.requires() ? ClientAuth.REQUIRE : ClientAuth.OPTIONAL;
        return new Tls(
                context(chain, key, authority, ofClients),
                context(chain, key, authority, ClientAuth.OPTIONAL),
                chain[0].getNotAfter().getTime());
    }

    /** What failed, without what the peer sent: when that is not TLS, Netty's words have all of it, passwords included. */
    public static String text(SSLException failure) {
        return failure instanceof NotSslRecordException
                ? "TLS: what came is not of TLS"
                : "TLS: " + failure.getMessage();
    }

    private static SslContext context(
            X509Certificate[] chain, PrivateKey key, X509Certificate @Nullable [] authority, ClientAuth clients)
            throws IOException {
        SslContextBuilder builder = SslContextBuilder.forServer(key, chain)
                .sslProvider(SslProvider.JDK)
                .protocols(VERSIONS);
        if (authority != null) {
            builder.trustManager(authority).clientAuth(clients);
        }
        return builder.build();
    }

    static X509Certificate[] certificates(Path file) throws IOException, GeneralSecurityException {
        try (InputStream in = Files.newInputStream(file)) {
            X509Certificate[] found = CertificateFactory.getInstance("X.509").generateCertificates(in).stream()
                    .map(X509Certificate.class::cast)
                    .toArray(X509Certificate[]::new);
            if (found.length == 0) {
                throw new IllegalArgumentException(file + " has no certificate");
            }
            return found;
        }
    }

    static PrivateKey privateKey(byte[] der) {
        for (String algorithm : List.of("EC", "RSA", "Ed25519")) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
            } catch (GeneralSecurityException e) {
                continue; // it is of another kind
            }
        }
        throw new IllegalArgumentException("the key is neither EC nor RSA nor Ed25519 in PKCS #8");
    }

    /** One of the two may have been replaced and the other not yet. */
    private static void requirePair(Certificate certificate, PrivateKey key) throws GeneralSecurityException {
        String algorithm = switch (key.getAlgorithm()) {
            case "EC" -> "SHA256withECDSA";
            case "RSA" -> "SHA256withRSA";
            default -> "Ed25519";
        };
        byte[] anything = {1, 2, 3};
        Signature signature = Signature.getInstance(algorithm);
        signature.initSign(key);
        signature.update(anything);
        byte[] signed = signature.sign();
        String ofCertificate = certificate.getPublicKey().getAlgorithm();
        boolean isSameKind = Stream.of(key.getAlgorithm(), "EdDSA".equals(key.getAlgorithm()) ? "Ed25519" : "")
                .anyMatch(ofCertificate::equals);
        boolean belongs = false;
        if (isSameKind) {
            signature.initVerify(certificate.getPublicKey());
            signature.update(anything);
            belongs = signature.verify(signed);
        }
        if (!belongs) {
            throw new IllegalArgumentException("the key is not that of the certificate");
        }
    }
}

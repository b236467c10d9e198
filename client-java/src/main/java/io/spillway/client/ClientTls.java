package io.spillway.client;

import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.spillway.client.net.Credentials;
import io.spillway.client.net.Entrance;
import java.io.File;
import java.nio.file.Path;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** How a client's connections are encrypted. The files are read when it connects first. Immutable. */
public final class ClientTls {
    static final ClientTls OFF = new ClientTls(false, null, null, null, "");

    private final boolean on;
    private final @Nullable Path authority;
    private final @Nullable Path certificate;
    private final @Nullable Path key;
    private final String serverName;

    private ClientTls(
            boolean on, @Nullable Path authority, @Nullable Path certificate, @Nullable Path key, String serverName) {
        this.on = on;
        this.authority = authority;
        this.certificate = certificate;
        this.key = key;
        this.serverName = serverName;
    }

    /** Trusts brokers whose certificates were signed by an authority that this machine's Java trusts. */
    public static ClientTls ofMachine() {
        return new ClientTls(true, null, null, null, "");
    }

    /** Trusts brokers whose certificates were signed by this authority. */
    public static ClientTls trusting(Path authorityPem) {
        return new ClientTls(true, authorityPem, null, null, "");
    }

    /** Shows this certificate (PEM, with its chain) and proves it with its key (PEM, PKCS #8). */
    public ClientTls showing(Path certificatePem, Path keyPem) {
        return new ClientTls(true, authority, certificatePem, keyPem, serverName);
    }

    /** The name that the broker's certificate must have. Default: the host of the endpoint. */
    public ClientTls serverName(String name) {
        return new ClientTls(true, authority, certificate, key, name);
    }

    Entrance entrance(Credentials credentials) {
        if (!on) {
            return new Entrance(null, "", credentials);
        }
        try {
            SslContextBuilder builder = SslContextBuilder.forClient()
                    .sslProvider(SslProvider.JDK)
                    .protocols("TLSv1.3", "TLSv1.2")
                    .endpointIdentificationAlgorithm("HTTPS");
            if (authority != null) {
                builder.trustManager(authority.toFile());
            }
            File own = certificate == null ? null : certificate.toFile();
            if (own != null && key != null) {
                builder.keyManager(own, key.toFile());
            }
            return new Entrance(builder.build(), serverName, credentials);
        } catch (SSLException | IllegalArgumentException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw Arguments.invalid(
                    "the files of TLS cannot be used: authority " + authority + ", certificate " + certificate
                            + ", key " + key,
                    String.valueOf(cause.getMessage()));
        }
    }
}

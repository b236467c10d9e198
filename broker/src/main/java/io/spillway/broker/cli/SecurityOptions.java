package io.spillway.broker.cli;

import io.spillway.broker.auth.ClientContext;
import io.spillway.client.ClientBuilder;
import io.spillway.client.ClientTls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Base64;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of commands that have to prove who runs them. A secret is in a file, never in an option. */
final class SecurityOptions {
    @Option(
            names = "--tls",
            description = "Connect by TLS, to whom this machine's Java trusts. Implied by the other options of TLS.")
    private boolean tls;

    @Option(
            names = "--tls-authority",
            paramLabel = "FILE",
            defaultValue = "${env:SPILLWAY_CLIENT_TLS_AUTHORITY:-}",
            description = "PEM file with the authority that signed the broker's certificate. "
                    + "Environment: SPILLWAY_CLIENT_TLS_AUTHORITY.")
    private String authority = "";

    @Option(
            names = "--tls-certificate",
            paramLabel = "FILE",
            defaultValue = "${env:SPILLWAY_CLIENT_TLS_CERTIFICATE:-}",
            description = "PEM file with the own certificate. Environment: SPILLWAY_CLIENT_TLS_CERTIFICATE.")
    private String certificate = "";

    @Option(
            names = "--tls-key",
            paramLabel = "FILE",
            defaultValue = "${env:SPILLWAY_CLIENT_TLS_KEY:-}",
            description = "PEM file with its key, PKCS #8. Environment: SPILLWAY_CLIENT_TLS_KEY.")
    private String key = "";

    @Option(
            names = "--tls-server-name",
            paramLabel = "NAME",
            defaultValue = "",
            description =
                    "The name the broker's certificate must have; not for http. Default: the host of the endpoint.")
    private String serverName = "";

    @Option(
            names = "--user",
            paramLabel = "NAME",
            defaultValue = "${env:SPILLWAY_CLIENT_USER:-}",
            description = "Log in as this user; needs --password-file. Environment: SPILLWAY_CLIENT_USER.")
    private String user = "";

    @Option(
            names = "--password-file",
            paramLabel = "FILE",
            defaultValue = "${env:SPILLWAY_CLIENT_PASSWORD_FILE:-}",
            description = "File with the password. Environment: SPILLWAY_CLIENT_PASSWORD_FILE.")
    private String passwordFile = "";

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            defaultValue = "${env:SPILLWAY_CLIENT_TOKEN_FILE:-}",
            description = "File with a signed token to log in with. Environment: SPILLWAY_CLIENT_TOKEN_FILE.")
    private String tokenFile = "";

    private void check() {
        if (certificate.isEmpty() != key.isEmpty()) {
            throw new UsageException(
                    "a certificate cannot be shown", "of --tls-certificate and --tls-key one is given", "give both");
        }
        if (user.isEmpty() != passwordFile.isEmpty()) {
            throw new UsageException("nobody can log in", "of --user and --password-file one is given", "give both");
        }
    }

    private boolean isEncrypted() {
        return tls || !authority.isEmpty() || !certificate.isEmpty();
    }

    ClientBuilder addTo(ClientBuilder client) {
        check();
        if (isEncrypted()) {
            ClientTls settings = authority.isEmpty() ? ClientTls.ofMachine() : ClientTls.trusting(Path.of(authority));
            settings = certificate.isEmpty() ? settings : settings.showing(Path.of(certificate), Path.of(key));
            client.tls(settings.serverName(serverName));
        }
        if (!user.isEmpty()) {
            client.user(user, () -> secret(passwordFile));
        } else if (!tokenFile.isEmpty()) {
            client.token(() -> secret(tokenFile));
        }
        return client;
    }

    /** How the HTTP side is asked. */
    HttpAccess http() {
        check();
        String authorization = "";
        if (!user.isEmpty()) {
            byte[] both = (user + ":" + secret(passwordFile)).getBytes(StandardCharsets.UTF_8);
            authorization = "Basic " + Base64.getEncoder().encodeToString(both);
        } else if (!tokenFile.isEmpty()) {
            authorization = "Bearer " + secret(tokenFile);
        }
        if (!isEncrypted()) {
            return new HttpAccess(null, authorization);
        }
        try {
            return new HttpAccess(ClientContext.of(path(authority), path(certificate), path(key)), authorization);
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new UsageException(
                    "the files of TLS cannot be used",
                    String.valueOf(e.getMessage()),
                    "give files in PEM that can be read");
        }
    }

    private static @Nullable Path path(String text) {
        return text.isEmpty() ? null : Path.of(text);
    }

    /** The first line of a file. */
    static String secret(String file) {
        try {
            return Files.readString(Path.of(file)).strip();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }
}

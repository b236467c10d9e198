package io.spillway.broker;

import io.spillway.broker.auth.AuthFiles;
import io.spillway.broker.auth.AuthSettings;
import io.spillway.broker.auth.CertifiedNames;
import io.spillway.broker.auth.Reloaded;
import io.spillway.broker.auth.Tls;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.config.EffectiveSettings;
import io.spillway.broker.config.Settings;
import io.spillway.broker.link.SourceAccess;
import io.spillway.broker.transport.Door;
import io.spillway.protocol.Code;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Who may come in, and through what.
 *
 * @param tls null = plain text
 * @param http whether http is encrypted, too
 * @param credentials null = there are none
 * @param tokenKeys null = there are none
 * @param links how links come in at their sources
 */
public record SecurityConfig(
        Tls.@Nullable Sources tls,
        boolean http,
        CertifiedNames names,
        AuthSettings auth,
        @Nullable Path credentials,
        @Nullable Path tokenKeys,
        SourceAccess links,
        Door.Limits limits,
        int handshakeTimeoutMs) {

    static SecurityConfig of(EffectiveSettings from) {
        Set<String> superUsers = Stream.of(from.get(Settings.AUTH_SUPER_USERS).split(","))
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .collect(Collectors.toSet());
        return new SecurityConfig(
                tls(from),
                from.get(Settings.TLS_HTTP),
                from.get(Settings.AUTH_CERTIFICATE_PRINCIPAL).equals("cn") ? CertifiedNames.CN : CertifiedNames.SAN_URI,
                new AuthSettings(
                        from.get(Settings.AUTH_REQUIRED),
                        from.get(Settings.AUTH_TOKEN_AUDIENCE),
                        from.get(Settings.AUTH_PLAIN_SECRETS),
                        from.get(Settings.AUTH_ACL),
                        superUsers,
                        from.get(Settings.AUTH_OPEN_METRICS),
                        from.get(Settings.AUTH_FREE_FAILURES)),
                path(from.get(Settings.AUTH_CREDENTIALS_FILE)),
                path(from.get(Settings.AUTH_TOKEN_KEYS)),
                links(from),
                new Door.Limits(
                        from.get(Settings.SESSION_MAX_CONNECTIONS),
                        from.get(Settings.SESSION_MAX_CONNECTIONS_PER_ADDRESS),
                        from.get(Settings.SESSION_MAX_HALF_OPEN)),
                Math.toIntExact(from.get(Settings.SESSION_HANDSHAKE_TIMEOUT_MS)));
    }

    private static SourceAccess links(EffectiveSettings from) {
        String user = from.get(Settings.LINK_USER);
        Path password = path(from.get(Settings.LINK_PASSWORD_FILE));
        if (user.isEmpty() != (password == null)) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "links cannot log in like that",
                    "of link.user and link.password-file one is set",
                    "give both, or neither");
        }
        return new SourceAccess(
                path(from.get(Settings.LINK_TLS_AUTHORITY)),
                path(from.get(Settings.LINK_TLS_CERTIFICATE)),
                path(from.get(Settings.LINK_TLS_KEY)),
                user,
                password);
    }

    private static Tls.@Nullable Sources tls(EffectiveSettings from) {
        Path certificate = path(from.get(Settings.TLS_CERTIFICATE));
        Path key = path(from.get(Settings.TLS_KEY));
        Path authority = path(from.get(Settings.TLS_CLIENT_AUTHORITY));
        String clients = from.get(Settings.TLS_CLIENT_AUTH);
        if (certificate == null && key == null && authority == null) {
            return null;
        }
        if (certificate == null || key == null) {
            throw invalid("of tls.certificate and tls.key one is set", "give both, or neither");
        }
        if (!clients.equals("none") && authority == null) {
            throw invalid(
                    "tls.client-auth is " + clients + " and tls.client-authority is not set",
                    "name the file with the authority that signs clients' certificates");
        }
        return new Tls.Sources(certificate, key, clients.equals("none") ? null : authority, clients.equals("require"));
    }

    private static SpillwayException invalid(String why, String next) {
        return new SpillwayException(Code.INVALID_ARGUMENT, "the broker cannot use TLS like that", why, next);
    }

    private static @Nullable Path path(String text) {
        return text.isEmpty() ? null : Path.of(text);
    }

    /** Reads the files of TLS; null when there are none. */
    @Nullable
    Reloaded<Tls> readTls() {
        Tls.Sources files = tls;
        if (files == null) {
            return null;
        }
        List<Path> watched = Stream.of(files.certificate(), files.key(), files.authority())
                .filter(Objects::nonNull)
                .toList();
        return new Reloaded<>("tls", watched, () -> Tls.read(files));
    }

    Reloaded<AuthFiles> readAuthFiles() {
        List<Path> watched =
                Stream.of(credentials, tokenKeys).filter(Objects::nonNull).toList();
        return new Reloaded<>("auth", watched, () -> AuthFiles.read(credentials, tokenKeys));
    }

    Door door(@Nullable Reloaded<Tls> encrypted) {
        return new Door(encrypted, names, handshakeTimeoutMs, limits);
    }
}

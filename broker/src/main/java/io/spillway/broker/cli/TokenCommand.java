package io.spillway.broker.cli;

import io.spillway.broker.auth.TokenIssuer;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway token}: signed tokens. */
@Command(
        name = "token",
        description = {"Issues tokens, and revokes them.", "A broker knows the keys in its directory auth.token-keys."})
final class TokenCommand {
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration CHANGE_TIMEOUT = Duration.ofSeconds(30);
    private static final int ID_BYTES = 12;

    private final Console console;

    TokenCommand(Console console) {
        this.console = console;
    }

    @Command(
            name = "issue",
            description = "Signs a token on this machine and prints it, and nothing else. No broker is asked.")
    int issue(
            @Parameters(paramLabel = "PRINCIPAL", description = "Whose it is.") String principal,
            @Option(
                            names = "--key",
                            required = true,
                            paramLabel = "FILE",
                            description = "ID.hmac, or the private key ID.key of an ID.pem: P-256 or Ed25519, PKCS #8.")
                    Path key,
            @Option(
                            names = "--valid",
                            required = true,
                            paramLabel = "DURATION",
                            description = "For how long, such as 1h.")
                    Duration valid,
            @Option(
                            names = "--audience",
                            paramLabel = "NAME",
                            defaultValue = "spillway",
                            description = "For whom. Default: spillway.")
                    String audience)
            throws IOException {
        byte[] id = new byte[ID_BYTES];
        new SecureRandom().nextBytes(id);
        Instant now = Instant.now();
        TokenIssuer.Claims claims = new TokenIssuer.Claims(
                principal,
                HexFormat.of().formatHex(id),
                audience,
                now.getEpochSecond(),
                now.plus(valid).getEpochSecond());
        try {
            console.line(TokenIssuer.issue(key, claims));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new UsageException(
                    "no token can be signed with " + key,
                    String.valueOf(e.getMessage()),
                    "give a key of P-256 or Ed25519, or a secret of 32 bytes in base64");
        }
        return ExitCode.OK;
    }

    @Command(
            name = "revoke",
            description = "Refuses a token from now on; connections that logged in with it are closed.")
    int revoke(
            @Mixin HttpOptions http,
            @Parameters(paramLabel = "ID", description = "Of the token, its claim jti.") String id,
            @Option(
                            names = "--for",
                            paramLabel = "DURATION",
                            description =
                                    "How long it would be valid at most: after that it is forgotten. Default: 365d.")
                    @Nullable
                    Duration longest,
            @Mixin AuditReason reason)
            throws IOException {
        Duration keep = longest == null ? Duration.ofDays(365) : longest;
        String until = Long.toString(Instant.now().plus(keep).toEpochMilli());
        Map<String, @Nullable Object> answer = http.client()
                .postToLeader(
                        "/tokens/revoke",
                        reason.with(Map.of("id", id, "expires_ms", until)),
                        http.timeout(CHANGE_TIMEOUT));
        console.line(http.json() ? LinkReport.json(answer) : "token " + id + " is revoked");
        return ExitCode.OK;
    }

    @Command(name = "list", description = "Shows the tokens that are revoked.")
    int list(@Mixin HttpOptions http) throws IOException {
        Map<String, @Nullable Object> answer = http.client().get("/tokens", http.timeout(READ_TIMEOUT));
        Table table = new Table("REVOKED", "UNTIL");
        for (Map<String, @Nullable Object> token : LinkReport.objects(answer, "revoked")) {
            table.row(AdminClient.text(token, "id"), Instant.ofEpochMilli(LinkReport.number(token, "expires_ms")));
        }
        console.line(http.json() ? LinkReport.json(answer) : table.toString());
        return ExitCode.OK;
    }
}

package io.spillway.broker.auth;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.Scram;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Finds out who somebody is. Refusals have code UNAUTHENTICATED, or THROTTLED for who has to wait because passwords were wrong,
 * and never say more than who is asked may know. Thread-safe.
 */
public final class Authenticator {
    public static final String EXTERNAL = "EXTERNAL";
    public static final String TOKEN = "TOKEN";
    public static final String BASIC = "BASIC";

    private static final int NONCE_BYTES = 24;
    /** Clocks of machines differ. */
    private static final long SKEW_MS = 30_000;

    private final AuthSettings settings;
    private final Supplier<Access> access;
    private final Supplier<AuthFiles> files;
    private final Clock clock;
    private final RandomGenerator random;
    private final Guesses guesses;
    /** Makes of a name that nobody has a salt, always the same, so that it is not told from one that somebody has. */
    private final byte[] saltOfNobody = new byte[Scram.KEY_BYTES];

    private final byte[] keyOfVerified = new byte[Scram.KEY_BYTES];

    /** @param random cannot be foretold */
    public Authenticator(
            AuthSettings settings,
            Supplier<Access> access,
            Supplier<AuthFiles> files,
            Clock clock,
            RandomGenerator random) {
        this.settings = settings;
        this.access = access;
        this.files = files;
        this.clock = clock;
        this.random = random;
        guesses = new Guesses(settings.freeFailures());
        random.nextBytes(saltOfNobody);
        random.nextBytes(keyOfVerified);
    }

    /** What HELLO led to. */
    public sealed interface Step {}

    /** @param data for the client, such as the broker's own proof */
    public record Done(Identity identity, byte[] data) implements Step {}

    /** The client has to answer that. */
    public record More(Exchange exchange, byte[] data) implements Step {}

    /** A login under way. Confined to its connection. */
    public final class Exchange {
        private final Scram.Server scram;
        private final Credential credential;
        private final boolean isKnown;
        private final String address;

        private Exchange(Scram.Server scram, Credential credential, boolean isKnown, String address) {
            this.scram = scram;
            this.credential = credential;
            this.isKnown = isKnown;
            this.address = address;
        }

        public Done finish(byte[] data) {
            // Many may have begun before the first of them failed.
            requireNoWait(address, credential.user());
            byte[] proof;
            try {
                proof = scram.finish(data, credential.keys());
            } catch (IllegalArgumentException e) {
                throw malformed(e);
            }
            if (proof.length == 0 || !isKnown || find(credential.user()) == null) {
                throw wrong(address, credential.user());
            }
            guesses.succeeded(address, credential.user());
            return new Done(Identity.of(credential.user(), Scram.MECHANISM), proof);
        }
    }

    /**
     * Begins with what HELLO says.
     *
     * @param mechanism empty: the certificate if there is one, else nothing
     * @throws SpillwayException UNAUTHENTICATED, THROTTLED
     */
    public Step begin(String mechanism, byte[] data, Peer peer) {
        return switch (mechanism) {
            case "" -> peer.certified().isEmpty() ? new Done(nobody(), new byte[0]) : certified(peer);
            case EXTERNAL -> {
                if (peer.certified().isEmpty()) {
                    throw refused(
                            "the connection has no certificate of a principal",
                            "connect by TLS with a certificate that tls.client-authority signed");
                }
                yield certified(peer);
            }
            case Scram.MECHANISM -> scram(data, peer.address());
            case TOKEN -> new Done(token(new String(data, StandardCharsets.UTF_8), peer), new byte[0]);
            default ->
                throw refused(
                        "the mechanism is not known", "use " + EXTERNAL + ", " + Scram.MECHANISM + " or " + TOKEN);
        };
    }

    private Identity nobody() {
        if (settings.required()) {
            throw refused(
                    "no credentials were given",
                    "give a user and password, a token or a client certificate; see docs/operations/security.md");
        }
        return Identity.NOBODY;
    }

    private static Done certified(Peer peer) {
        return new Done(Identity.of(peer.certified(), EXTERNAL), new byte[0]);
    }

    private More scram(byte[] data, String address) {
        Scram.Server server;
        try {
            server = new Scram.Server(data);
        } catch (IllegalArgumentException e) {
            throw malformed(e);
        }
        requireNoWait(address, server.user());
        Credential known = find(server.user());
        Credential credential = known == null ? ofNobody(server.user()) : known;
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        byte[] challenge =
                server.challenge(Base64.getEncoder().encodeToString(nonce), credential.salt(), credential.iterations());
        return new More(new Exchange(server, credential, known != null, address), challenge);
    }

    private void requireNoWait(String address, String user) {
        int waitMs = guesses.waitMs(address, user, clock.nowMs());
        if (waitMs > 0) {
            throw new SpillwayException(
                    Code.THROTTLED,
                    "you are not let in just now",
                    "too many passwords from this address were wrong",
                    "try again in " + (waitMs + 999) / 1_000
                            + " s with the right one; what failed does not count for ever",
                    waitMs,
                    null);
        }
    }

    private SpillwayException wrong(String address, String user) {
        guesses.failed(address, user, clock.nowMs());
        return refused("user and password do not match", "check both; an operator sees users with: spillway user list");
    }

    /** Tries of passwords that were refused unseen, because of those before. */
    public long throttled() {
        return guesses.refused();
    }

    private @Nullable Credential find(String user) {
        Credential kept = access.get().users().get(user);
        return kept == null ? files.get().credentials().get(user) : kept;
    }

    private Credential ofNobody(String user) {
        byte[] salt = Arrays.copyOf(Scram.hmac(saltOfNobody, user), Credential.SALT_BYTES);
        return new Credential(user, salt, Credential.ITERATIONS, new Scram.Keys(saltOfNobody, saltOfNobody));
    }

    /** A password as HTTP carries it. Costs as much as the credential's iterations. */
    public Identity password(String user, String password, Peer peer) {
        requirePrivate(peer);
        requireNoWait(peer.address(), user);
        Credential known = find(user);
        Credential credential = known == null ? ofNobody(user) : known;
        Scram.Keys keys = Scram.keys(password.isEmpty() ? " " : password, credential.salt(), credential.iterations());
        boolean isRight = MessageDigest.isEqual(keys.stored(), credential.keys().stored());
        if (known == null || !isRight || password.isEmpty()) {
            throw wrong(peer.address(), user);
        }
        guesses.succeeded(peer.address(), user);
        return Identity.of(user, BASIC);
    }

    /** Tells a password that was verified before from others, without keeping it; changes with the credential. */
    public String memory(String user, String password) {
        Credential known = find(user);
        String kept = known == null
                ? ""
                : Base64.getEncoder().encodeToString(known.keys().stored());
        return Base64.getEncoder().encodeToString(Scram.hmac(keyOfVerified, user + '\0' + kept + '\0' + password));
    }

    public Identity token(String text, Peer peer) {
        requirePrivate(peer);
        Token token;
        try {
            token = Token.parse(text);
        } catch (IllegalArgumentException e) {
            throw refused("the token cannot be read", "get a new one from whoever issues them");
        }
        TokenKey key = files.get().keys().get(token.keyId());
        if (key == null || !key.isFor(token.algorithm()) || !key.verifies(token.signed(), token.signature())) {
            throw refused(
                    "the token was not signed by a key that this broker knows",
                    "get one from whoever holds the key; an operator looks at auth.token-keys");
        }
        require(token, peer);
        return new Identity(token.subject(), TOKEN, token.expiresMs(), token.id());
    }

    private void require(Token token, Peer peer) {
        long nowMs = clock.nowMs();
        if (token.expiresMs() == 0 || token.id().isEmpty() || !Principals.isValid(token.subject())) {
            throw refused("the token lacks a subject, an id or an end", "issue it with sub, jti and exp");
        }
        if (token.expiresMs() <= nowMs) {
            throw refused(
                    "the token has expired", "get a new one, or let the client ask for one: a callback of its options");
        }
        if (token.notBeforeMs() > nowMs + SKEW_MS) {
            throw refused("the token is not valid yet", "wait, or look at the clocks of both machines");
        }
        if (!token.audience().contains(settings.audience())) {
            throw refused("the token is for somebody else", "issue it with aud " + settings.audience());
        }
        if (access.get().revoked().containsKey(token.id())) {
            throw refused("the token was revoked", "get a new one; spillway token list tells why");
        }
        if (!token.certificate().isEmpty() && !token.certificate().equals(peer.thumbprint())) {
            throw refused("the token belongs to another certificate", "connect with the certificate it was issued for");
        }
    }

    private void requirePrivate(Peer peer) {
        if (!peer.isEncrypted() && !settings.takesPlainSecrets()) {
            throw refused(
                    "a secret came over a connection that others can hear",
                    "connect by TLS, or use " + Scram.MECHANISM + ", which tells no secret");
        }
    }

    /** Whether what somebody proved when he came holds still. Empty when it does; else why not. */
    public String ended(Identity identity) {
        if (identity.expiresMs() <= clock.nowMs()) {
            return "its token has expired";
        }
        if (!identity.tokenId().isEmpty() && access.get().revoked().containsKey(identity.tokenId())) {
            return "its token was revoked";
        }
        boolean byPassword = identity.mechanism().equals(Scram.MECHANISM);
        return byPassword && find(identity.name()) == null ? "its user was deleted" : "";
    }

    private static SpillwayException malformed(IllegalArgumentException cause) {
        return refused("what it sends is not " + Scram.MECHANISM + ": " + cause.getMessage(), "use a client of ours");
    }

    private static SpillwayException refused(String why, String next) {
        return new SpillwayException(Code.UNAUTHENTICATED, "you are not let in", why, next);
    }
}

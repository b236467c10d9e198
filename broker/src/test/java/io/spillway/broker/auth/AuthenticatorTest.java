package io.spillway.broker.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.Scram;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AuthenticatorTest {
    private static final long NOW_S = 1_800_000_000L;
    private static final Peer ENCRYPTED = new Peer("", "", true);
    private static final byte[] NOTHING = {};

    @TempDir
    Path keys;

    private long nowMs = NOW_S * 1_000;
    private Access access = Access.NONE;
    private Authenticator authenticator =
            authenticator(new AuthSettings(true, "spillway", false, true, Set.of(), false, 0));

    private Authenticator authenticator(AuthSettings settings) {
        Clock clock = new Clock() {
            @Override
            public long nowMs() {
                return nowMs;
            }

            @Override
            public long nanoTime() {
                return nowMs * 1_000_000;
            }
        };
        return new Authenticator(settings, () -> access, this::files, clock, new SplittableRandom(7));
    }

    private AuthFiles files() {
        try {
            return AuthFiles.read(null, keys);
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
    }

    @BeforeEach
    void makeKeys() throws Exception {
        Files.writeString(keys.resolve("shared.hmac"), Base64.getEncoder().encodeToString(new byte[32]));
        KeyPairGenerator curve = KeyPairGenerator.getInstance("EC");
        curve.initialize(new ECGenParameterSpec("secp256r1"));
        write("curve", curve.generateKeyPair());
        write("edwards", KeyPairGenerator.getInstance("Ed25519").generateKeyPair());
    }

    private void write(String id, KeyPair pair) throws Exception {
        pem(id + ".pem", "PUBLIC KEY", pair.getPublic().getEncoded());
        pem(id + ".key", "PRIVATE KEY", pair.getPrivate().getEncoded());
    }

    private void pem(String file, String label, byte[] der) throws Exception {
        String base64 = Base64.getMimeEncoder().encodeToString(der);
        Files.writeString(
                keys.resolve(file), "-----BEGIN " + label + "-----\n" + base64 + "\n-----END " + label + "-----\n");
    }

    private static TokenIssuer.Claims claims(String id, String audience, long expiresS) {
        return new TokenIssuer.Claims("billing", id, audience, NOW_S, expiresS);
    }

    private String issue(String file, TokenIssuer.Claims claims) throws Exception {
        return TokenIssuer.issue(keys.resolve(file), claims);
    }

    private void assertRefused(String why, org.assertj.core.api.ThrowableAssert.ThrowingCallable login) {
        assertThatThrownBy(login).isInstanceOfSatisfying(SpillwayException.class, e -> {
            assertThat(e.code()).isEqualTo(Code.UNAUTHENTICATED);
            assertThat(e.why()).contains(why);
        });
    }

    // ---- tokens

    @ParameterizedTest
    @ValueSource(strings = {"shared.hmac", "curve.key", "edwards.key"})
    void aTokenOfAKnownKeyTellsWhoSomebodyIsUntilItEnds(String file) throws Exception {
        Identity identity = authenticator.token(issue(file, claims("t1", "spillway", NOW_S + 60)), ENCRYPTED);

        assertThat(identity.name()).isEqualTo("billing");
        assertThat(identity.expiresMs()).isEqualTo((NOW_S + 60) * 1_000);
        assertThat(authenticator.ended(identity)).isEmpty();
        nowMs += 60_000;
        assertThat(authenticator.ended(identity)).isEqualTo("its token has expired");
    }

    @Test
    void aTokenThatIsExpiredForOthersRevokedOrHeardByOthersIsRefused() throws Exception {
        String good = issue("curve.key", claims("t1", "spillway", NOW_S + 60));

        assertRefused("others can hear", () -> authenticator.token(good, Peer.UNKNOWN));
        assertRefused(
                "expired", () -> authenticator.token(issue("curve.key", claims("t2", "spillway", NOW_S)), ENCRYPTED));
        assertRefused(
                "somebody else",
                () -> authenticator.token(issue("curve.key", claims("t3", "kafka", NOW_S + 60)), ENCRYPTED));
        Identity identity = authenticator.token(good, ENCRYPTED);
        access = new Access(Map.of(), AccessRules.NONE, Map.of("t1", nowMs + 60_000));
        assertRefused("revoked", () -> authenticator.token(good, ENCRYPTED));
        assertThat(authenticator.ended(identity)).isEqualTo("its token was revoked");
    }

    @Test
    void aTokenThatWasChangedOrSignedByOthersIsRefused() throws Exception {
        String good = issue("edwards.key", claims("t1", "spillway", NOW_S + 60));
        String[] parts = good.split("\\.");
        String other = text(new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8)
                .replace("billing", "admin12"));

        assertRefused("not signed", () -> authenticator.token(parts[0] + "." + other + "." + parts[2], ENCRYPTED));
        Files.delete(keys.resolve("edwards.pem"));
        assertRefused("not signed", () -> authenticator.token(good, ENCRYPTED));
    }

    @Test
    void theAlgorithmIsTheKeysAndNotTheTokens() throws Exception {
        String body = text("{\"sub\":\"admin\",\"jti\":\"x\",\"aud\":\"spillway\",\"exp\":" + (NOW_S + 60) + "}");
        String none = text("{\"alg\":\"none\",\"kid\":\"curve\"}") + "." + body + ".";
        String confused = text("{\"alg\":\"HS256\",\"kid\":\"curve\"}") + "." + body;
        byte[] publicKey = Files.readAllBytes(keys.resolve("curve.pem"));
        String mac = Base64.getUrlEncoder().withoutPadding().encodeToString(Scram.hmac(publicKey, confused));

        assertRefused("not signed", () -> authenticator.token(none, ENCRYPTED));
        assertRefused("not signed", () -> authenticator.token(confused + "." + mac, ENCRYPTED));
    }

    private static String text(String json) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(json.getBytes(StandardCharsets.UTF_8));
    }

    private String signed(String claims) {
        String signed = text("{\"alg\":\"HS256\",\"kid\":\"shared\"}") + "." + text(claims);
        byte[] signature = Scram.hmac(new byte[32], signed);
        return signed + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(signature);
    }

    @Test
    void aTokenThatBelongsToACertificateIsOfNoUseWithoutIt() {
        String bound = signed("{\"sub\":\"billing\",\"jti\":\"x\",\"aud\":[\"other\",\"spillway\"],\"exp\":"
                + (NOW_S + 60) + ",\"cnf\":{\"x5t#S256\":\"thumb\"}}");

        assertThat(authenticator.token(bound, new Peer("", "thumb", true)).name())
                .isEqualTo("billing");
        assertRefused("another certificate", () -> authenticator.token(bound, ENCRYPTED));
        assertRefused("another certificate", () -> authenticator.token(bound, new Peer("", "other", true)));
    }

    @Test
    void aTokenWithoutAnEndOrAnIdOrThatIsNotValidYetIsRefused() {
        String base = "{\"sub\":\"billing\",\"aud\":\"spillway\"";
        assertRefused("lacks", () -> authenticator.token(signed(base + ",\"jti\":\"x\"}"), ENCRYPTED));
        assertRefused("lacks", () -> authenticator.token(signed(base + ",\"exp\":" + (NOW_S + 9) + "}"), ENCRYPTED));
        String later = ",\"jti\":\"x\",\"exp\":" + (NOW_S + 900) + ",\"nbf\":" + (NOW_S + 60) + "}";
        assertRefused("not valid yet", () -> authenticator.token(signed(base + later), ENCRYPTED));
        String anonymous = "{\"sub\":\"anonymous\",\"aud\":\"spillway\",\"jti\":\"x\",\"exp\":" + (NOW_S + 900) + "}";
        assertRefused("lacks", () -> authenticator.token(signed(anonymous), ENCRYPTED));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", ".", "..", "a.b", "a.b.c", "e30.e30.", "e30.bnVsbA.", "e30.W10.", "e30.eyJhIjoxLCJhIjoyfQ."})
    void whatIsNoTokenIsRefused(String text) {
        assertRefused("", () -> authenticator.token(text, ENCRYPTED));
    }

    @Test
    void aTokenThatIsDeepOrLongIsRefusedUnread() {
        assertRefused("cannot be read", () -> authenticator.token("x".repeat(10_000) + ".e30.", ENCRYPTED));
        String deep = text("{\"a\":" + "[".repeat(200) + "]".repeat(200) + "}");
        assertRefused("cannot be read", () -> authenticator.token(deep + "." + deep + ".", ENCRYPTED));
    }

    // ---- passwords

    private void addUser() {
        access = new Access(
                Map.of("billing", Credential.of("billing", "a good secret", new byte[16])), AccessRules.NONE, Map.of());
    }

    private Identity login(String user, String password) {
        Scram.Client client = new Scram.Client(user, password, "nonce");
        Authenticator.More more =
                (Authenticator.More) authenticator.begin(Scram.MECHANISM, client.first(), Peer.UNKNOWN);
        Authenticator.Done done = more.exchange().finish(client.proof(more.data()));
        assertThat(client.isProven(done.data())).isTrue();
        return done.identity();
    }

    @Test
    void whoKnowsThePasswordIsTheUserUntilHeIsDeleted() {
        addUser();
        Identity identity = login("billing", "a good secret");

        assertThat(identity.name()).isEqualTo("billing");
        assertThat(authenticator.password("billing", "a good secret", ENCRYPTED).name())
                .isEqualTo("billing");
        assertThat(authenticator.ended(identity)).isEmpty();
        access = Access.NONE;
        assertThat(authenticator.ended(identity)).isEqualTo("its user was deleted");
    }

    @Test
    void aWrongPasswordAndAnUnknownUserAreRefusedInTheSameWords() {
        addUser();

        assertRefused("user and password do not match", () -> login("billing", "a bad secret"));
        assertRefused("user and password do not match", () -> login("nobody", "a good secret"));
        assertRefused("user and password do not match", () -> authenticator.password("billing", "no", ENCRYPTED));
        assertRefused("user and password do not match", () -> authenticator.password("nobody", "no", ENCRYPTED));
        assertRefused("others can hear", () -> authenticator.password("billing", "a good secret", Peer.UNKNOWN));
    }

    @Test
    void anUnknownUserIsAskedTheSameEachTime() {
        byte[] first = new Scram.Client("nobody", "x", "nonce").first();
        String[] salts = new String[2];
        for (int i = 0; i < 2; i++) {
            Authenticator.More more = (Authenticator.More) authenticator.begin(Scram.MECHANISM, first, Peer.UNKNOWN);
            salts[i] = new String(more.data(), StandardCharsets.UTF_8).split(",")[1];
        }
        assertThat(salts[0]).isEqualTo(salts[1]);
    }

    @Test
    void aCredentialIsALineOfAFileAndTellsNoPassword() {
        Credential credential = Credential.of("billing", "a good secret", new byte[16]);

        assertThat(Credential.parse(credential.line()).line()).isEqualTo(credential.line());
        assertThat(credential.line()).doesNotContain("good");
        assertThat(credential.toString()).isEqualTo("Credential[billing]");
        for (String line :
                List.of("", "billing", "billing:SCRAM-SHA-256$1:AA==$AA==:AA==", "a b,c:SCRAM-SHA-256$4096:AA==$x")) {
            assertThatThrownBy(() -> Credential.parse(line)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void whoFailedTooOftenIsRefusedUnseenAlsoWhereHeHadBegunBefore() {
        addUser();
        authenticator = authenticator(new AuthSettings(true, "spillway", false, true, Set.of(), false, 2));
        Peer from = new Peer("", "", true, "c0000207");
        Scram.Client good = new Scram.Client("billing", "a good secret", "nonce");
        Authenticator.More begun = (Authenticator.More) authenticator.begin(Scram.MECHANISM, good.first(), from);
        for (int i = 0; i < 2; i++) {
            assertRefused("do not match", () -> authenticator.password("billing", "no", from));
        }

        assertThrottled(() -> authenticator.password("billing", "a good secret", from));
        assertThrottled(() -> authenticator.begin(Scram.MECHANISM, good.first(), from));
        assertThrottled(() -> begun.exchange().finish(good.proof(begun.data())));
        assertThat(authenticator.throttled()).isEqualTo(3);
        nowMs += 1_000;
        assertThat(authenticator.password("billing", "a good secret", from).name())
                .isEqualTo("billing");
    }

    private static void assertThrottled(org.assertj.core.api.ThrowableAssert.ThrowingCallable login) {
        assertThatThrownBy(login).isInstanceOfSatisfying(SpillwayException.class, e -> {
            assertThat(e.code()).isEqualTo(Code.THROTTLED);
            assertThat(e.retryAfterMs()).isEqualTo(1_000);
        });
    }

    // ---- certificates, and nothing

    @Test
    void whoProvesNothingIsRefusedWhenSomethingIsRequired() {
        assertRefused("no credentials", () -> authenticator.begin("", NOTHING, ENCRYPTED));
        assertRefused("no certificate", () -> authenticator.begin("EXTERNAL", NOTHING, ENCRYPTED));
        assertRefused("not known", () -> authenticator.begin("PLAIN", NOTHING, ENCRYPTED));
        Peer certified = new Peer("billing", "thumb", true);
        assertThat(authenticator.begin("", NOTHING, certified))
                .isInstanceOfSatisfying(
                        Authenticator.Done.class,
                        done -> assertThat(done.identity().name()).isEqualTo("billing"));

        authenticator = authenticator(AuthSettings.OPEN);
        assertThat(authenticator.begin("", NOTHING, Peer.UNKNOWN))
                .isInstanceOfSatisfying(
                        Authenticator.Done.class,
                        done -> assertThat(done.identity()).isEqualTo(Identity.NOBODY));
    }
}

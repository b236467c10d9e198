package io.spillway.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.Test;

/** With the example of RFC 7677. */
class ScramTest {
    private static final String CLIENT_NONCE = "rOprNGfwEbeRWgbNEkqO";
    private static final String SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    private static final byte[] SALT = Base64.getDecoder().decode("W22ZaJ0SNY7soEsUEjb6gQ==");
    private static final int ITERATIONS = 4_096;
    private static final String CHALLENGE = "r=" + CLIENT_NONCE + SERVER_NONCE + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    private static final String PROOF =
            "c=biws,r=" + CLIENT_NONCE + SERVER_NONCE + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    private static final String SERVER_PROOF = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    private final Scram.Client client = new Scram.Client("user", "pencil", CLIENT_NONCE);

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Test
    void bothSidesSayWhatTheStandardSays() {
        assertThat(text(client.first())).isEqualTo("n,,n=user,r=" + CLIENT_NONCE);
        Scram.Server server = new Scram.Server(client.first());
        assertThat(server.user()).isEqualTo("user");
        assertThat(text(server.challenge(SERVER_NONCE, SALT, ITERATIONS))).isEqualTo(CHALLENGE);

        assertThat(text(client.proof(bytes(CHALLENGE)))).isEqualTo(PROOF);
        byte[] last = server.finish(bytes(PROOF), Scram.keys("pencil", SALT, ITERATIONS));

        assertThat(text(last)).isEqualTo(SERVER_PROOF);
        assertThat(client.isProven(last)).isTrue();
        assertThat(client.isProven(bytes("v=AAAA"))).isFalse();
    }

    @Test
    void anotherPasswordIsNoProof() {
        Scram.Server server = new Scram.Server(client.first());
        server.challenge(SERVER_NONCE, SALT, ITERATIONS);

        assertThat(server.finish(bytes(PROOF), Scram.keys("pencils", SALT, ITERATIONS)))
                .isEmpty();
    }

    @Test
    void aProofThatWasHeardIsOfNoUseForTheNextLogin() {
        Scram.Server server = new Scram.Server(client.first());
        server.challenge("anotherNonce", SALT, ITERATIONS);

        assertThat(server.finish(bytes(PROOF), Scram.keys("pencil", SALT, ITERATIONS)))
                .isEmpty();
    }

    @Test
    void aChallengeThatNoBrokerOfOursWouldSendIsNotAnswered() {
        assertThatThrownBy(() -> client.proof(bytes("r=other,s=W22Z,i=4096")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> client.proof(bytes("r=" + CLIENT_NONCE + "x,s=W22Z,i=1")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> client.proof(bytes("r=" + CLIENT_NONCE + "x,s=W22Z,i=100000000")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> client.proof(bytes("nonsense"))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void whatIsNoFirstMessageIsRefused() {
        for (String first :
                new String[] {"", "n,,", "p=tls-unique,,n=user,r=x", "n,,n=user", "n,,n=,r=x", "n,,n=a,r=b,x=c"}) {
            assertThatThrownBy(() -> new Scram.Server(bytes(first)))
                    .as(first)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}

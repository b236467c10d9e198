package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.protocol.Scram;
import io.spillway.protocol.v1.Error;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who guesses passwords, by either door. */
@Timeout(60)
class GuessedPasswordsTest {
    @TempDir
    static Path directory;

    private static SecureBroker on;

    @BeforeAll
    static void start() throws Exception {
        on = SecureBroker.start(directory);
        on.addUser("billing");
        on.addUser("shop");
    }

    @AfterAll
    static void stop() {
        assertThat(on.broker().stop()).isTrue();
    }

    private static Error login(String from, String user, String password) throws Exception {
        return TlsPeer.password(
                on.tls(), on.broker().wireAddress().getPort(), from, new Scram.Client(user, password, "nonce"));
    }

    /** Until it has to wait, which it has after so many tries, or later on a slow machine; what it is told then. */
    private static Error guess(String from, String user, int free) throws Exception {
        for (int tries = 0; ; tries++) {
            Error told = login(from, user, "not the password");
            if (told.getReason().equals("THROTTLED")) {
                assertThat(tries).isBetween(free, free + 20);
                return told;
            }
            assertThat(told.getReason()).isEqualTo("UNAUTHENTICATED");
        }
    }

    @Test
    void whoGuessesPasswordsWaitsAndNobodyElse() throws Exception {
        String attacker = "127.0.0.66";
        Error waits = guess(attacker, "billing", 5);
        assertThat(waits.getRetryAfterMs()).isBetween(1, 60_000);
        assertThat(waits.getNextStep()).containsPattern("try again in \\d+ s");

        // Also with the right one, by the other door, and as somebody who is not there; not as somebody else, or
        // elsewhere.
        guess(attacker, "nobody", 5);
        for (int i = 0; i < 2; i++) {
            await().until(() ->
                    !login(attacker, "billing", "not the password").getReason().equals("THROTTLED"));
        }
        assertThat(login(attacker, "billing", SecureBroker.PASSWORD).getReason())
                .isEqualTo("THROTTLED");
        assertThat(on.https(attacker, "GET", "/users", SecureBroker.basic("billing", "not the password")))
                .startsWith("HTTP/1.1 429")
                .containsPattern("(?i)retry-after: [1-4]\r")
                .contains("\"code\":\"THROTTLED\"", "retry_after_ms");
        assertThat(login(attacker, "shop", SecureBroker.PASSWORD).getReason()).isEmpty();
        assertThat(login("127.0.0.67", "billing", SecureBroker.PASSWORD).getReason())
                .isEmpty();
        assertThat(Double.parseDouble(on.metric("spillway_logins_throttled_total")))
                .isGreaterThanOrEqualTo(4);
        assertThat(on.as("admin", "audit", "--output", "json").out())
                .contains("denied.login", "too many passwords from this address were wrong");
    }
}

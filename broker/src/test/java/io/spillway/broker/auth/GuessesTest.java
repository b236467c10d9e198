package io.spillway.broker.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;

class GuessesTest {
    private static final int FREE = 5;

    private final Guesses guesses = new Guesses(FREE);
    private long nowMs = 1_000_000;

    private void fail(String address, String user, int times) {
        for (int i = 0; i < times; i++) {
            guesses.failed(address, user, nowMs);
        }
    }

    private int waitMs(String address, String user) {
        return guesses.waitMs(address, user, nowMs);
    }

    @Test
    void eachFailureBeyondTheFreeOnesDoublesTheWaitUpToAMinute() {
        fail("a", "billing", FREE - 1);
        assertThat(waitMs("a", "billing")).isZero();

        for (int expectedMs : new int[] {1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000}) {
            fail("a", "billing", 1);
            assertThat(waitMs("a", "billing")).isEqualTo(expectedMs);
            nowMs += expectedMs - 1;
            assertThat(waitMs("a", "billing")).isEqualTo(1);
            nowMs++;
            assertThat(waitMs("a", "billing")).isZero();
        }
    }

    @Test
    void aGuesserGetsAboutOneTryAMinute() {
        int tries = 0;
        for (long endMs = nowMs + 24 * 3_600_000; nowMs < endMs; nowMs += 1_000) {
            if (waitMs("a", "billing") == 0) {
                fail("a", "billing", 1);
                tries++;
            }
        }

        assertThat(tries).isLessThan(24 * 60 + FREE + 10);
    }

    @Test
    void whoFailedIsForgivenWithTime() {
        fail("a", "billing", FREE + 3);

        nowMs += 4 * 300_000;

        fail("a", "billing", 1);
        assertThat(waitMs("a", "billing")).isEqualTo(1_000);
    }

    @Test
    void nobodyWaitsForWhatIsGuessedAtAnotherAddress() {
        fail("a", "billing", 100);

        assertThat(waitMs("b", "billing")).isZero();
        assertThat(waitMs("a", "billing")).isEqualTo(60_000);
    }

    @Test
    void anAddressThatTriesManyUsersWaitsButThoseWhoWereLetInThereDoNot() {
        guesses.succeeded("a", "shop");
        for (int i = 0; i < 10 * FREE; i++) {
            guesses.failed("a", "user" + i, nowMs);
        }

        assertThat(waitMs("a", "another")).isEqualTo(1_000);
        assertThat(waitMs("a", "shop")).isZero();
        assertThat(waitMs("b", "another")).isZero();
        fail("a", "shop", FREE);
        assertThat(waitMs("a", "shop")).isEqualTo(1_000);
    }

    @Test
    void whoIsLetInHasNoFailuresAnyMore() {
        fail("a", "billing", FREE - 1);
        guesses.succeeded("a", "billing");
        fail("a", "billing", FREE - 1);

        assertThat(waitMs("a", "billing")).isZero();
    }

    @Test
    void aClockThatGoesBackMakesNobodyWaitForLonger() {
        fail("a", "billing", FREE);
        nowMs -= 3_600_000;

        assertThat(waitMs("a", "billing")).isEqualTo(1_000);
    }

    @Test
    void namesThatNobodyCanHaveAreOneAndAddressesBeyondTheBoundAreForgotten() {
        for (int i = 0; i < FREE; i++) {
            guesses.failed("a", "\n".repeat(i + 1), nowMs);
        }
        assertThat(waitMs("a", "\0")).isEqualTo(1_000);

        for (int i = 0; i < 10_000; i++) {
            guesses.failed("address " + i, "billing", nowMs);
        }
        assertThat(waitMs("a", "\0")).isZero();
    }

    @Test
    void nobodyWaitsWhenThatIsOff() {
        Guesses off = new Guesses(0);
        for (int i = 0; i < 1_000; i++) {
            off.failed("a", "billing", nowMs);
        }

        assertThat(off.waitMs("a", "billing", nowMs)).isZero();
    }

    @Test
    void anAddressIsAllOfIPv4AndTheFirstHalfOfIPv6() throws Exception {
        assertThat(address("192.0.2.7")).isEqualTo("c0000207").isNotEqualTo(address("192.0.2.8"));
        assertThat(address("2001:db8::1")).isEqualTo("20010db800000000").isEqualTo(address("2001:db8::f:2"));
        assertThat(address("::ffff:192.0.2.7")).isEqualTo("c0000207");
    }

    private static String address(String literal) throws Exception {
        return Peer.UNKNOWN
                .from(new InetSocketAddress(InetAddress.getByName(literal), 1))
                .address();
    }
}

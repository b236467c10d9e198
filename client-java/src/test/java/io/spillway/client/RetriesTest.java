package io.spillway.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.client.core.RetryBudget;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.RetryClass;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class RetriesTest {
    private static final long LONG_MS = 60_000;

    private final Retries retries = new Retries(new SplittableRandom(1));

    private static Error error(Code code) {
        return FakeBroker.error(code, 0);
    }

    @Test
    void aPublishHasFiveAttempts() {
        assertThat(retries.afterPublish(error(Code.NOT_READY), 4, LONG_MS).again())
                .isTrue();
        assertThat(retries.afterPublish(error(Code.NOT_READY), 5, LONG_MS).again())
                .isFalse();
    }

    @Test
    void aDamagedBatchHasThree() {
        assertThat(retries.afterPublish(error(Code.CHECKSUM_MISMATCH), 2, LONG_MS)
                        .again())
                .isTrue();
        assertThat(retries.afterPublish(error(Code.CHECKSUM_MISMATCH), 3, LONG_MS)
                        .again())
                .isFalse();
    }

    @Test
    void thePayloadsClassComesBeforeTheRegistrys() {
        Error safe = error(Code.INVALID_ARGUMENT).toBuilder()
                .setRetry(RetryClass.RETRY_SAFE)
                .build();

        assertThat(retries.afterPublish(error(Code.INVALID_ARGUMENT), 1, LONG_MS)
                        .again())
                .isFalse();
        assertThat(retries.afterPublish(safe, 1, LONG_MS).again()).isTrue();
    }

    @Test
    void startsNoAttemptThatCannotEndInTime() {
        Retries.Verdict verdict = retries.afterPublish(FakeBroker.error(Code.THROTTLED, 2_000), 1, 2_000);

        assertThat(verdict.again()).isFalse();
        assertThat(verdict.error().getReason()).isEqualTo("THROTTLED");
    }

    @Test
    void waitsAsLongAsTheBrokerAsks() {
        assertThat(retries.afterPublish(FakeBroker.error(Code.THROTTLED, 3_000), 1, LONG_MS)
                        .delayMs())
                .isGreaterThanOrEqualTo(3_000);
    }

    @Test
    void failsWhenTheBudgetIsUsedUpAndKeepsTheOutcomeUnknown() {
        int affordable = RetryBudget.CAPACITY / RetryBudget.COST_TRANSIENT;
        for (int i = 0; i < affordable; i++) {
            assertThat(retries.afterPublish(error(Code.INTERNAL), 1, LONG_MS).again())
                    .isTrue();
        }

        Retries.Verdict verdict = retries.afterPublish(error(Code.INTERNAL), 1, LONG_MS);

        assertThat(verdict.again()).isFalse();
        SpillwayException thrown = SpillwayException.of(verdict.error());
        assertThat(thrown.is(Code.RETRY_BUDGET_EXHAUSTED)).isTrue();
        assertThat(thrown.outcomeUnknown()).isTrue();
        assertThat(thrown.why()).contains("INTERNAL");
        assertThat(retries.chargeReconnect()).isFalse();
    }

    @Test
    void aSuccessAfterAReconnectGivesItsChargeBack() {
        int affordable = RetryBudget.CAPACITY / RetryBudget.COST_TRANSIENT;
        for (int i = 0; i < 10 * affordable; i++) {
            assertThat(retries.chargeReconnect()).as("reconnect " + i).isTrue();
            retries.onSuccess(0);
        }
    }

    @Test
    void lookingForTheRightPlaceIsFreeTwiceAndNeverHurried() {
        for (int i = 0; i < 1_000; i++) {
            Retries.Verdict verdict = retries.afterAdmin(error(Code.DRAINING), 1 + i % 2, LONG_MS);
            assertThat(verdict.again()).isTrue();
            assertThat(verdict.cost()).isZero();
            assertThat(verdict.delayMs()).isGreaterThanOrEqualTo(100);
        }
    }

    @Test
    void waitsForALeaderUntilTheDeadlineForNothing() {
        for (Code code : List.of(Code.NOT_LEADER, Code.LEADER_ELECTION)) {
            for (int i = 0; i < 1_000; i++) {
                Retries.Verdict verdict = retries.afterPublish(error(code), i, LONG_MS);
                assertThat(verdict.again()).isTrue();
                assertThat(verdict.cost()).isZero();
                assertThat(verdict.outcomeUnknown()).isFalse();
                assertThat(verdict.delayMs()).isEqualTo(100);
            }
            assertThat(retries.afterPublish(FakeBroker.error(code, 300), 1, LONG_MS)
                            .delayMs())
                    .isEqualTo(300);
            assertThat(retries.afterAdmin(error(code), 1, 120).again()).isFalse();
            assertThat(retries.afterSubscribe(error(code), 1_000).again()).isTrue();
        }
    }

    @Test
    void aLeaderThatChangesInTheMiddleOfACallIsFreeTwice() {
        for (int i = 0; i < 1_000; i++) {
            Retries.Verdict verdict = retries.afterPublish(error(Code.REPLICATION_TIMEOUT), 1 + i % 2, LONG_MS);
            assertThat(verdict.again()).isTrue();
            assertThat(verdict.cost()).isZero();
            assertThat(verdict.outcomeUnknown()).isTrue();
        }
        assertThat(retries.afterPublish(error(Code.REPLICATION_TIMEOUT), 3, LONG_MS)
                        .cost())
                .isPositive();
    }

    @Test
    void subscribingGoesOnUntilItIsHopeless() {
        assertThat(retries.afterSubscribe(error(Code.NOT_READY), 1_000).again()).isTrue();
        assertThat(retries.afterSubscribe(error(Code.TOPIC_NOT_FOUND), 3).again())
                .isTrue();
        assertThat(retries.afterSubscribe(error(Code.TOPIC_NOT_FOUND), 4).again())
                .isFalse();
        assertThat(retries.afterSubscribe(error(Code.PERMISSION_DENIED), 1).again())
                .isFalse();
    }
}

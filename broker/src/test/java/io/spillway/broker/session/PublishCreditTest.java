package io.spillway.broker.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.protocol.Limits;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a publisher may send. */
class PublishCreditTest {
    private static final int BATCH = 64 << 10;
    private static final long WINDOW = SessionConfig.DEFAULT.windowBytes();

    private Map<String, Long> windows = Map.of();
    private final PublishCredit credit = new PublishCredit(SessionConfig.DEFAULT, "rust", () -> windows);

    private void send(int batches) {
        for (int i = 0; i < batches; i++) {
            assertThat(credit.isLeft()).isTrue();
            credit.received(BATCH);
        }
    }

    private long answer(int batches) {
        long bytes = 0;
        for (int i = 0; i < batches; i++) {
            credit.answered(BATCH);
            bytes = credit.after(BATCH).getMaxBytes();
        }
        return bytes;
    }

    @Test
    void aWindowOfBytesMayBeUnanswered() {
        send((int) (WINDOW / BATCH));
        assertThat(credit.isLeft()).isFalse();

        assertThat(answer(1)).isEqualTo(WINDOW + BATCH);
        assertThat(credit.isLeft()).isTrue();
    }

    @Test
    void whatWasGrantedIsNotTakenBackWhenTheWindowGetsNarrow() {
        send(100);
        windows = Map.of("rust", 2L * BATCH);

        assertThat(answer(1)).isEqualTo(WINDOW);
        send((int) (WINDOW / BATCH) - 100);
        assertThat(credit.isLeft()).isFalse();
        assertThat(answer((int) (WINDOW / BATCH) - 4))
                .as("more is unanswered than may be")
                .isEqualTo(WINDOW);
        assertThat(answer(2)).isEqualTo(WINDOW + BATCH);
    }

    @Test
    void whileNothingIsUnansweredTheLargestBatchMayCome() {
        windows = Map.of("rust", 1L);
        PublishCredit opened = new PublishCredit(SessionConfig.DEFAULT, "rust", () -> windows);
        assertThat(opened.after(0).getMaxBytes()).isEqualTo(Limits.MAX_BATCH_BYTES);
        opened.received(BATCH);
        opened.answered(BATCH);

        assertThat(opened.after(BATCH).getMaxBytes()).isEqualTo(Limits.MAX_BATCH_BYTES + BATCH);
    }

    @Test
    void aBatchAsLargeAsTheLastOneMayCome() {
        windows = Map.of("rust", 1L);
        PublishCredit opened = new PublishCredit(SessionConfig.DEFAULT, "rust", () -> windows);
        for (int i = 0; i < 4; i++) {
            opened.received(4 * BATCH);
        }
        for (int i = 0; i < 3; i++) {
            opened.answered(4 * BATCH);
        }

        assertThat(opened.after(4 * BATCH).getMaxBytes()).isEqualTo(16L * BATCH);
        opened.received(1);
        opened.answered(4 * BATCH);
        assertThat(opened.after(4 * BATCH).getMaxBytes()).isEqualTo(20L * BATCH);
    }

    @Test
    void otherDomainsHaveTheWholeWindow() {
        windows = Map.of("go", 1L);
        send(1);

        assertThat(answer(1)).isEqualTo(WINDOW + BATCH);
    }

    @Test
    void whereEverythingWasRefusedNoAckWillTellOfCredit() {
        windows = Map.of("rust", 1L);
        PublishCredit opened = new PublishCredit(SessionConfig.DEFAULT, "rust", () -> windows);
        opened.received(BATCH);
        assertThat(opened.isStuck()).as("an answer is to come").isFalse();
        opened.answered(BATCH);
        assertThat(opened.isStuck()).as("and was an error").isTrue();

        opened.after(0);

        assertThat(opened.isStuck()).isFalse();
        assertThat(credit.isStuck()).isFalse();
    }
}

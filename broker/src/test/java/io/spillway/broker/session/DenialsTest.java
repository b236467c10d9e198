package io.spillway.broker.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.shard.Mailbox;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DenialsTest {
    private long nowMs = 1_000_000;
    private final Denials denials = new Denials(
            new Audit(
                    new Published<>(TopicCatalog.EMPTY), List.of(new Mailbox()), Clock.SYSTEM, new SplittableRandom(1)),
            new Clock() {
                @Override
                public long nowMs() {
                    return nowMs;
                }

                @Override
                public long nanoTime() {
                    return nowMs * 1_000_000;
                }
            });

    private int told(int denials) {
        return (int) IntStream.range(0, denials)
                .filter(each -> this.denials.mayTell())
                .count();
    }

    @Test
    void aBurstIsWrittenDownAndThenTwoASecond() {
        assertThat(told(1_000)).isEqualTo(200);
        assertThat(told(1_000)).isZero();
        nowMs += 1_000;
        assertThat(told(1_000)).isEqualTo(2);
        nowMs += 3_600_000;
        assertThat(told(1_000)).isEqualTo(200);
    }

    @Test
    void eachIsCounted() {
        for (int i = 0; i < 300; i++) {
            denials.unknown("somebody", "no credentials");
        }
        denials.denied("billing", "write", "orders", "", "no rule");

        assertThat(denials.unknown()).isEqualTo(300);
        assertThat(denials.denied()).isEqualTo(1);
    }

    @Test
    void whatStrangersCallThemselvesMakesNoLineOfItsOwn() {
        String forged = "x\nevent=let_in who=\"admin\"\u001b[31m";

        assertThat(Denials.shown(forged)).isEqualTo("x?event=let_in who=?admin??[31m");
        assertThat(Denials.shown("x".repeat(20_000))).hasSizeLessThan(300);
    }
}

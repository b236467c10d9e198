package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.flow.FairQueue;
import io.spillway.broker.flow.FlowKey;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Durability;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a shard does about publishes that wait too long for their turn. */
class AdmissionTest {
    private static final long MS = 1_000_000;
    private static final long CEILING = 256 << 20;
    private static final int BATCH = 64 << 10;

    private final FairQueue<ShardCommand.Publish> waiting = new FairQueue<>(BATCH, FairQueue.Weights.EQUAL);
    private final Waits waits = new Waits();
    private final List<ShardCommand.Publish> refused = new ArrayList<>();
    private final List<SpillwayException> reasons = new ArrayList<>();
    private final Admission admission =
            new Admission(waiting, CEILING, ShardCommand.Publish::shedClass, (publish, why) -> {
                refused.add(publish);
                reasons.add(why);
            });
    private long nowMs = 1_000_000;

    private record Publisher(String domain, String principal, int debtMs) implements PublisherPort {
        @Override
        public FlowKey flow() {
            return new FlowKey(domain, principal);
        }

        @Override
        public void appended(ShardCommand.Publish command, PublishOutcome outcome) {}

        @Override
        public void refused(ShardCommand.Publish command, SpillwayException why) {}
    }

    private final Publisher rust = new Publisher("rust", "a", 0);
    private final Publisher go = new Publisher("go", "b", 0);

    private ShardCommand.Publish publish(Publisher from, int shedClass) {
        return new ShardCommand.Publish(
                from,
                1,
                Unpooled.EMPTY_BUFFER,
                BATCH,
                1,
                0,
                false,
                1,
                nowMs * MS,
                0,
                Durability.DUR_MAPPED,
                ShardCommand.Publish.FIRST_ATTEMPT,
                shedClass);
    }

    /** One that waits. */
    private ShardCommand.Publish wait(Publisher from, int shedClass) {
        ShardCommand.Publish publish = publish(from, shedClass);
        waiting.add(publish, BATCH, from.domain(), from.principal(), 1);
        return publish;
    }

    /** A tenth of a second in which each turn took publishes of rust that had waited for so long. */
    private void interval(int waitedMs) {
        for (int i = 0; i < 10; i++) {
            nowMs += 10;
            waits.taken("rust", waitedMs * MS);
            waits.taken("go", MS);
            waits.endTurn();
            admission.tick(waits, 0, nowMs, nowMs * MS);
        }
        admission.endInterval(waits.endInterval(), nowMs, nowMs * MS);
    }

    @Test
    void nothingIsHeldBackWhileTheWaitIsShort() {
        for (int i = 0; i < 20; i++) {
            interval(19);
        }

        assertThat(admission.windows()).isEmpty();
        assertThat(admission.admits(publish(rust, 3), nowMs)).isTrue();
        assertThat(refused).isEmpty();
    }

    @Test
    void theCreditOfADomainThatWaitsIsSharedByThoseThatPublish() {
        interval(40);
        assertThat(admission.windows()).containsOnlyKeys("rust");
        long alone = admission.windows().getOrDefault("rust", 0L);
        for (int i = 0; i < 4; i++) {
            admission.admits(publish(new Publisher("rust", "p", i), 2), nowMs);
        }
        interval(19);

        assertThat(admission.windows().getOrDefault("rust", 0L)).isBetween(alone / 4, alone / 3);
        assertThat(admission.admits(publish(go, 3), nowMs)).isTrue();
        assertThat(refused).as("credit comes first").isEmpty();
    }

    @Test
    void whatWaitsWithoutEverBeingTakenIsSeen() {
        wait(go, 2);
        nowMs += 500;
        waits.taken("go", 0);
        waits.endTurn();
        admission.tick(waits, 0, nowMs, nowMs * MS);

        assertThat(admission.windows()).containsOnlyKeys("go");
    }

    @Test
    void slowSyncsAllowForALongerWait() {
        for (int i = 0; i < 10; i++) {
            waits.taken("rust", 90 * MS);
            waits.endTurn();
            nowMs += 10;
            admission.tick(waits, 50, nowMs, nowMs * MS);
        }

        assertThat(admission.windows()).isEmpty();
    }

    @Test
    void halfOfWhatHasWaitedTooLongIsRefusedTheLeastImportantFirst() {
        List<ShardCommand.Publish> interactive = List.of(wait(rust, 2), wait(rust, 2));
        ShardCommand.Publish critical = wait(rust, 0);
        List<ShardCommand.Publish> bulk = List.of(wait(rust, 3), wait(rust, 3), wait(rust, 3));
        wait(go, 3);
        nowMs += 50;
        interval(150);
        assertThat(refused).as("once is not enough").isEmpty();
        wait(rust, 3);

        interval(150);

        assertThat(refused).containsExactlyInAnyOrderElementsOf(bulk);
        assertThat(reasons).allSatisfy(why -> {
            assertThat(why.code()).isEqualTo(Code.OVERLOADED);
            assertThat(why.metadata()).containsEntry("reason", "QUEUE_DELAY").containsEntry("scope", "domain:rust");
            assertThat(why.retryAfterMs()).isPositive();
        });
        interval(150);
        interval(150);
        interval(150);
        assertThat(refused).containsAll(interactive).doesNotContain(critical);
        assertThat(waiting.size())
                .as("the critical one, and that of another domain")
                .isEqualTo(2);
    }

    @Test
    void ofAClassThoseGoFirstThatOweMost() {
        Publisher debtor = new Publisher("rust", "debtor", 700);
        Publisher busy = new Publisher("rust", "busy", 0);
        List<ShardCommand.Publish> many = List.of(wait(busy, 2), wait(busy, 2), wait(busy, 2));
        List<ShardCommand.Publish> owed = List.of(wait(debtor, 2), wait(debtor, 2), wait(debtor, 2), wait(debtor, 2));
        ShardCommand.Publish calm = wait(rust, 2);
        nowMs += 50;
        interval(150);
        interval(250);

        assertThat(refused).containsExactlyInAnyOrderElementsOf(owed);
        interval(250);
        assertThat(refused).containsAll(many).doesNotContain(calm);
    }

    @Test
    void aQueueThatStaysTooLongLetsInOnlyWhatMattersMoreUntilItIsShort() {
        Publisher other = new Publisher("rust", "other", 0);
        for (int i = 0; i < 40; i++) {
            for (int n = 0; n < 10; n++) {
                admission.admits(publish(other, 3), nowMs);
                admission.admits(publish(rust, 2), nowMs);
            }
            interval(150);
        }
        assertThat(admission.admits(publish(other, 3), nowMs)).isFalse();
        assertThat(admission.admits(publish(rust, 2), nowMs)).isTrue();
        assertThat(admission.admits(publish(go, 3), nowMs)).isTrue();
        assertThat(reasons.get(reasons.size() - 1).metadata())
                .isEqualTo(Map.of("reason", "QUEUE_DELAY", "scope", "domain:rust", "shed_class", "3"));

        for (int i = 0; i < 200; i++) {
            interval(1);
        }

        assertThat(admission.admits(publish(other, 3), nowMs)).isTrue();
    }
}

package io.spillway.broker.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.chaos.Fault;
import io.spillway.broker.chaos.FaultKind;
import io.spillway.broker.chaos.FaultScope;
import io.spillway.broker.chaos.Faults;
import io.spillway.broker.cluster.Fellows;
import io.spillway.broker.shard.Mailbox;
import io.spillway.protocol.Code;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

final class ChaosControlTest {
    private static final Fault.Plan DROP = plan(FaultKind.DROP);
    private static final Fault.Plan FAILED_SYNC = plan(FaultKind.FAILED_SYNC);

    private final SettableClock clock = new SettableClock();
    private final List<Faults> told = new ArrayList<>();
    private final ChaosControl chaos = control(true);

    private static Fault.Plan plan(FaultKind kind, String... peers) {
        return new Fault.Plan(kind, new FaultScope("", "", "", List.of(peers)), 100, 0, Code.OVERLOADED);
    }

    private ChaosControl control(boolean enabled) {
        Audit audit =
                new Audit(new Published<>(TopicCatalog.EMPTY), List.of(new Mailbox()), clock, new SplittableRandom(1));
        return new ChaosControl(
                new ChaosControl.Terms("n1", enabled), audit, clock, new SplittableRandom(1), told::add);
    }

    private static ChaosControl.Wanted wanted(Fault.Plan what) {
        return new ChaosControl.Wanted(what, 5_000, "", "ops", "a test");
    }

    private Fault begun(String id, long ttlMs) {
        Fault fault = new Fault(id, DROP, "ops", "a test", clock.nowMs, clock.nowMs + ttlMs);
        CompletableFuture<Void> begun = chaos.begin(fault);
        chaos.tick();
        assertThat(begun).isCompleted();
        return fault;
    }

    private static SpillwayException refusal(CompletableFuture<?> answer) {
        assertThat(answer).isCompletedExceptionally();
        return (SpillwayException) answer.handle((ok, failure) -> failure).join();
    }

    @Test
    void aFaultEndsByTheClockAndWhoeverItHitsIsTold() {
        begun("a", 2_000);
        clock.nowMs += 1_999;
        chaos.tick();
        assertThat(chaos.view().has("a")).isTrue();
        assertThat(chaos.active(FaultKind.DROP)).isOne();

        clock.nowMs++;
        chaos.tick();

        assertThat(chaos.view()).isSameAs(Faults.NONE);
        assertThat(told).hasSize(2).last().isSameAs(Faults.NONE);
        assertThat(chaos.active(FaultKind.DROP)).isZero();
    }

    @Test
    void whatIsStoppedEndsAtOnceAndOneThatIsNotThereIsNotFound() {
        begun("a", 2_000);
        begun("b", 2_000);

        CompletableFuture<List<Fault>> stopped = chaos.stop("a", "ops", "seen enough");
        CompletableFuture<List<Fault>> missing = chaos.stop("a", "ops", "again");
        CompletableFuture<List<Fault>> all = chaos.stop(ChaosControl.ALL, "ops", "home");
        chaos.tick();

        assertThat(stopped.join()).extracting(Fault::id).containsExactly("a");
        assertThat(refusal(missing).code()).isEqualTo(Code.NOT_FOUND);
        assertThat(all.join()).extracting(Fault::id).containsExactly("b");
        assertThat(chaos.view()).isSameAs(Faults.NONE);
    }

    @Test
    void aBrokerThatIsNotMeantForItRefusesAndSaysHowItWouldBe() {
        SpillwayException refusal = refusal(control(false).start(wanted(DROP)));

        assertThat(refusal.code()).isEqualTo(Code.WRONG_STATE);
        assertThat(refusal.why()).contains("chaos.enabled=false");
        assertThat(refusal.nextStep()).contains("--set chaos.enabled=true");
    }

    @Test
    void aReasonATimeToLiveAndTheRightNodeAreNeeded() {
        CompletableFuture<Fault> noReason = chaos.start(new ChaosControl.Wanted(DROP, 5_000, "", "ops", " "));
        CompletableFuture<Fault> noEnd = chaos.start(new ChaosControl.Wanted(DROP, 0, "", "ops", "a test"));
        CompletableFuture<Fault> elsewhere = chaos.start(new ChaosControl.Wanted(DROP, 5_000, "n2", "ops", "a test"));
        CompletableFuture<Fault> noPeer = chaos.start(wanted(plan(FaultKind.PARTITION, "n2")));
        chaos.tick();

        assertThat(refusal(noReason).why()).contains("the reason is missing");
        assertThat(refusal(noEnd).why()).contains("a fault ends by itself");
        assertThat(refusal(elsewhere).why()).contains("this is node n1");
        assertThat(refusal(noPeer).why()).contains("in no cluster");
        assertThat(chaos.view()).isSameAs(Faults.NONE);
    }

    @Test
    void whatWouldCostTheMajorityIsRefusedWithWhatWasInjectedElsewhere() {
        FakeFellows fellows = new FakeFellows();
        fellows.theirs.put("n2", List.of(new Fault("x", FAILED_SYNC, "ops", "test", 0, 1)));
        fellows.theirs.put("n3", List.of());
        chaos.joins(fellows);

        CompletableFuture<Fault> answer = chaos.start(wanted(FAILED_SYNC));
        chaos.tick();
        chaos.tick();

        SpillwayException refusal = refusal(answer);
        assertThat(refusal.code()).isEqualTo(Code.WRONG_STATE);
        assertThat(refusal.what()).contains("would lose its majority");
        assertThat(refusal.why()).contains("not counted on: n1, n2");
        chaos.tick();
        assertThat(chaos.faults()).as("it is not announced any more").isEmpty();
    }

    @Test
    void twoWhoAskAtTwoNodesAtOnceSeeEachOther() {
        FakeFellows fellows = new FakeFellows();
        fellows.answers = new CompletableFuture<>();
        chaos.joins(fellows);

        CompletableFuture<Fault> answer = chaos.start(wanted(FAILED_SYNC));
        chaos.tick();

        assertThat(answer).as("it waits for what the others say").isNotDone();
        assertThat(chaos.faults()).extracting(Fault::kind).containsExactly(FaultKind.FAILED_SYNC);
        assertThat(chaos.view()).as("and is not injected").isSameAs(Faults.NONE);
        fellows.answers.complete(Map.of());
        chaos.tick();
        assertThat(refusal(answer).why()).contains("n1, n2, n3");
    }

    @Test
    void aPeerThatIsNotThereIsNamedWithTheNearest() {
        chaos.joins(new FakeFellows());

        CompletableFuture<Fault> answer = chaos.start(wanted(plan(FaultKind.PARTITION, "n22")));
        chaos.tick();

        assertThat(refusal(answer).nextStep()).contains("did you mean n2?");
    }

    private static final class SettableClock implements Clock {
        private long nowMs = 1_000_000;

        @Override
        public long nowMs() {
            return nowMs;
        }

        @Override
        public long nanoTime() {
            return nowMs * 1_000_000;
        }
    }

    private static final class FakeFellows implements Fellows {
        private final Map<String, List<Fault>> theirs = new HashMap<>();
        private CompletableFuture<Map<String, List<Fault>>> answers = CompletableFuture.completedFuture(theirs);

        @Override
        public List<String> voters() {
            return List.of("n1", "n2", "n3");
        }

        @Override
        public List<String> others() {
            return List.of("n2", "n3");
        }

        @Override
        public CompletableFuture<Map<String, List<Fault>>> faults() {
            return answers;
        }

        @Override
        public CompletableFuture<Void> part(String peer, Fault fault) {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public void heal(String peer, String id) {}
    }
}

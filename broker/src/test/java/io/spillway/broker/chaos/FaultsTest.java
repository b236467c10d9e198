package io.spillway.broker.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.chaos.Faults.Injected;
import io.spillway.protocol.Code;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class FaultsTest {
    private final FaultTable table = new FaultTable();
    private final SplittableRandom random = new SplittableRandom(16);

    private static Fault.Plan plan(FaultKind kind, FaultScope scope, int percent) {
        boolean waits = kind == FaultKind.DELAY || kind == FaultKind.SLOW_DISK;
        return new Fault.Plan(kind, scope, percent, waits ? 200 : 0, Code.OVERLOADED);
    }

    private static Fault fault(String id, Fault.Plan what, long untilMs) {
        return new Fault(id, what, "ops", "game day", 1_000, untilMs);
    }

    private static FaultScope topic(String name) {
        return new FaultScope(name, "", "", List.of());
    }

    @Test
    void aFaultEndsWhenItsTimeIsOverAndTheOthersGoOn() {
        table.add(fault("a", plan(FaultKind.DROP, FaultScope.ALL, 100), 5_000));
        table.add(fault("b", plan(FaultKind.DELAY, FaultScope.ALL, 100), 6_000));

        assertThat(table.expire(4_999)).isEmpty();
        assertThat(table.expire(5_000)).extracting(each -> each.fault().id()).containsExactly("a");
        assertThat(table.view().list()).extracting(Fault::id).containsExactly("b");
        assertThat(table.remove("b")).hasSize(1);
        assertThat(table.view()).as("nothing to be paid for").isSameAs(Faults.NONE);
        assertThat(table.remove("b")).isEmpty();
    }

    @Test
    void aRequestIsHitByWhatIsForItsTopicItsPrincipalAndItsDomain() {
        Faults faults = table.add(
                fault("a", plan(FaultKind.ERROR, new FaultScope("orders", "shop", "go", List.of()), 100), 5_000));

        assertThat(faults.ofRequest("orders", "shop", "go", random)).isNotNull();
        assertThat(faults.ofRequest("other", "shop", "go", random)).isNull();
        assertThat(faults.ofRequest("orders", "other", "go", random)).isNull();
        assertThat(faults.ofRequest("orders", "shop", "rust", random)).isNull();
        assertThat(faults.all().get(0).hits().sum())
                .as("only what was hit counts")
                .isOne();
        assertThat(faults.ofNode(FaultKind.SLOW_DISK, random)).isNull();
    }

    @Test
    void aShareOfRequestsIsHitAndHitsAreCountedBeyondTheEnd() {
        Faults faults = table.add(fault("a", plan(FaultKind.DROP, topic("orders"), 25), 5_000));

        long hit = IntStream.range(0, 10_000)
                .filter(each -> faults.ofRequest("orders", "p", "go", random) != null)
                .count();

        assertThat(hit).isBetween(2_200L, 2_800L);
        List<Injected> ended = table.remove("a");
        assertThat(ended.get(0).hits().sum()).isEqualTo(hit);
        assertThat(table.endedHits(FaultKind.DROP)).isEqualTo(hit);
        assertThat(table.endedHits(FaultKind.DELAY)).isZero();
    }

    @Test
    void aShareOfGroupsIsAlwaysTheSameOne() {
        Faults faults = table.add(fault("a", plan(FaultKind.PAUSE_DISPATCH, topic("orders"), 30), 5_000));

        List<String> paused = IntStream.range(0, 1_000)
                .mapToObj(each -> "group-" + each)
                .filter(group -> faults.pausing("orders", group) != null)
                .toList();

        assertThat(paused).hasSizeBetween(200, 400);
        assertThat(paused).allSatisfy(group -> {
            assertThat(faults.pausing("orders", group)).isNotNull();
            assertThat(faults.pausing("other", group)).isNull();
        });
    }

    @Test
    void thereAreNotMoreThanSomebodyCouldFollow() {
        for (int i = 0; i < FaultTable.MOST; i++) {
            table.add(fault("f" + i, plan(FaultKind.DROP, FaultScope.ALL, 1), 5_000));
        }

        assertThatThrownBy(() -> table.add(fault("more", plan(FaultKind.DROP, FaultScope.ALL, 1), 5_000)))
                .isInstanceOf(SpillwayException.class)
                .hasMessageContaining("not injected");
    }

    @Test
    void whatMakesNoSenseIsRefusedWithTheReason() {
        refused(plan(FaultKind.DROP, FaultScope.ALL, 0), "from 1 to 100");
        refused(plan(FaultKind.DROP, FaultScope.ALL, 101), "from 1 to 100");
        refused(new Fault.Plan(FaultKind.DELAY, FaultScope.ALL, 100, 60_001, Code.OVERLOADED), "from 1 to 60000");
        refused(new Fault.Plan(FaultKind.DELAY, FaultScope.ALL, 100, 0, Code.OVERLOADED), "from 1 to 60000");
        refused(new Fault.Plan(FaultKind.DROP, FaultScope.ALL, 100, 5, Code.OVERLOADED), "slow-disk have");
        refused(plan(FaultKind.SLOW_DISK, topic("orders"), 100), "of a whole node");
        refused(plan(FaultKind.PAUSE_DISPATCH, new FaultScope("", "", "go", List.of()), 100), "only delay, error");
        refused(plan(FaultKind.PARTITION, FaultScope.ALL, 100), "between this node and others");
        refused(plan(FaultKind.DROP, new FaultScope("", "", "", List.of("n2")), 100), "between this node and others");
        refused(plan(FaultKind.PARTITION, new FaultScope("", "", "", List.of("n2")), 50), "hear each other or do not");
        for (long ttlMs : new long[] {0, 999, Fault.MOST_MS + 1}) {
            assertThatThrownBy(() -> Fault.checkTtl(ttlMs)).hasMessageContaining("time to live");
        }
        Fault.checkTtl(1_000);
        Fault.checkTtl(Fault.MOST_MS);
    }

    private static void refused(Fault.Plan plan, String why) {
        assertThatThrownBy(plan::check).isInstanceOfSatisfying(SpillwayException.class, refusal -> {
            assertThat(refusal.code()).isEqualTo(Code.INVALID_ARGUMENT);
            assertThat(refusal.why()).contains(why);
        });
    }

    @Test
    void aFaultSaysWhatItIsWhoseUntilWhenAndWhy() {
        Fault.Plan what = plan(FaultKind.DELAY, new FaultScope("orders", "", "go", List.of()), 25);

        assertThat(fault("3f", what, 61_000).text())
                .isEqualTo("delay 200 ms of topic orders, domain go, 25 % injected by ops until 1970-01-01T00:01:01Z"
                        + " (3f): game day");
    }
}

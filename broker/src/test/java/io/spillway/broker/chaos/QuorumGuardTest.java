package io.spillway.broker.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.protocol.Code;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class QuorumGuardTest {
    private static final List<String> THREE = List.of("n1", "n2", "n3");
    private static final List<String> FIVE = List.of("n1", "n2", "n3", "n4", "n5");
    private static final Fault.Plan FAILED_SYNC =
            new Fault.Plan(FaultKind.FAILED_SYNC, FaultScope.ALL, 100, 0, Code.OVERLOADED);

    private final Map<String, List<Fault>> faults = new HashMap<>();

    private static Fault.Plan cut(String... peers) {
        return new Fault.Plan(FaultKind.PARTITION, new FaultScope("", "", "", List.of(peers)), 100, 0, Code.OVERLOADED);
    }

    private static Fault.Plan slow(long ms) {
        return new Fault.Plan(FaultKind.SLOW_DISK, FaultScope.ALL, 100, ms, Code.OVERLOADED);
    }

    private QuorumGuardTest at(String node, Fault.Plan... injected) {
        List<Fault> there = new ArrayList<>();
        for (Fault.Plan each : injected) {
            there.add(new Fault("f", each, "ops", "test", 0, 1));
        }
        faults.put(node, there);
        return this;
    }

    private QuorumGuardTest well(List<String> nodes) {
        nodes.forEach(node -> faults.putIfAbsent(node, List.of()));
        return this;
    }

    private String refusal(List<String> voters, String node, Fault.Plan what) {
        return new QuorumGuard(voters, faults).refusal(node, what);
    }

    @Test
    void oneOfThreeMayBeParted() {
        assertThat(well(THREE).refusal(THREE, "n1", cut("n2", "n3"))).isEmpty();
        assertThat(refusal(THREE, "n1", cut("n2"))).isEmpty();
        assertThat(refusal(THREE, "n1", FAILED_SYNC)).isEmpty();
    }

    @Test
    void aSecondOfThreeMayNot() {
        at("n1", cut("n2", "n3")).at("n2", cut("n1")).at("n3", cut("n1"));

        assertThat(refusal(THREE, "n2", cut("n3")))
                .contains("no node would reach more than 1 of 3 voters", "2 are needed", "n1-n2, n1-n3, n2-n3");
        assertThat(refusal(THREE, "n3", FAILED_SYNC)).contains("not counted on: n3");
    }

    @Test
    void aSingleCutBetweenTwoLeavesTheThirdToReachBoth() {
        at("n1", cut("n2")).at("n2", cut("n1")).well(THREE);

        assertThat(refusal(THREE, "n2", cut("n3"))).as("n3 and n1 are left").isEmpty();
        assertThat(refusal(THREE, "n3", FAILED_SYNC)).contains("n1-n2");
    }

    @Test
    void whoDoesNotAnswerIsNotCountedOn() {
        at("n1").at("n2");

        assertThat(refusal(THREE, "n1", cut("n2"))).contains("not counted on: n3");
        assertThat(new QuorumGuard(THREE, faults).refusal("n3", cut("n1")))
                .as("it is lost anyway")
                .isEmpty();
    }

    @Test
    void twoOfFiveMayFailAndAThirdMayNot() {
        at("n1", FAILED_SYNC).well(FIVE);

        assertThat(refusal(FIVE, "n2", cut("n1", "n3", "n4", "n5"))).isEmpty();
        at("n2", FAILED_SYNC);
        assertThat(refusal(FIVE, "n3", slow(1_000))).contains("more than 2 of 5");
        assertThat(refusal(FIVE, "n3", cut("n4"))).as("n5 reaches both").isEmpty();
    }

    @Test
    void aClusterOfOneHasNothingToSpare() {
        assertThat(well(List.of("n1")).refusal(List.of("n1"), "n1", FAILED_SYNC))
                .contains("1 are needed");
    }

    @Test
    void onlyWhatCanCostAMajorityIsGuarded() {
        assertThat(QuorumGuard.concerns(slow(999))).isFalse();
        assertThat(QuorumGuard.concerns(slow(1_000))).isTrue();
        assertThat(QuorumGuard.concerns(cut("n2"))).isTrue();
        assertThat(QuorumGuard.concerns(new Fault.Plan(FaultKind.DROP, FaultScope.ALL, 100, 0, Code.OVERLOADED)))
                .isFalse();
    }
}

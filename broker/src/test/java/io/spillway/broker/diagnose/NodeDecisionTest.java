package io.spillway.broker.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.diagnose.NodeFacts.Trouble;
import io.spillway.broker.diagnose.Surroundings.Debt;
import io.spillway.broker.diagnose.Surroundings.Pressure;
import io.spillway.broker.diagnose.TopicFacts.Full;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class NodeDecisionTest {
    private static final TopicFacts ORDERS = new TopicFacts("orders", null, null, null, List.of());
    private static final Debt DEBT = new Debt("topic:orders", 900, 100, 5_000, true);
    private static final Pressure PRESSURE = new Pressure("domain:rust", "QUEUE_DELAY", "THROTTLED", 2, 312, 200, "ms");

    private static NodeFacts node(List<Trouble> troubles, List<Pressure> pressures, List<Debt> debts, int shed) {
        return new NodeFacts("n1", "", "", troubles, List.of(), 0, pressures, debts, shed);
    }

    private static NodeFacts with(Cause trouble) {
        return node(List.of(new Trouble(trouble, "part", "because", "do this")), List.of(), List.of(), 4);
    }

    @Test
    void aNodeWithNothingWrongIsWell() {
        List<Diagnosis> all = NodeDecision.of(node(List.of(), List.of(), List.of(), Surroundings.NO_CLASS));

        assertThat(all).extracting(Diagnosis::cause).containsExactly(Cause.WELL);
        assertThat(all.get(0).why()).isEqualTo("it serves clients");
    }

    @ParameterizedTest
    @EnumSource(
            value = Cause.class,
            names = {
                "SHARD_FAILED",
                "STORAGE_FAILED",
                "RESERVE",
                "DRAINING",
                "NO_LEADER",
                "NO_QUORUM",
                "RETURNING",
                "LEFT_CLUSTER"
            })
    void whatStopsANodeStopsItsTopicsAndGroups(Cause trouble) {
        Surroundings around = NodeDecision.surroundings(with(trouble));

        assertThat(TopicDecision.of(ORDERS, around).cause()).isEqualTo(trouble);
        Diagnosis group = TopicDecision.of(new SampleFacts().facts(), around);
        assertThat(group.cause()).isEqualTo(trouble);
        assertThat(group.about()).hasToString("group billing of topic orders");
        assertThat(group.why()).isEqualTo("part: because");
        assertThat(group.next()).isEqualTo("do this");
        assertThat(NodeDecision.of(with(trouble))).extracting(Diagnosis::cause).containsExactly(trouble);
    }

    @Test
    void aFullDiskStopsPublishingAndNothingElse() {
        Surroundings around = NodeDecision.surroundings(with(Cause.READ_ONLY));

        assertThat(TopicDecision.of(ORDERS, around).cause()).isEqualTo(Cause.READ_ONLY);
        assertThat(TopicDecision.of(new SampleFacts().facts(), around).cause()).isEqualTo(Cause.DELIVERING);
    }

    @Test
    void aNodeThatIsBehindServesNobodyAnywayAndIsNoReasonForATopic() {
        assertThat(NodeDecision.surroundings(with(Cause.NODE_BEHIND)).dispatchStop())
                .isNull();
    }

    @Test
    void aNodeThatFollowsSendsToTheLeader() {
        NodeFacts follower =
                new NodeFacts("n2", "n1", "10.0.0.1:7400", List.of(), List.of(), 0, List.of(), List.of(), 4);

        Diagnosis topic = TopicDecision.of(ORDERS, NodeDecision.surroundings(follower));
        assertThat(topic.cause()).isEqualTo(Cause.NOT_LEADER);
        assertThat(topic.next()).contains("10.0.0.1:7400");
        List<Diagnosis> itself = NodeDecision.of(follower);
        assertThat(itself).extracting(Diagnosis::cause).containsExactly(Cause.WELL);
        assertThat(itself.get(0).why()).isEqualTo("it follows n1, which serves clients at 10.0.0.1:7400");
    }

    @Test
    void aTopicsOwnReasonsComeInOrder() {
        Surroundings all = NodeDecision.surroundings(node(List.of(), List.of(PRESSURE), List.of(DEBT), 2));
        GroupFacts.Pause pause = new GroupFacts.Pause("maintenance", 1);
        Full full = new Full("backlog.bytes", 10, 11, "billing");
        TopicFacts.Linked linked = new TopicFacts.Linked("a link fills it", "spillway link promote l");

        assertThat(TopicDecision.of(new TopicFacts("orders", linked, pause, full, List.of()), all)
                        .cause())
                .isEqualTo(Cause.LINKED);
        assertThat(TopicDecision.of(new TopicFacts("orders", null, pause, full, List.of()), all)
                        .cause())
                .isEqualTo(Cause.PUBLISH_PAUSED);
        Diagnosis isFull = TopicDecision.of(new TopicFacts("orders", null, null, full, List.of()), all);
        assertThat(isFull.cause()).isEqualTo(Cause.QUEUE_FULL);
        assertThat(isFull.next()).contains("spillway diagnose group orders billing");
        Diagnosis owing = TopicDecision.of(ORDERS, all);
        assertThat(owing.cause()).isEqualTo(Cause.QUOTA);
        assertThat(owing.why())
                .isEqualTo(
                        "topic:orders owes 900 bytes at 100 bytes a second, which takes 5000 ms, so that more is refused");
        TopicFacts other = new TopicFacts("other", null, null, null, List.of());
        assertThat(TopicDecision.of(other, all).cause()).isEqualTo(Cause.OVERLOADED);
        Surroundings shed = NodeDecision.surroundings(node(List.of(), List.of(), List.of(), 2));
        assertThat(TopicDecision.of(other, shed).cause()).isEqualTo(Cause.SHED_BY_TOGGLE);
        assertThat(TopicDecision.of(other, Surroundings.WELL).cause()).isEqualTo(Cause.ACCEPTING);
    }

    @Test
    void quotasConcernTheirTopics() {
        assertThat(new Debt("principal-topic:app/orders", 1, 1, 1, false).concerns("orders"))
                .isTrue();
        assertThat(new Debt("principal-topic:orders/other", 1, 1, 1, false).concerns("orders"))
                .isFalse();
        assertThat(new Debt("principal:orders", 1, 1, 1, false).concerns("orders"))
                .isFalse();
    }

    @Test
    void whatSlowsPublishersDownIsSaidWithItsMeasureAndWhatToDo() {
        List<Diagnosis> all = NodeDecision.of(new NodeFacts(
                "n1",
                "",
                "",
                List.of(),
                List.of("/data/q1"),
                2,
                List.of(PRESSURE),
                List.of(DEBT),
                Surroundings.NO_CLASS));

        assertThat(all)
                .extracting(Diagnosis::cause)
                .containsExactly(Cause.OVERLOADED, Cause.QUOTA, Cause.QUARANTINE, Cause.TOGGLE_EXPIRED);
        assertThat(all.get(0).why())
                .isEqualTo("domain:rust is THROTTLED because of QUEUE_DELAY: 312 ms, the line is 200 ms");
        assertThat(all.get(0).next()).contains("spillway quota set domain rust");
    }

    @Test
    void pressureThatOnlyRisesSlowsNobody() {
        Pressure rising = new Pressure("broker", "DISK_LATENCY", "ELEVATED", 1, 300, 250, "ms");

        assertThat(NodeDecision.of(node(List.of(), List.of(rising), List.of(), Surroundings.NO_CLASS)))
                .extracting(Diagnosis::cause)
                .containsExactly(Cause.WELL);
    }
}

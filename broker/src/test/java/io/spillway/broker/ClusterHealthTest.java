package io.spillway.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.cluster.ClusterView;
import io.spillway.broker.replication.Peer;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClusterHealthTest {
    private static final Peer N1 = new Peer("n1", "a", "h:1", "h:2");

    @Test
    void aNodeThatKnowsALeaderIsReady() {
        assertThat(ClusterHealth.cause(
                        new ClusterView(false, N1, List.of(N1), 1, false, "", "do this"), "n1", false, "", ""))
                .isEmpty();
        assertThat(ClusterHealth.cause(
                        new ClusterView(true, N1, List.of(N1), 1, false, "", "do this"), "n1", false, "", ""))
                .isEmpty();
    }

    @Test
    void aNodeThatKnowsNoLeaderIsNot() {
        assertThat(ClusterHealth.cause(
                        new ClusterView(false, null, List.of(N1), 1, false, "", "do this"), "n1", false, "", ""))
                .hasValueSatisfying(cause -> assertThat(cause.what()).isEqualTo("no leader is known here"));
    }

    @Test
    void aNodeThatStoppedSaysWhy() {
        assertThat(ClusterHealth.cause(
                        new ClusterView(false, null, List.of(N1), 1, false, "its log cannot be written", "do this"),
                        "n1",
                        false,
                        "",
                        ""))
                .hasValueSatisfying(cause -> assertThat(cause.why()).isEqualTo("its log cannot be written"));
    }

    @Test
    void aLeaderThatGetsNothingAgreedOnIsNot() {
        assertThat(ClusterHealth.cause(
                        new ClusterView(true, N1, List.of(N1), 1, false, "", "do this"), "n1", true, "", ""))
                .hasValueSatisfying(cause -> assertThat(cause.what()).isEqualTo("the cluster agrees on nothing"));
    }

    @Test
    void aNodeThatDoesNotTakeUpWhatTheLeaderSendsIsNotReady() {
        assertThat(ClusterHealth.cause(
                        new ClusterView(false, N1, List.of(N1), 1, false, "", ""), "n1", false, "", "it is at entry 7"))
                .hasValueSatisfying(cause -> {
                    assertThat(cause.what()).isEqualTo("this node does not take up what the cluster agrees on");
                    assertThat(cause.why()).isEqualTo("it is at entry 7");
                    assertThat(cause.nextStep()).contains("restart it");
                });
    }

    @Test
    void aNodeThatWasRemovedAndStartedAgainIsToldSo() {
        assertThat(ClusterHealth.cause(
                        new ClusterView(false, null, List.of(N1), 1, false, "", ""), "n2", false, "", ""))
                .hasValueSatisfying(cause -> {
                    assertThat(cause.what()).isEqualTo("this node is not in the cluster");
                    assertThat(cause.nextStep()).contains("spillway cluster add-node n2");
                });
    }
}

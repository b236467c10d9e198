package io.spillway.broker.replication;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.replication.ClusterStatus.Node;
import io.spillway.broker.replication.ClusterStatus.Role;
import java.util.List;
import java.util.stream.Stream;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.protocol.RaftPeer;
import org.junit.jupiter.api.Test;

class QuorumTest {
    private static Peer peer(String id) {
        return new Peer(id, "a", "h:1", "h:2");
    }

    private static Node node(String id, long lastContactMs) {
        return new Node(peer(id), Role.VOTER, id.equals("n1"), 0, 0, 0, lastContactMs);
    }

    private static List<RaftPeer> voters(String... ids) {
        return Stream.of(ids)
                .map(id -> Peers.toRaft(peer(id), RaftPeerRole.FOLLOWER, 0))
                .toList();
    }

    @Test
    void aMajorityWithinReachIsEnough() {
        Quorum quorum = new Quorum(List.of(node("n1", 0), node("n2", 100), node("n3", Quorum.REACHED_MS)));

        assertThatCode(() -> quorum.require(voters("n1", "n2", "n3"))).doesNotThrowAnyException();
        assertThatCode(() -> quorum.require(voters("n1"))).doesNotThrowAnyException();
    }

    @Test
    void oneOfTwoIsNot() {
        Quorum quorum = new Quorum(List.of(node("n1", 0), node("n3", Quorum.REACHED_MS)));

        assertThatThrownBy(() -> quorum.require(voters("n1", "n3")))
                .isInstanceOf(ReplicationException.class)
                .hasMessageContaining("2 voters and reach 1, 2 are needed")
                .hasMessageEndingWith("n3");
    }

    @Test
    void aNodeOfWhichNothingIsKnownIsNotReached() {
        Quorum quorum = new Quorum(List.of(node("n1", 0), node("n2", ClusterStatus.UNKNOWN)));

        assertThatThrownBy(() -> quorum.require(voters("n1", "n2"))).hasMessageEndingWith("n2");
        assertThatThrownBy(() -> quorum.require(voters("n1", "n4"))).hasMessageEndingWith("n4");
    }
}

package io.spillway.broker.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.ClusterStatus.Role;
import io.spillway.broker.replication.Peer;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class OfficeTest {
    private static final Peer N1 = new Peer("n1", "a", "h:1", "h:2");
    private static final Peer N2 = new Peer("n2", "b", "h:3", "h:4");
    private static final Peer N3 = new Peer("n3", "c", "h:5", "h:6");
    private static final long LONG_AGO_MS = 600_000;

    private final Office anyZone = new Office(List.of());
    private final Office cFirst = new Office(List.of("c", "b"));

    /** As n1 sees it. */
    private static ClusterStatus led(Peer leader, long lastContactMs) {
        return new ClusterStatus(
                "c",
                "",
                "n1",
                1,
                10,
                10,
                10,
                leader,
                Stream.of(N1, N2, N3)
                        .map(peer -> new ClusterStatus.Node(
                                peer,
                                Role.VOTER,
                                peer.equals(leader),
                                10,
                                0,
                                0,
                                peer.equals(leader) ? 0 : lastContactMs))
                        .toList());
    }

    private static Optional<String> successor(Office office, ClusterStatus status, boolean isWritable, long nowMs) {
        return office.look(status, isWritable, nowMs).map(Office.Successor::id);
    }

    @Test
    void aLeaderWhoseDiskStaysFullHandsOver() {
        assertThat(successor(anyZone, led(N1, 1), false, 0)).isEmpty();
        assertThat(successor(anyZone, led(N1, 1), false, Office.FULL_MS - 1)).isEmpty();
        assertThat(successor(anyZone, led(N1, 1), false, Office.FULL_MS)).contains("n2");
    }

    @Test
    void aDiskThatIsFullForAMomentChangesNothing() {
        successor(anyZone, led(N1, 1), false, 0);
        successor(anyZone, led(N1, 1), true, Office.FULL_MS - 1);

        assertThat(successor(anyZone, led(N1, 1), false, Office.FULL_MS)).isEmpty();
    }

    @Test
    void nobodyTakesOverWhoIsNotHeardOf() {
        successor(anyZone, led(N1, LONG_AGO_MS), false, 0);

        assertThat(successor(anyZone, led(N1, LONG_AGO_MS), false, LONG_AGO_MS)).isEmpty();
    }

    @Test
    void nodesThatAreAllFullDoNotPassTheLeadershipRound() {
        successor(anyZone, led(N1, 1), false, 0);
        assertThat(successor(anyZone, led(N1, 1), false, Office.FULL_MS)).isPresent();

        assertThat(successor(anyZone, led(N1, 1), false, 2 * Office.FULL_MS)).isEmpty();
        assertThat(successor(anyZone, led(N1, 1), false, Office.FULL_MS + Office.PAUSE_MS))
                .isPresent();
    }

    @Test
    void theLeadershipGoesToTheFirstZoneThatIsAbleForLong() {
        assertThat(successor(cFirst, led(N1, 1), true, 0)).isEmpty();
        assertThat(successor(cFirst, led(N1, 1), true, Office.PREFERENCE_MS - 1))
                .isEmpty();
        assertThat(successor(cFirst, led(N1, 1), true, Office.PREFERENCE_MS)).contains("n3");
    }

    @Test
    void withoutAnOrderNoZoneIsPreferred() {
        successor(anyZone, led(N1, 1), true, 0);

        assertThat(successor(anyZone, led(N1, 1), true, LONG_AGO_MS)).isEmpty();
    }

    @Test
    void aFollowerDecidesNothing() {
        successor(cFirst, led(N2, 1), false, 0);

        assertThat(successor(cFirst, led(N2, 1), false, LONG_AGO_MS)).isEmpty();
    }
}

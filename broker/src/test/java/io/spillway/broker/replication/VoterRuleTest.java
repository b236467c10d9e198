package io.spillway.broker.replication;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class VoterRuleTest {
    private final VoterRule rule = new VoterRule(3);

    private static Peer peer(String id, String zone) {
        return new Peer(id, zone, id + ":1", id + ":2");
    }

    @Test
    void theFirstListenerOfAZoneWithoutAVoterVotes() {
        List<Peer> voters = List.of(peer("n1", "a"));
        List<Peer> listeners = List.of(peer("n2", "a"), peer("n3", "b"), peer("n4", "b"));

        assertThat(rule.next(voters, listeners)).contains(peer("n3", "b"));
    }

    @Test
    void aZoneHasOneVoter() {
        assertThat(rule.next(List.of(peer("n1", "a")), List.of(peer("n2", "a"))))
                .isEmpty();
    }

    @Test
    void noMoreVoteThanAllowed() {
        List<Peer> voters = List.of(peer("n1", "a"), peer("n2", "b"), peer("n3", "c"));

        assertThat(rule.next(voters, List.of(peer("n4", "d")))).isEmpty();
        assertThat(new VoterRule(4).next(voters, List.of(peer("n4", "d")))).isPresent();
    }
}

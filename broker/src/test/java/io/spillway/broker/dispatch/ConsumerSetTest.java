package io.spillway.broker.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConsumerSetTest {
    private final ConsumerSet members = new ConsumerSet();

    @Test
    void choosesInTurn() {
        join(1, 2, 3);

        assertThat(choose(5)).containsExactly(1L, 2L, 3L, 1L, 2L);
    }

    @Test
    void passesOverWhoCannotTakeMore() {
        join(1, 3);
        members.add(2, 10);

        assertThat(choose(3)).containsExactly(1L, 3L, 1L);
    }

    @Test
    void choosesNobodyWhenNobodyCanTakeMore() {
        members.add(1, 10);

        assertThat(members.choose()).isNull();
        assertThat(new ConsumerSet().choose()).isNull();
    }

    @Test
    void keepsTheTurnWhenAMemberLeaves() {
        join(1, 2, 3, 4);
        choose(2);

        members.remove(1);

        assertThat(choose(3)).containsExactly(3L, 4L, 2L);
    }

    @Test
    void keepsTheTurnWhenTheLastChosenLeaves() {
        join(1, 2, 3);
        choose(1);

        members.remove(1);
        members.remove(99);

        assertThat(members.size()).isEqualTo(2);
        assertThat(choose(3)).containsExactly(2L, 3L, 2L);
    }

    @Test
    void keepsTheTurnWhenTheLastOfTheRowLeaves() {
        join(1, 2, 3);
        choose(3);

        members.remove(3);

        assertThat(choose(2)).containsExactly(1L, 2L);
    }

    private void join(long... ids) {
        for (long id : ids) {
            members.add(id, 1000).grant(1000, 1_000_000);
        }
    }

    private List<Long> choose(int times) {
        var chosen = new ArrayList<Long>();
        for (int i = 0; i < times; i++) {
            var member = members.choose();
            chosen.add(member == null ? null : member.id());
        }
        return chosen;
    }
}

package io.spillway.broker.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.protocol.Seeded;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class KeySlotsTest {
    private final KeySlots slots = new KeySlots();

    @Test
    void givesAllSlotsToTheOnlyMember() {
        slots.join(7);

        assertThat(owners()).containsOnly(7L);
        slots.leave(7);
        assertThat(owners()).containsOnly(0L);
    }

    @Test
    void movesNoMoreSlotsThanAMemberGetsOrLeaves() {
        slots.join(1);
        slots.join(2);
        List<Long> before = owners();

        slots.join(3);

        assertThat(moved(before)).isEqualTo(1024 / 3);
        before = owners();
        slots.leave(2);
        assertThat(moved(before)).isEqualTo(count(before, 2));
    }

    @Seeded(runs = 5)
    void keepsTheMembersEven(RandomGenerator random) {
        List<Long> members = new ArrayList<>();
        for (long next = 1; next < 60; next++) {
            if (members.size() > 1 && random.nextInt(3) == 0) {
                slots.leave(members.remove(random.nextInt(members.size())));
            } else {
                slots.join(next);
                members.add(next);
            }
            List<Long> owners = owners();
            for (long member : members) {
                assertThat(count(owners, member))
                        .isBetween(1024 / members.size(), (1024 + members.size() - 1) / members.size());
            }
        }
    }

    private List<Long> owners() {
        List<Long> owners = new ArrayList<>();
        for (int slot = 0; slot < KeySlots.SLOTS; slot++) {
            owners.add(slots.ownerOf(slot));
        }
        return owners;
    }

    private int moved(List<Long> before) {
        int moved = 0;
        for (int slot = 0; slot < KeySlots.SLOTS; slot++) {
            moved += before.get(slot) == slots.ownerOf(slot) ? 0 : 1;
        }
        return moved;
    }

    private static int count(List<Long> owners, long member) {
        return (int) owners.stream().filter(owner -> owner == member).count();
    }
}

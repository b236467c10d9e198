package io.spillway.broker.dispatch;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The members of one group; those that can take more have their turns one after the other. Confined to the shard thread. */
public final class ConsumerSet {
    private final List<Member> members = new ArrayList<>();
    /** Index of the one chosen last; -1 when the first is next. */
    private int turn = -1;

    public Member add(long memberId, int maxUnacked) {
        Member member = new Member(memberId, maxUnacked, 0, 0);
        members.add(member);
        return member;
    }

    public void remove(long memberId) {
        for (int i = 0; i < members.size(); i++) {
            if (members.get(i).id() == memberId) {
                members.remove(i);
                // Whoever comes after the last chosen one still has the next turn.
                turn = i <= turn ? turn - 1 : turn;
                return;
            }
        }
    }

    public int size() {
        return members.size();
    }

    /** The member that has been there longest, or null. */
    public @Nullable Member first() {
        return members.isEmpty() ? null : members.get(0);
    }

    /** The next member that can take more, or null. */
    public @Nullable Member choose() {
        int size = members.size();
        for (int i = 0; i < size; i++) {
            turn = turn + 1 >= size ? 0 : turn + 1;
            Member member = members.get(turn);
            if (member.canTake()) {
                return member;
            }
        }
        return null;
    }
}

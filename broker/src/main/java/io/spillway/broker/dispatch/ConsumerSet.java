package io.spillway.broker.dispatch;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The members of one group. Those that can take more have their turns one after the other, as long as nothing is known of
 * their health; then who has least to do for its weight is next. Confined to the shard thread.
 */
public final class ConsumerSet {
    /** Members that are compared for one choice; with more of them the comparison begins at the next one's turn. */
    private static final int COMPARED = 16;

    private final List<Member> members = new ArrayList<>();
    private final HealthWatch watch;
    private boolean weighted = true;
    /** Index of the one chosen last; -1 when the first is next. */
    private int turn = -1;
    /** What that was before the last choice. */
    private int turnBefore = -1;

    public ConsumerSet() {
        this((member, what, why, next) -> {});
    }

    public ConsumerSet(HealthWatch.Listener listener) {
        watch = new HealthWatch(members, listener);
    }

    /** Whether who has least to do for its weight is next; otherwise all have their turns that get anything at all. */
    public void weighted(boolean now) {
        weighted = now;
    }

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

    /** Makes a member the one that came last. */
    public void moveLast(Member member) {
        remove(member.id());
        members.add(member);
    }

    public int size() {
        return members.size();
    }

    /** The member that has been there longest of those that are not relieved, or null. */
    public @Nullable Member first() {
        for (int i = 0; i < members.size(); i++) {
            if (!members.get(i).isRelieved()) {
                return members.get(i);
            }
        }
        return null;
    }

    public Member get(int index) {
        return members.get(index);
    }

    /** A member said how it is. */
    public void report(Member member, HealthReport report, long nowMs) {
        watch.report(member, report, nowMs);
    }

    /** Looks after health as time passes; whether somebody's weight may have changed. */
    public boolean tick(long nowMs) {
        return watch.tick(nowMs) && watch.isWeighed();
    }

    /** The next member that can take more, or null. */
    public @Nullable Member choose() {
        turnBefore = turn;
        return weighted && watch.isWeighed() ? leastLoaded() : next();
    }

    /** There was nothing for the one chosen last: it is its turn again. */
    public void unchoose() {
        turn = turnBefore;
    }

    /** The next in turn that can take more and is not held back for its health, whatever the others have to do; or null. */
    public @Nullable Member next() {
        int size = members.size();
        for (int i = 0; i < size; i++) {
            turn = turn + 1 >= size ? 0 : turn + 1;
            Member member = members.get(turn);
            if (member.canTake() && member.health().weight() > 0 && !member.isRelieved()) {
                return member;
            }
        }
        return null;
    }

    /** Compares loads by their weights; of equals the next in turn. As Envoy's least-request balancer, but for all bytes. */
    private @Nullable Member leastLoaded() {
        int size = members.size();
        int compared = 0;
        int best = -1;
        for (int i = 1; i <= size && compared < COMPARED; i++) {
            int at = (turn + i) % size;
            Member member = members.get(at);
            if (member.canTake() && member.health().weight() > 0) {
                compared++;
                best = best < 0 || isLess(member, members.get(best)) ? at : best;
            }
        }
        if (best < 0) {
            return null;
        }
        turn = best;
        return members.get(best);
    }

    private static boolean isLess(Member one, Member other) {
        return one.load() * other.health().weight()
                < other.load() * one.health().weight();
    }
}

package io.spillway.broker.shard;

import io.spillway.broker.dispatch.Outcomes;
import io.spillway.broker.subscription.Lease;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Tells a record that nobody can handle from a member that can handle nothing. A failure counts once against its member,
 * however often that member fails with the record, and against the record if the member is otherwise well. A record
 * that failed with so many different members is poison: it is given up, and no longer counts against any of them.
 *
 * <p>Who a record failed with is durable, as the number of its failures is. Confined to the shard thread.
 */
final class Blame {
    /** Hears of a part of what failed, whose records failed with the same members. */
    interface Verdict {
        void on(long from, long to, int[] failedBy, boolean isPoison);
    }

    private Blame() {}

    /** Records of a lease failed with a member, which may be gone. */
    static void divide(
            Group.Place place, Lease lease, @Nullable GroupMember with, long from, long to, Verdict verdict) {
        if (with == null) {
            place.state.forEachFailedBy(from, to, (first, end, before) -> verdict.on(first, end, before, false));
            return;
        }
        int enough = with.group.config().poisonMembers();
        Outcomes outcomes = with.member.health().outcomes();
        place.state.forEachFailedBy(from, to, (first, end, before) -> {
            int records = (int) (end - first);
            if (contains(before, with.port.identity())) {
                verdict.on(first, end, before, enough > 0 && before.length >= enough);
                return;
            }
            outcomes.failed(records, lease.attempt() == 1);
            boolean counts = enough > 0 && before.length < enough && outcomes.isCredible();
            int[] failedBy = counts ? with(before, with.port.identity()) : before;
            boolean isPoison = enough > 0 && failedBy.length >= enough;
            if (isPoison && counts) {
                pardon(with.group, failedBy, records);
            }
            verdict.on(first, end, failedBy, isPoison);
        });
    }

    private static void pardon(Group group, int[] failedBy, int records) {
        for (GroupMember joined : group.ports.values()) {
            if (contains(failedBy, joined.port.identity())) {
                joined.member.health().outcomes().pardoned(records);
            }
        }
    }

    private static int[] with(int[] before, int identity) {
        int[] after = Arrays.copyOf(before, before.length + 1);
        after[before.length] = identity;
        return after;
    }

    private static boolean contains(int[] members, int identity) {
        for (int member : members) {
            if (member == identity) {
                return true;
            }
        }
        return false;
    }
}

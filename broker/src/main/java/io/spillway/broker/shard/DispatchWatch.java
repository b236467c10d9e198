package io.spillway.broker.shard;

import io.spillway.broker.diagnose.Cause;
import io.spillway.broker.diagnose.GroupDecision;
import io.spillway.broker.diagnose.GroupFacts;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;

/**
 * Looks once a second at each group, a few at a time, for how long it has been kept from delivering and by what. So there is
 * a cause with a time before anybody asks, and a metric. Confined to the shard thread.
 */
final class DispatchWatch {
    private static final long EVERY_MS = 1_000;
    /** Looked at in one tick, so that thousands of groups delay nobody. */
    private static final int AT_ONCE = 32;

    private final ShardState state;
    private final DispatchFacts facts;
    private final ShardCounters counters;
    private Iterator<Group> round = Collections.emptyIterator();
    private long nextRoundMs;

    DispatchWatch(ShardState state, DispatchFacts facts, ShardCounters counters) {
        this.state = state;
        this.facts = facts;
        this.counters = counters;
    }

    void tick(long nowMs) {
        if (!state.log.writeState().delivers()) {
            return;
        }
        if (!round.hasNext()) {
            if (nowMs < nextRoundMs) {
                return;
            }
            nextRoundMs = nowMs + EVERY_MS;
            round = List.copyOf(state.groups.values()).iterator();
        }
        for (int i = 0; i < AT_ONCE && round.hasNext(); i++) {
            Group group = round.next();
            if (!group.isGone() || group.parent != null) {
                look(group, nowMs);
            }
        }
    }

    private void look(Group group, long nowMs) {
        for (Group.Place place : group.places) {
            long visible = place.partition.visibleEnd;
            place.isHidden = visible == place.watchedEnd && place.partition.endOffset > visible;
            place.watchedEnd = visible;
        }
        Watched watched = group.watched;
        watched.move(group.progress(), nowMs);
        GroupFacts seen = facts.of(group, nowMs, false);
        Cause cause = GroupDecision.cause(seen);
        watched.backlog = seen.backlog();
        watched.inFlight = inFlight(group);
        long elapsedMs = watched.look(cause, nowMs);
        if (counters.isOfDispatch(cause) && (watched.backlog > 0 || cause == Cause.NOT_DURABLE)) {
            counters.blockedMs(cause).add(elapsedMs);
        }
    }

    private static long inFlight(Group group) {
        long records = 0;
        for (Group.Place place : group.places) {
            records += place.state.inFlight();
        }
        return records;
    }
}

package io.spillway.broker.shard;

import io.spillway.broker.toggles.Toggles;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;

/**
 * Brings about what time alone does to topics and their groups: leases run out, what waits becomes due, members are weighed,
 * backlogs are kept within their bounds. A topic where something has happened, or a time is waited for, is awake, and looked at in every tick
 * of the shard. The others are looked at in turns, each once a second: thousands of idle topics cost a tick no more than a few do.
 * Confined to the shard thread.
 */
final class TimerSweep {
    /** All topics have had a look after so many ticks, */
    private static final int ROUND_TICKS = 1_000 / (int) ShardAgent.TICK_MS;
    /** and a tick takes at least so many of them. */
    private static final int AT_LEAST = 32;

    private final ShardState state;
    private final Settling settling;
    private final Subscriptions subscriptions;
    private final BacklogBounds backlogs;
    private Iterator<TopicState> round = Collections.emptyIterator();
    private int perTick;
    private Toggles toggles = Toggles.NONE;
    /** Whether all that is not awake has nothing to wait for. */
    private boolean knows;

    TimerSweep(ShardState state, Settling settling, Subscriptions subscriptions, BacklogBounds backlogs) {
        this.state = state;
        this.settling = settling;
        this.subscriptions = subscriptions;
        this.backlogs = backlogs;
    }

    /** Looks at what is due; how much was done. */
    int tick(Toggles toggled, long nowMs) {
        if (toggles != toggled || !knows) {
            state.topics.values().forEach(TopicState::wake);
        } else {
            wakeSome();
        }
        toggles = toggled;
        knows = true;
        List<TopicState> awake = state.awakeTopics;
        int count = awake.size(); // a look may wake others: they are behind these
        int kept = 0;
        int work = 0;
        for (int i = 0; i < count; i++) {
            TopicState topic = awake.get(i);
            work += topic.deleted ? 0 : look(topic, nowMs);
            topic.isAwake = !topic.deleted && isAwaited(topic);
            if (topic.isAwake) {
                awake.set(kept++, topic);
            }
        }
        awake.subList(kept, count).clear();
        return work;
    }

    /** Does nothing while others decide, and looks at all topics afterwards. */
    int stand() {
        knows = false;
        state.awakeTopics.forEach(topic -> topic.isAwake = false);
        state.awakeTopics.clear();
        return 0;
    }

    private void wakeSome() {
        if (!round.hasNext()) {
            List<TopicState> all = List.copyOf(state.topics.values());
            round = all.iterator();
            perTick = Math.max(AT_LEAST, (all.size() + ROUND_TICKS - 1) / ROUND_TICKS);
        }
        for (int i = 0; i < perTick && round.hasNext(); i++) {
            round.next().wake();
        }
    }

    private int look(TopicState topic, long nowMs) {
        for (Group group : topic.groups.values()) {
            look(group, nowMs);
            for (Group lane : group.lanes) {
                look(lane, nowMs);
            }
        }
        return backlogs.tick(topic, nowMs);
    }

    private void look(Group group, long nowMs) {
        settling.expire(group, nowMs);
        subscriptions.tick(group, nowMs);
        group.toggled(toggles);
        if (group.created.getRate() > 0 && !group.paused()) {
            group.topic.ready(); // its rate may allow more by now
        }
    }

    private static boolean isAwaited(TopicState topic) {
        if (topic.isReady || topic.spec.config().backlog().isBounded()) {
            return true;
        }
        for (Group group : topic.groups.values()) {
            if (isAwaited(group)) {
                return true;
            }
            for (Group lane : group.lanes) {
                if (isAwaited(lane)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean isAwaited(Group group) {
        if (group.waits || group.drainedMs != Long.MAX_VALUE || group.evenMs != Long.MAX_VALUE) {
            return true;
        }
        for (Group.Place place : group.places) {
            if (place.state.nextTimerMs() != Long.MAX_VALUE) {
                return true;
            }
        }
        return false;
    }
}

package io.spillway.broker.shard;

import io.spillway.broker.flow.FairQueue;
import io.spillway.broker.flow.FlowKey;
import java.util.ArrayList;
import java.util.List;

/**
 * Whose turn it is to be sent records. While a turn of the shard serves all who are ready they are served as they come;
 * what does not fit a turn waits, and from then on failure domains, the principals of a domain, and the topics of a principal
 * have fair turns: one that catches up with much cannot starve another. What a turn takes is known when it is over, so the most
 * is paid before it and the rest given back. Confined to the shard thread.
 */
final class DeliveryTurns {
    /** What a turn of the shard copies for consumers, about; publishes wait for no more than that. */
    static final long TURN_BYTES = 4 << 20;

    /** What one outlet's turn takes at most, about. */
    private static final int MOST_BYTES = Delivery.FRAMES_PER_TURN * DeliverFrame.MAX_BYTES;
    /** What a turn counts for beside its bytes. */
    private static final int SERVED_BYTES = 256;

    private final Delivery delivery;
    private final long turnBytes;
    private final FairQueue<Outlet> waiting = new FairQueue<>(MOST_BYTES, FairQueue.Weights.EQUAL);
    private final List<TopicState> looked = new ArrayList<>();
    private long leftBytes;
    private long servedBytes;

    DeliveryTurns(Delivery delivery, long turnBytes) {
        this.delivery = delivery;
        this.turnBytes = turnBytes;
    }

    /** Serves a turn's worth of those that may have something to get; how many may have more at once. */
    int turn(List<TopicState> ready, long nowMs) {
        if (ready.isEmpty() && waiting.size() == 0) {
            return 0;
        }
        leftBytes = turnBytes;
        boolean direct = waiting.size() == 0;
        looked.addAll(ready);
        ready.clear();
        int work = 0;
        for (int i = 0; i < looked.size(); i++) {
            TopicState topic = looked.get(i);
            topic.isReady = false;
            if (!topic.deleted && serve(topic, direct, nowMs)) {
                topic.ready();
                work++;
            }
        }
        looked.clear();
        return work + serveWaiting(nowMs);
    }

    /** Whether something of the topic may have more at once, and does not wait for its turn. */
    private boolean serve(TopicState topic, boolean direct, long nowMs) {
        boolean more = false;
        for (Group group : topic.groups.values()) {
            more |= serve(group, direct, nowMs);
        }
        for (int i = 0; i < topic.readers.size(); i++) {
            more |= serve(topic.readers.get(i), direct, nowMs);
        }
        return more;
    }

    private boolean serve(Outlet outlet, boolean direct, long nowMs) {
        if (direct && leftBytes > 0) {
            return serve(outlet, nowMs);
        }
        await(outlet);
        return false;
    }

    private boolean serve(Outlet outlet, long nowMs) {
        boolean more = delivery.deliver(outlet, nowMs);
        servedBytes = SERVED_BYTES + delivery.takeBytes();
        leftBytes -= servedBytes;
        return more;
    }

    private void await(Outlet outlet) {
        if (!outlet.waits) {
            outlet.waits = true;
            FlowKey key = outlet.flow();
            waiting.add(outlet, MOST_BYTES, key.domain(), key.principal(), outlet.topicId());
        }
    }

    private int serveWaiting(long nowMs) {
        Outlet next;
        while (leftBytes > 0 && (next = waiting.poll()) != null) {
            next.waits = false;
            FlowKey key = next.flow();
            boolean more = !next.isGone() && serve(next, nowMs);
            waiting.giveBack(MOST_BYTES - servedBytes, key.domain(), key.principal(), next.topicId());
            if (more) {
                await(next);
            }
        }
        return waiting.size();
    }
}

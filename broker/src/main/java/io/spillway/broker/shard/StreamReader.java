package io.spillway.broker.shard;

import io.spillway.broker.dispatch.Member;
import io.spillway.broker.filter.Filter;
import io.spillway.broker.flow.FlowKey;
import io.spillway.broker.log.BatchCursor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A reader without a group: its own offset in each partition, no leases, no acks. Confined to the shard thread. */
final class StreamReader extends Outlet implements Subscriber {
    /** Where the reader is in one partition. */
    static final class Place {
        final Partition partition;
        final BatchCursor cursor;
        long nextOffset;

        Place(Partition partition, BatchCursor cursor, long nextOffset) {
            this.partition = partition;
            this.cursor = cursor;
            this.nextOffset = nextOffset;
        }
    }

    final TopicState topic;
    final SubscriberPort port;
    final Member credit;
    final List<Place> places;
    /** Which records the reader wants; null = all. */
    final @Nullable Filter filter;

    int nextPlace;
    /** Its subscription has ended. */
    boolean gone;

    private boolean paused;
    private boolean blocked;

    StreamReader(TopicState topic, SubscriberPort port, Member credit, List<Place> places, @Nullable Filter filter) {
        this.topic = topic;
        this.port = port;
        this.credit = credit;
        this.places = places;
        this.filter = filter;
    }

    @Override
    public TopicState topic() {
        return topic;
    }

    @Override
    FlowKey flow() {
        return port.flow();
    }

    @Override
    boolean isGone() {
        return gone || topic.deleted;
    }

    @Override
    public SubscriberPort port() {
        return port;
    }

    @Override
    public void grant(long maxBatches, long maxBytes, boolean paused) {
        credit.grant(maxBatches, maxBytes);
        this.paused = paused;
        credit.paused(paused || blocked);
    }

    @Override
    public void block() {
        blocked = true;
        credit.paused(true);
    }

    @Override
    public void unblock() {
        blocked = false;
        credit.paused(paused);
    }

    /** The next partition's turn. */
    void advance() {
        nextPlace = (nextPlace + 1) % places.size();
    }
}

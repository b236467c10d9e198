package io.spillway.broker.link;

import io.spillway.broker.catalog.TopicSpec;
import io.spillway.protocol.v1.LinkPosition;
import java.util.ArrayList;
import java.util.List;

/** One topic a link copies, and how far it is. Confined to the link's thread. */
final class CopiedTopic {
    private static final long FIRST_WAIT_MS = 5;
    private static final long MOST_WAIT_MS = 200;
    private static final long AFTER_FAILURE_MS = 2_000;

    /** How far a partition is. */
    static final class Place {
        /** Here. */
        long end;

        long start;
        long sourceEnd = -1;
        long lagMs;
        long unreadable;
    }

    final String name;
    TopicSpec spec;
    final Place[] places;
    String why = "";
    /** Where the next fetch begins, so that no partition always comes first. */
    int turn;

    long nextFetchMs;
    long nextGroupsMs;
    private long waitMs = FIRST_WAIT_MS;
    /** The groups as they were last copied whole. */
    int groupsHash;

    CopiedTopic(TopicSpec spec) {
        name = spec.name();
        this.spec = spec;
        places = new Place[spec.partitions()];
        for (int i = 0; i < places.length; i++) {
            places[i] = new Place();
        }
    }

    /** From where on each partition is wanted. */
    List<LinkPosition> positions() {
        List<LinkPosition> positions = new ArrayList<>(places.length);
        for (int i = 0; i < places.length; i++) {
            int index = (turn + i) % places.length;
            positions.add(LinkPosition.newBuilder()
                    .setPartition(index)
                    .setOffset(places[index].end)
                    .build());
        }
        turn = (turn + 1) % places.length;
        return positions;
    }

    /** A fetch brought something: there may be more. */
    void moved(long nowMs) {
        why = "";
        waitMs = FIRST_WAIT_MS;
        nextFetchMs = nowMs;
    }

    /** A fetch brought nothing: the next one waits, longer each time. */
    void idle(long nowMs) {
        why = "";
        nextFetchMs = nowMs + waitMs;
        waitMs = Math.min(MOST_WAIT_MS, waitMs * 2);
    }

    void failed(String reason, long nowMs) {
        why = reason;
        nextFetchMs = nowMs + AFTER_FAILURE_MS;
    }

    LinkView.Topic view() {
        List<LinkView.Partition> partitions = new ArrayList<>(places.length);
        for (int i = 0; i < places.length; i++) {
            Place place = places[i];
            partitions.add(new LinkView.Partition(i, place.sourceEnd, place.end, place.lagMs, place.unreadable));
        }
        return new LinkView.Topic(name, why, spec.standing().epoch(), partitions);
    }
}

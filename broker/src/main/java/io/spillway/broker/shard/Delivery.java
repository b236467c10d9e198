package io.spillway.broker.shard;

import io.spillway.broker.chaos.Faults;
import io.spillway.broker.dispatch.Member;

/**
 * Gives everybody who has credit a turn: members of groups and stream readers, one frame at a time. Confined to the
 * shard thread.
 */
final class Delivery {
    /** Frames a group or a reader may send in one duty cycle before others get their turn. */
    static final int FRAMES_PER_TURN = 8;

    private final ShardState state;
    private final GroupDelivery any;
    private final OrderedDelivery ordered;
    private final ReaderDelivery readers;
    private long bytes;
    private boolean holdsReplays;
    private Faults faults = Faults.NONE;

    Delivery(ShardState state, Settling settling, ShardCounters counters) {
        this.state = state;
        Dispatch dispatch = new Dispatch(state, settling, counters);
        any = new GroupDelivery(dispatch);
        ordered = new OrderedDelivery(dispatch);
        readers = new ReaderDelivery(counters);
    }

    /** Whether lanes of replays wait from now on; whether that is new. */
    boolean holdsReplays(boolean now) {
        boolean isNew = now != holdsReplays;
        holdsReplays = now;
        return isNew;
    }

    /** What is injected from now on; whether that is new. */
    boolean faults(Faults now) {
        boolean isNew = now != faults;
        faults = now;
        return isNew;
    }

    /** Serves a group or a reader its turn; true when there may be more at once. */
    boolean deliver(Outlet outlet, long nowMs) {
        if (outlet.topic().spec.switches().dispatchPaused() || faults != Faults.NONE && isPausedByFault(outlet)) {
            return false;
        }
        if (outlet instanceof Group group) {
            return !group.paused() && !isHeld(group) && deliver(group, nowMs);
        }
        return outlet instanceof StreamReader reader && deliver(reader, nowMs);
    }

    private boolean isPausedByFault(Outlet outlet) {
        String group = outlet instanceof Group of ? of.name() : "";
        return faults.pausing(outlet.topic().spec.name(), group) != null;
    }

    /** Bytes that were copied since this was last asked. */
    long takeBytes() {
        long taken = bytes;
        bytes = 0;
        return taken;
    }

    /** A group of its own that a replay made. */
    private boolean isHeld(Group group) {
        return holdsReplays && group.isReplay();
    }

    private boolean deliver(Group group, long nowMs) {
        if (!group.lanes.isEmpty()) {
            return deliverBesideLanes(group, nowMs);
        }
        for (int frames = 0; frames < FRAMES_PER_TURN; frames++) {
            if (!deliverFrame(group, nowMs)) {
                return false;
            }
        }
        return true;
    }

    /** Live records and those of each lane in turn, frame by frame, so that none takes all the credit from another. */
    private boolean deliverBesideLanes(Group group, long nowMs) {
        int idle = 0;
        int turns = group.lanes.size() + 1;
        for (int frames = 0; frames < FRAMES_PER_TURN && idle < turns; frames++) {
            int turn = group.nextTurn++ % turns;
            Group next = turn == 0 ? group : group.lanes.get(turn - 1);
            boolean held = next != group && (next.paused() || holdsReplays);
            idle = held || !deliverFrame(next, nowMs) ? idle + 1 : 0;
        }
        group.nextTurn %= turns;
        return idle < turns;
    }

    /** One frame for the next member; false when there was nothing to do for anybody. */
    private boolean deliverFrame(Group group, long nowMs) {
        group.refill(nowMs);
        // With an order of keys that one member has nothing to get says nothing about the others.
        int members = group.isOrdered() ? group.members.size() : 1;
        for (int i = 0; i < members; i++) {
            Member member = group.choose();
            GroupMember to = member == null ? null : group.ports.get(member.id());
            if (to == null) {
                return false;
            }
            if (deliver(group, to, nowMs)) {
                return true;
            }
        }
        if (!group.isOrdered()) {
            // A turn with nothing to give would let one record that fails come to the same member again and again.
            group.members.unchoose();
        }
        return false;
    }

    /** Fills one frame for one member from all partitions in turn; false when there was nothing to do. */
    private boolean deliver(Group group, GroupMember to, long nowMs) {
        if (!to.port.writable()) {
            to.block();
            return true;
        }
        DeliverFrame frame = new DeliverFrame();
        int idlePlaces = 0;
        while (idlePlaces < group.places.length && to.member.canTake() && group.room() > 0 && !frame.isFull()) {
            Group.Place place = group.places[group.nextPlace];
            boolean did = group.isOrdered()
                    ? ordered.deliver(group, place, to, frame, nowMs)
                    : any.deliver(group, place, to, frame, nowMs);
            if (did) {
                idlePlaces = 0;
            } else {
                group.advance();
                idlePlaces++;
            }
        }
        group.advance();
        bytes += frame.copiedBytes();
        boolean isSent = frame.send(to.port);
        state.tracing.sent();
        return isSent || frame.hasLooked();
    }

    /** Gives the scratch memory back. */
    void close() {
        ordered.close();
    }

    private boolean deliver(StreamReader reader, long nowMs) {
        for (int frames = 0; frames < FRAMES_PER_TURN; frames++) {
            if (!reader.credit.canTake()) {
                return false;
            }
            if (!reader.port.writable()) {
                reader.block();
                return false;
            }
            DeliverFrame frame = new DeliverFrame();
            boolean did = readers.deliver(reader, frame, nowMs);
            bytes += frame.copiedBytes();
            if (!did) {
                return false;
            }
        }
        return true;
    }
}

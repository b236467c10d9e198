package io.spillway.broker.replication;

import io.spillway.broker.base.Published;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.protocol.RaftPeerId;
import org.jspecify.annotations.Nullable;

/**
 * Tells the replica who leads, in an order that makes sense.
 *
 * <p>Ratis reports from several threads: that this node leads, from the one that hands entries over; that it does not any
 * more, or that another one does, from whichever noticed. The report of a victory can thus arrive after the one of its
 * end. All go through the control thread here, and a victory in a term known to be over is dropped.
 */
final class Leadership {
    private static final long NONE = -1;

    private final Replica replica;
    private final ScheduledExecutorService control;
    private int quietMs;
    private final Published<Optional<Group>> group = new Published<>(Optional.empty());
    private long leadingTerm = NONE;
    private long overTerm = NONE;
    private @Nullable RaftPeerId unknownLeader;

    /** @param quietMs for so long it does not lead although it was elected, the first time */
    Leadership(Replica replica, ScheduledExecutorService control, int quietMs) {
        this.replica = replica;
        this.control = control;
        this.quietMs = quietMs;
    }

    void open(Group newGroup) {
        group.set(Optional.of(newGroup));
        control.execute(this::retryUnknown);
    }

    /** Elected in this term, and all of earlier terms is handed over. */
    void won(long term) {
        control.execute(() -> {
            if (quietMs == 0) {
                lead(term);
            } else {
                control.schedule(() -> lead(term), quietMs, TimeUnit.MILLISECONDS);
                quietMs = 0;
            }
        });
    }

    private void lead(long term) {
        if (term > overTerm && term > leadingTerm) {
            leadingTerm = term;
            unknownLeader = null;
            replica.leading(term);
        }
    }

    /** Not leading any more; the term is that of the end or a later one of another's. */
    void lost(long term) {
        control.execute(() -> {
            overTerm = Math.max(overTerm, term);
            leadingTerm = NONE;
            replica.following(term, null);
        });
    }

    /** Another node leads in this term. */
    void led(long term, RaftPeerId leader) {
        control.execute(() -> follow(term, leader));
    }

    private void follow(long term, RaftPeerId leader) {
        overTerm = Math.max(overTerm, term);
        leadingTerm = NONE;
        Peer peer = find(leader);
        unknownLeader = peer == null ? leader : null;
        replica.following(term, peer);
    }

    private @Nullable Peer find(RaftPeerId id) {
        Optional<Group> now = group.get();
        return now.isPresent() ? now.get().find(id) : null;
    }

    /** The configuration changed: who was unknown may be in it now. */
    void configured() {
        control.execute(this::retryUnknown);
    }

    private void retryUnknown() {
        RaftPeerId leader = unknownLeader;
        if (leader != null && find(leader) != null) {
            follow(overTerm, leader);
        }
    }
}

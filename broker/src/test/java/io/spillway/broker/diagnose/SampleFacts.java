package io.spillway.broker.diagnose;

import io.spillway.broker.chaos.Fault;
import io.spillway.broker.diagnose.GroupFacts.Order;
import io.spillway.broker.diagnose.GroupFacts.Pause;
import io.spillway.broker.diagnose.GroupFacts.Seen;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Facts of a group with three records that wait and one consumer that can take them, to be changed. */
final class SampleFacts {
    static final long NOW_MS = 1_000_000;

    Order order = Order.SHARED;

    @Nullable
    Pause pause;

    @Nullable
    Pause dispatchPause;

    @Nullable
    Fault fault;

    boolean isReplayHeld;
    String deadLettersHeld = "";
    boolean isHandingOver;
    int room = 100;
    int maxInFlight;
    boolean isRated;
    List<MemberFacts> members = new ArrayList<>(List.of(member("worker1")));
    Seen seen = Seen.NOTHING;
    long backlog = 3;
    long inFlight;
    long waitingRetry;
    long scheduled;
    long keyBlocked;
    boolean isReady = true;
    long unsettled;
    long hidden;
    boolean isHalted;

    static MemberFacts member(String name) {
        return member(name, false, false, false, 10, 0);
    }

    static MemberFacts member(
            String name, boolean isOut, boolean isPaused, boolean isBlocked, long credit, int unacked) {
        return new MemberFacts(
                1,
                name,
                isOut ? "CRITICAL" : "READY",
                isOut ? "MEMORY" : "",
                isOut,
                true,
                isPaused,
                isBlocked,
                credit,
                credit,
                unacked,
                10,
                true,
                0);
    }

    GroupFacts facts() {
        PlaceFacts place = new PlaceFacts(
                0,
                backlog,
                inFlight,
                waitingRetry,
                scheduled,
                keyBlocked,
                NOW_MS + 500,
                isReady,
                unsettled,
                1_000,
                hidden,
                isHalted,
                null);
        return new GroupFacts(
                "orders",
                "billing",
                "",
                order,
                pause,
                dispatchPause,
                fault,
                isReplayHeld,
                deadLettersHeld,
                isHandingOver,
                room,
                maxInFlight,
                isRated,
                members,
                List.of(place),
                seen,
                NOW_MS);
    }

    Cause cause() {
        return GroupDecision.cause(facts());
    }

    Diagnosis diagnosis() {
        return GroupDecision.of(facts());
    }
}

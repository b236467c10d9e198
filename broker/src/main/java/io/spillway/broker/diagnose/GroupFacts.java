package io.spillway.broker.diagnose;

import io.spillway.broker.chaos.Fault;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All that decides why a group does or does not get its records, at one moment.
 *
 * @param replay the replay that made it; empty for any other group
 * @param pause that of the group itself, or null
 * @param dispatchPause that of the topic, or null
 * @param fault which pauses it for a rehearsal, or null
 * @param isReplayHeld it belongs to a replay, and these have to wait
 * @param deadLettersHeld why its dead letters wait; empty when they do not
 * @param isHandingOver an EXCLUSIVE group waits for the end of what a relieved member holds
 * @param room how many more records all its members together may hold
 * @param maxInFlight how many they may hold at all; 0 = any number
 * @param isRated it has a rate, and that is used up
 * @param seen what was seen of it before
 * @param nowMs when this was so
 */
public record GroupFacts(
        String topic,
        String group,
        String replay,
        Order order,
        @Nullable Pause pause,
        @Nullable Pause dispatchPause,
        @Nullable Fault fault,
        boolean isReplayHeld,
        String deadLettersHeld,
        boolean isHandingOver,
        int room,
        int maxInFlight,
        boolean isRated,
        List<MemberFacts> members,
        List<PlaceFacts> places,
        Seen seen,
        long nowMs) {
    /** What a pause of a group begins with when its breaker caused it. */
    public static final String BREAKER = "DLQ_BREAKER";

    /** Who gets what. */
    public enum Order {
        SHARED,
        KEY_ORDERED,
        EXCLUSIVE
    }

    /**
     * What was seen at the last look, once a second.
     *
     * @param sinceMs since when the cause has been that one
     * @param stillMs for how long records and consumers have been ready and nothing was delivered
     */
    public record Seen(Cause cause, long sinceMs, long stillMs) {
        public static final Seen NOTHING = new Seen(Cause.CAUGHT_UP, 0, 0);
    }

    /** An operator, or a breaker, stopped something. */
    public record Pause(String reason, long sinceMs) {}

    public GroupFacts {
        members = List.copyOf(members);
        places = List.copyOf(places);
    }

    public Subject subject() {
        return Subject.group(topic, replay.isEmpty() ? group : group + " (replay " + replay + ")");
    }

    /** Records that are visible and not settled. */
    public long backlog() {
        return places.stream().mapToLong(PlaceFacts::backlog).sum();
    }

    /** Of these, what consumers hold, or have just settled. */
    long inFlight() {
        return places.stream().mapToLong(PlaceFacts::inFlight).sum();
    }
}

package io.spillway.broker.diagnose;

import io.spillway.broker.diagnose.GroupFacts.Order;
import io.spillway.broker.diagnose.PlaceFacts.Blocker;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Why a group does, or does not, get its records. What stops everything comes first, then that there is nothing to deliver,
 * then that nothing may be delivered now, and last that nobody takes what there is.
 */
public final class GroupDecision {
    /** Records and consumers are ready for longer than this: the broker is at fault. */
    public static final long STALLED_MS = 10_000;

    private static final List<Cause> TAKERS = List.of(
            Cause.NO_CREDIT, Cause.MEMBERS_FULL, Cause.MEMBERS_PAUSED, Cause.CONNECTION_FULL, Cause.ALL_UNHEALTHY);
    private static final int MAX_NAMED = 5;

    private GroupDecision() {}

    /** The cause alone, without words; costs little. */
    public static Cause cause(GroupFacts facts) {
        Optional<Cause> stopped = stopped(facts);
        if (stopped.isPresent()) {
            return stopped.get();
        }
        long backlog = facts.backlog();
        if (backlog == 0) {
            return any(facts, place -> place.hidden() > 0) ? Cause.NOT_DURABLE : Cause.CAUGHT_UP;
        }
        if (any(facts, PlaceFacts::isHalted)) {
            return Cause.UNREADABLE;
        }
        if (facts.members().isEmpty()) {
            return Cause.NO_MEMBERS;
        }
        return any(facts, PlaceFacts::isReady) ? notTaken(facts) : notReady(facts, backlog);
    }

    private static Optional<Cause> stopped(GroupFacts facts) {
        if (facts.dispatchPause() != null) {
            return Optional.of(Cause.DISPATCH_PAUSED);
        }
        if (facts.fault() != null) {
            return Optional.of(Cause.CHAOS);
        }
        if (facts.pause() != null) {
            boolean isBreaker = facts.pause().reason().startsWith(GroupFacts.BREAKER);
            return Optional.of(isBreaker ? Cause.DLQ_BREAKER : Cause.GROUP_PAUSED);
        }
        return facts.isReplayHeld() && facts.backlog() > 0 ? Optional.of(Cause.REPLAY_HOLD) : Optional.empty();
    }

    private interface Test {
        boolean isSo(PlaceFacts place);
    }

    private static boolean any(GroupFacts facts, Test test) {
        for (PlaceFacts place : facts.places()) {
            if (test.isSo(place)) {
                return true;
            }
        }
        return false;
    }

    private static Cause notReady(GroupFacts facts, long backlog) {
        if (!facts.deadLettersHeld().isEmpty()) {
            return Cause.DLQ_HELD;
        }
        boolean holds = any(facts, place -> place.inFlight() > 0);
        boolean retries = any(facts, place -> place.waitingRetry() > 0);
        if (any(facts, place -> place.keyBlocked() > 0) && (holds || retries)) {
            return holds ? Cause.KEY_BLOCKED : Cause.IN_BACKOFF;
        }
        if (any(facts, place -> place.unsettled() >= place.window() && place.backlog() > place.unsettled())) {
            return Cause.WINDOW_FULL;
        }
        if (retries) {
            return Cause.IN_BACKOFF;
        }
        if (any(facts, place -> place.scheduled() > 0)) {
            return Cause.SCHEDULED;
        }
        return facts.inFlight() >= backlog || holds ? Cause.IN_FLIGHT : Cause.DELIVERING;
    }

    private static Cause notTaken(GroupFacts facts) {
        if (facts.isHandingOver()) {
            return Cause.HANDING_OVER;
        }
        List<MemberFacts> takers = takers(facts);
        boolean isFree = takers.stream().anyMatch(member -> member.stop() == Cause.DELIVERING);
        if (facts.room() <= 0 && (isFree || facts.maxInFlight() > 0)) {
            return facts.isRated() ? Cause.RATE_USED_UP : Cause.GROUP_FULL;
        }
        if (isFree) {
            return facts.seen().stillMs() >= STALLED_MS ? Cause.STALLED : Cause.DELIVERING;
        }
        Map<Cause, Integer> stops = new EnumMap<>(Cause.class);
        takers.forEach(member -> stops.merge(member.stop(), 1, Integer::sum));
        // Unhealthy are all only when nobody has another reason; of the others the most frequent counts.
        return TAKERS.stream()
                .filter(stops::containsKey)
                .max(Comparator.comparingInt(
                        (Cause each) -> each == Cause.ALL_UNHEALTHY ? 0 : Objects.requireNonNull(stops.get(each))))
                .orElse(Cause.STALLED);
    }

    /** Those that what is ready may go to. */
    private static List<MemberFacts> takers(GroupFacts facts) {
        List<MemberFacts> takers =
                facts.members().stream().filter(MemberFacts::hasWork).toList();
        return takers.isEmpty() ? facts.members() : takers;
    }

    public static Diagnosis of(GroupFacts facts) {
        Cause cause = cause(facts);
        long since = cause == facts.seen().cause() ? facts.seen().sinceMs() : facts.nowMs();
        if ((cause == Cause.GROUP_PAUSED || cause == Cause.DLQ_BREAKER) && facts.pause() != null) {
            since = facts.pause().sinceMs();
        } else if (cause == Cause.DISPATCH_PAUSED && facts.dispatchPause() != null) {
            since = facts.dispatchPause().sinceMs();
        } else if (cause == Cause.CHAOS && facts.fault() != null) {
            since = facts.fault().startedMs();
        }
        return new Diagnosis(facts.subject(), cause, why(cause, facts), since, next(cause, facts));
    }

    private static String why(Cause cause, GroupFacts facts) {
        long backlog = facts.backlog();
        String waiting = waiting(backlog);
        return switch (cause) {
            case CAUGHT_UP -> "0 records wait; " + facts.members().size() + " consumers";
            case IN_FLIGHT -> facts.inFlight() + " of " + backlog + " records are with consumers";
            case DELIVERING -> waiting + ", and consumers take them";
            case STALLED ->
                waiting + ", consumers can take them, and for " + facts.seen().stillMs() / 1_000
                        + " s none was delivered (limit " + STALLED_MS / 1_000 + " s)";
            case SCHEDULED ->
                sum(facts, PlaceFacts::scheduled) + " records wait for their time; the next " + due(facts);
            case IN_BACKOFF ->
                sum(facts, PlaceFacts::waitingRetry) + " records have failed before; the next attempt " + due(facts)
                        + behind(facts);
            case NO_MEMBERS -> waiting + ", and 0 consumers are there";
            case GROUP_PAUSED, DLQ_BREAKER ->
                facts.pause() == null ? "" : facts.pause().reason();
            case DISPATCH_PAUSED ->
                facts.dispatchPause() == null ? "" : facts.dispatchPause().reason();
            case CHAOS -> facts.fault() == null ? "" : facts.fault().text();
            case REPLAY_HOLD -> waiting + " for replay " + facts.replay();
            case DLQ_HELD -> facts.deadLettersHeld();
            case NOT_DURABLE -> sum(facts, PlaceFacts::hidden) + " records are written and not durable yet";
            case UNREADABLE ->
                "partition " + first(facts, PlaceFacts::isHalted) + " cannot be read further; the log names the place";
            case HANDING_OVER -> facts.inFlight() + " records are still with the consumer before";
            case WINDOW_FULL -> window(facts);
            case KEY_BLOCKED -> blocked(facts);
            case GROUP_FULL ->
                waiting + ", and " + held(facts) + " are with consumers of " + facts.maxInFlight()
                        + " that max.inflight allows";
            case RATE_USED_UP -> waiting + " for the rate of replay " + facts.replay();
            default -> waiting + "; " + members(facts);
        };
    }

    private static String waiting(long backlog) {
        return backlog == 1 ? "1 record waits" : backlog + " records wait";
    }

    private interface Figure {
        long of(PlaceFacts place);
    }

    private static long sum(GroupFacts facts, Figure figure) {
        return facts.places().stream().mapToLong(figure::of).sum();
    }

    private static long held(GroupFacts facts) {
        return facts.members().stream().mapToLong(MemberFacts::unacked).sum();
    }

    private static int first(GroupFacts facts, Test test) {
        return facts.places().stream()
                .filter(test::isSo)
                .mapToInt(PlaceFacts::partition)
                .findFirst()
                .orElse(0);
    }

    private static String due(GroupFacts facts) {
        long nextMs =
                facts.places().stream().mapToLong(PlaceFacts::nextMs).min().orElse(Long.MAX_VALUE);
        return nextMs == Long.MAX_VALUE ? "is not known" : "in " + Math.max(0, nextMs - facts.nowMs()) + " ms";
    }

    private static String behind(GroupFacts facts) {
        long blocked = sum(facts, PlaceFacts::keyBlocked);
        return blocked == 0 ? "" : "; " + blocked + " more wait behind them for their keys";
    }

    private static String window(GroupFacts facts) {
        return facts.places().stream()
                .filter(place -> place.unsettled() >= place.window())
                .findFirst()
                .map(place -> place.unsettled() + " records of partition " + place.partition() + " are unsettled of "
                        + place.window() + " that may be")
                .orElse("");
    }

    /** By whom, since when; the longest first. */
    private static String blocked(GroupFacts facts) {
        long waiting = sum(facts, PlaceFacts::keyBlocked);
        return facts.places().stream()
                .filter(place -> place.blocker() != null)
                .min(Comparator.comparingLong(
                        place -> Objects.requireNonNull(place.blocker()).sinceMs()))
                .map(place -> blocked(place, waiting, facts.nowMs()))
                .orElse(waiting + " records wait for records of their keys that are with consumers");
    }

    private static String blocked(PlaceFacts place, long waiting, long nowMs) {
        Blocker by = Objects.requireNonNull(place.blocker());
        return waiting + " records wait; record " + by.offset() + " of partition " + place.partition() + " is with "
                + by.member() + " for " + Math.max(0, nowMs - by.sinceMs()) + " ms, attempt " + by.attempt()
                + ", and its lease ends in " + Math.max(0, by.deadlineMs() - nowMs) + " ms";
    }

    private static String members(GroupFacts facts) {
        List<MemberFacts> takers = takers(facts);
        String named = takers.stream()
                .limit(MAX_NAMED)
                .map(member -> member.measured(member.stop()))
                .collect(Collectors.joining("; "));
        return takers.size() <= MAX_NAMED ? named : named + "; and " + (takers.size() - MAX_NAMED) + " more";
    }

    private static String next(Cause cause, GroupFacts facts) {
        String place = facts.topic() + " " + facts.group();
        String look = "spillway group describe " + place;
        return switch (cause) {
            case WELL, ACCEPTING, DELIVERING, CAUGHT_UP, IN_FLIGHT, SCHEDULED, STANDS_BY -> "";
            case NO_MEMBERS ->
                "start a consumer of the group, or, when nobody needs it any more: spillway group delete " + place;
            case GROUP_PAUSED -> "when the reason is over: spillway group resume " + place;
            case DLQ_BREAKER ->
                "find out why they fail: spillway dlq list " + facts.topic() + "; then spillway group resume " + place;
            case DISPATCH_PAUSED -> "when the reason is over: spillway topic resume " + facts.topic() + " --dispatch";
            case REPLAY_HOLD -> "see what presses: spillway diagnose node; the replay goes on by itself";
            case CHAOS -> facts.fault() == null ? "" : NodeDecision.ending(facts.fault());
            case KEY_BLOCKED ->
                "look at that consumer: spillway diagnose member " + blocker(facts)
                        + "; when it is stuck, end its process: its records go to another";
            case GROUP_FULL, WINDOW_FULL -> "add consumers, or let more be in flight; " + look;
            case IN_BACKOFF -> "see why they fail in the logs of the consumers; " + look;
            case DLQ_HELD -> "spillway diagnose topic " + facts.topic() + ".dlq";
            case NOT_DURABLE -> "spillway diagnose node, and look at the disk";
            case UNREADABLE -> "spillway log verify, and the log of the broker";
            case STALLED -> "restart the broker, and report it with its log; " + look;
            case ALL_UNHEALTHY -> "see why, and add consumers or memory; " + look;
            default -> look;
        };
    }

    private static String blocker(GroupFacts facts) {
        return facts.places().stream()
                .map(PlaceFacts::blocker)
                .filter(Objects::nonNull)
                .min(Comparator.comparingLong(Blocker::sinceMs))
                .map(Blocker::member)
                .orElse("NAME");
    }

    /** Why one consumer gets nothing, or does. */
    public static Diagnosis of(GroupFacts facts, MemberFacts member) {
        Subject about = new Subject(Subject.Kind.MEMBER, facts.topic(), member.shown() + " of group " + facts.group());
        Cause groups = cause(facts);
        Cause own = member.stop();
        boolean isOwn = own != Cause.DELIVERING && !stopped(facts).isPresent();
        if (isOwn && (member.isOut() || facts.backlog() > 0)) {
            long since = member.isOut() ? member.stateSinceMs() : 0;
            return new Diagnosis(
                    about,
                    own,
                    member.measured(own),
                    since,
                    "spillway group describe " + facts.topic() + " " + facts.group());
        }
        if (!member.isActive()) {
            String who = facts.order() == Order.EXCLUSIVE ? "another consumer has the turn" : "others have the keys";
            return Diagnosis.well(about, Cause.STANDS_BY, who + "; it holds " + member.unacked() + " records");
        }
        Diagnosis whole = of(facts);
        return new Diagnosis(
                about,
                groups,
                "it holds " + member.unacked() + " records; the group: " + whole.why(),
                whole.sinceMs(),
                whole.next());
    }
}

package io.spillway.broker.subscription;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.subscription.SubscriptionState.Outcome;
import java.util.StringJoiner;

/**
 * Plays a story of one group on one partition, a line a step: {@code command -> what came of it}. What came of it is
 * compared as a whole, so that a failure shows the story that did happen.
 *
 * <pre>
 *  at MS                              the time from here on
 *  deliver MEMBER COUNT until MS      leases the next records, COUNT at most
 *  accept|term|release FENCE A..B     settles; accept and term are applied at once
 *  nack FENCE A..B due MS             settles, and the failure is applied at once
 *  pend FENCE A..B                    accepts, and the durable record stays away
 *  settled A..B | failed A..B N due MS   a durable record is applied
 *  extend FENCE until MS              moves a deadline
 *  expire due MS                      ends leases, failures are applied
 *  gone MEMBER | seek OFFSET | trim OFFSET
 *  state                              cursor, counts and timer
 * </pre>
 *
 * Ranges are half open.
 */
final class Transcript {
    private final SubscriptionState state;
    private final long logEnd;
    private final Pick pick = new Pick();
    private long fence;
    private long nowMs;

    Transcript(int windowLimit, long logEnd) {
        this.state = new SubscriptionState(0, windowLimit, () -> ++fence);
        this.logEnd = logEnd;
    }

    void plays(String story) {
        var played = new StringJoiner("\n", "", "\n");
        for (var line : story.strip().split("\n", -1)) {
            var command = line.replaceFirst(" *->.*", "").strip();
            var result = command.isEmpty() ? "" : play(command.split(" +"));
            played.add(result.isEmpty() ? command : String.format("%-30s -> %s", command, result));
        }
        assertThat(played.toString()).isEqualTo(story);
    }

    private String play(String[] words) {
        switch (words[0]) {
            case "at" -> nowMs = number(words[1]);
            case "settled" -> state.applySettled(from(words[1]), to(words[1]));
            case "failed" -> state.applyFailed(from(words[1]), to(words[1]), (int) number(words[2]), number(words[4]));
            case "gone" -> state.releaseMember(member(words[1]));
            case "seek" -> state.applySeek(number(words[1]));
            case "trim" -> state.skipTo(number(words[1]));
            default -> {
                return answer(words);
            }
        }
        return "";
    }

    private String answer(String[] words) {
        return switch (words[0]) {
            case "deliver" -> deliver(member(words[1]), number(words[2]), number(words[4]));
            case "accept", "term" -> settle(words, Outcome.valueOf(words[0].toUpperCase(java.util.Locale.ROOT)));
            case "release" -> said(state.settle(number(words[1]), from(words[2]), to(words[2]), Outcome.RELEASE));
            case "pend" -> said(state.settle(number(words[1]), from(words[2]), to(words[2]), Outcome.ACCEPT));
            case "nack" -> nack(words);
            case "extend" -> said(state.extend(number(words[1]), number(words[3])));
            case "expire" -> expire(number(words[2]));
            case "state" ->
                "cursor " + state.cursor() + ", settled above " + state.settledAbove() + ", in flight "
                        + state.inFlight() + ", retry " + state.waitingRetry() + ", timer "
                        + (state.nextTimerMs() == Long.MAX_VALUE ? "none" : state.nextTimerMs());
            default -> throw new IllegalArgumentException("no such command: " + words[0]);
        };
    }

    private String deliver(long member, long count, long deadlineMs) {
        if (!state.next(logEnd, nowMs, pick)) {
            return "nothing";
        }
        long to = Math.min(pick.to, pick.from + count);
        var lease = state.lease(pick.from, to, pick.attempt, pick.failures, member, deadlineMs);
        return "lease " + lease.fence() + ": " + lease.from() + ".." + lease.to() + " attempt " + lease.attempt()
                + " failures " + lease.failures();
    }

    private String settle(String[] words, Outcome outcome) {
        boolean held = state.settle(number(words[1]), from(words[2]), to(words[2]), outcome);
        if (held) {
            state.applySettled(from(words[2]), to(words[2]));
        }
        return said(held);
    }

    private String nack(String[] words) {
        var lease = state.find(number(words[1]));
        boolean held = state.settle(number(words[1]), from(words[2]), to(words[2]), Outcome.NACK);
        if (held && lease != null) {
            state.applyFailed(from(words[2]), to(words[2]), lease.failures() + 1, number(words[4]));
        }
        return said(held);
    }

    private String expire(long dueMs) {
        var ended = new StringJoiner(", ");
        state.expire(nowMs, (from, to, lease) -> {
            ended.add("lease " + lease.fence() + " of m" + lease.memberId() + " lost " + from + ".." + to);
            state.applyFailed(from, to, lease.failures() + 1, dueMs);
        });
        return ended.length() == 0 ? "nothing" : ended.toString();
    }

    private static String said(boolean held) {
        return held ? "ok" : "LEASE_LOST";
    }

    private static long number(String word) {
        return Long.parseLong(word);
    }

    private static long member(String word) {
        return Long.parseLong(word.substring(1));
    }

    private static long from(String range) {
        return Long.parseLong(range.substring(0, range.indexOf("..")));
    }

    private static long to(String range) {
        return Long.parseLong(range.substring(range.indexOf("..") + 2));
    }
}

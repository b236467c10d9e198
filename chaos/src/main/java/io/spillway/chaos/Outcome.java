package io.spillway.chaos;

import io.spillway.chaos.check.Violation;
import io.spillway.chaos.history.Event;
import io.spillway.chaos.nemesis.Nemesis;
import java.util.List;
import java.util.Locale;

/**
 * What came of a round.
 *
 * @param acked records
 * @param refused records with a known outcome
 * @param unknown records that may be stored or not; those with a key were given again
 */
public record Outcome(
        int number,
        long seed,
        long seconds,
        List<Nemesis.Step> steps,
        long acked,
        long refused,
        long unknown,
        long delivered,
        List<Violation> violations) {

    static Outcome of(
            int number,
            long seed,
            long seconds,
            List<Nemesis.Step> steps,
            List<Event> events,
            List<Violation> violations) {
        long acked = events.stream().filter(Event.Acked.class::isInstance).count();
        long delivered =
                events.stream().filter(Event.Delivered.class::isInstance).count();
        List<Event.Failed> failed = events.stream()
                .filter(Event.Failed.class::isInstance)
                .map(Event.Failed.class::cast)
                .toList();
        long unknown = failed.stream().filter(one -> one.failure().isUnknown()).count();
        return new Outcome(
                number, seed, seconds, steps, acked, failed.size() - unknown, unknown, delivered, violations);
    }

    public boolean isGood() {
        return violations.isEmpty();
    }

    /** One line. */
    String line(int rounds) {
        StringBuilder faults = new StringBuilder();
        for (Nemesis.Step step : steps) {
            faults.append(faults.isEmpty() ? "" : ", ")
                    .append(String.join("+", step.kinds()))
                    .append(
                            step.recoveryMs() < 0
                                    ? " NEVER"
                                    : String.format(Locale.ROOT, " %.1f s", step.recoveryMs() / 1e3));
        }
        return String.format(
                Locale.ROOT,
                "round %d/%d seed %d %s %d s | %s | records %d acked, %d refused, %d unknown, %d delivered",
                number,
                rounds,
                seed,
                isGood() ? "ok" : "FAILED",
                seconds,
                faults,
                acked,
                refused,
                unknown,
                delivered);
    }
}

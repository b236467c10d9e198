package io.spillway.chaos;

import io.spillway.chaos.nemesis.Nemesis;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.stream.LongStream;

/** All rounds in a few lines. */
final class Report {
    private Report() {}

    static String of(List<Outcome> outcomes) {
        TreeMap<String, Integer> kinds = new TreeMap<>();
        List<Nemesis.Step> steps =
                outcomes.stream().flatMap(outcome -> outcome.steps().stream()).toList();
        steps.forEach(step -> step.kinds().forEach(kind -> kinds.merge(kind, 1, Integer::sum)));
        long failed = outcomes.stream().filter(outcome -> !outcome.isGood()).count();
        StringBuilder text = new StringBuilder();
        text.append("rounds     ")
                .append(outcomes.size())
                .append(", failed ")
                .append(failed)
                .append('\n');
        text.append("records    ")
                .append(sum(outcomes.stream().mapToLong(Outcome::acked)))
                .append(" acked, ")
                .append(sum(outcomes.stream().mapToLong(Outcome::refused)))
                .append(" refused, ")
                .append(sum(outcomes.stream().mapToLong(Outcome::unknown)))
                .append(" unknown, ")
                .append(sum(outcomes.stream().mapToLong(Outcome::delivered)))
                .append(" deliveries\n");
        text.append("faults     ")
                .append(steps.size())
                .append(" steps: ")
                .append(kinds)
                .append('\n');
        text.append("all up     ").append(distribution(steps.stream().mapToLong(Nemesis.Step::upMs)));
        text.append("goes on    ").append(distribution(steps.stream().mapToLong(Nemesis.Step::recoveryMs)));
        text.append("all whole  ").append(distribution(steps.stream().mapToLong(Nemesis.Step::wholeMs)));
        return text.toString();
    }

    private static long sum(LongStream numbers) {
        return numbers.sum();
    }

    private static String distribution(LongStream ms) {
        long[] sorted = ms.filter(one -> one >= 0).sorted().toArray();
        if (sorted.length == 0) {
            return "never\n";
        }
        return String.format(
                Locale.ROOT,
                "after the end of a fault: p50 %.1f s, p90 %.1f s, p99 %.1f s, max %.1f s%n",
                at(sorted, 50),
                at(sorted, 90),
                at(sorted, 99),
                at(sorted, 100));
    }

    private static double at(long[] sorted, int percent) {
        return sorted[Math.min(sorted.length - 1, sorted.length * percent / 100)] / 1e3;
    }
}

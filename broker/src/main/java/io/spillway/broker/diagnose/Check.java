package io.spillway.broker.diagnose;

import java.util.ArrayList;
import java.util.List;

/**
 * One area of a broker's work, graded.
 *
 * @param found what is with it, the worst first; empty when all is well
 */
public record Check(Area area, Severity severity, List<Diagnosis> found) {
    public Check {
        found = List.copyOf(found);
    }

    /** What keeps a group from delivering for a shorter time is the ordinary course of things. */
    private static final long GRACE_MS = 5_000;

    /** Each area once, in a fixed order. */
    public static List<Check> of(List<Diagnosis> all, long nowMs) {
        List<Check> checks = new ArrayList<>();
        for (Area area : Area.values()) {
            if (area != Area.WELL) {
                checks.add(of(area, all, nowMs));
            }
        }
        return checks;
    }

    private static Check of(Area area, List<Diagnosis> all, long nowMs) {
        List<Diagnosis> found = new ArrayList<>();
        Severity worst = Severity.OK;
        for (Diagnosis each : all) {
            boolean isShort = area == Area.DELIVERY && nowMs - each.sinceMs() < GRACE_MS;
            if (each.cause().area() == area && each.cause().isWrong() && !isShort) {
                found.add(each);
                worst = worst.worse(each.cause().severity());
            }
        }
        found.sort((one, other) ->
                Severity.worstFirst(one.cause().severity(), other.cause().severity()));
        return new Check(area, worst, found);
    }

    public static Severity worstOf(List<Check> checks) {
        return checks.stream().map(Check::severity).reduce(Severity.OK, Severity::worse);
    }

    /** The worst of all. */
    public static Severity worst(List<Diagnosis> all) {
        return all.stream().map(each -> each.cause().severity()).reduce(Severity.OK, Severity::worse);
    }
}

package io.spillway.broker.diagnose;

import io.spillway.broker.chaos.Fault;
import io.spillway.broker.diagnose.NodeFacts.Trouble;
import io.spillway.broker.diagnose.Surroundings.Pressure;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What is with a node, and what of that its topics and groups have to do with. */
public final class NodeDecision {
    private static final Set<Cause> STOP_ALL = EnumSet.of(
            Cause.SHARD_FAILED,
            Cause.SHARD_SILENT,
            Cause.STORAGE_FAILED,
            Cause.RESERVE,
            Cause.DRAINING,
            Cause.NO_LEADER,
            Cause.NO_QUORUM,
            Cause.RETURNING,
            Cause.LEFT_CLUSTER);

    private NodeDecision() {}

    /** All that is wrong with it, the worst first; WELL alone when nothing is. */
    public static List<Diagnosis> of(NodeFacts facts) {
        Subject about = Subject.node(facts.node());
        List<Diagnosis> all = new ArrayList<>();
        facts.troubles().forEach(trouble -> all.add(of(about, trouble)));
        for (Pressure each : facts.pressures()) {
            if (each.level() >= Pressure.SLOWS && each.level() < Pressure.READ_ONLY) {
                all.add(new Diagnosis(about, Cause.OVERLOADED, each.text(), 0, relief(each)));
            }
        }
        facts.debts().forEach(debt -> all.add(TopicDecision.owing(about, debt)));
        if (facts.shedClassMin() < Surroundings.NO_CLASS) {
            all.add(TopicDecision.shedding(about, facts.shedClassMin()));
        }
        if (!facts.quarantine().isEmpty()) {
            all.add(new Diagnosis(
                    about,
                    Cause.QUARANTINE,
                    String.join(", ", facts.quarantine()),
                    0,
                    "look for the cause in the log and at the disk, then delete them"));
        }
        if (facts.expiredToggles() > 0) {
            all.add(new Diagnosis(
                    about,
                    Cause.TOGGLE_EXPIRED,
                    facts.expiredToggles() + " toggles are past their time",
                    0,
                    "spillway toggle list, then spillway toggle set NAME default --reason WHY"));
        }
        facts.faults().forEach(fault -> all.add(chaos(about, fault)));
        if (!facts.canary().isEmpty()) {
            all.add(
                    new Diagnosis(
                            about,
                            Cause.CANARY_STALE,
                            facts.canary(),
                            0,
                            "see what else is wrong here: spillway diagnose; then try it from outside: spillway canary --once"));
        }
        if (all.isEmpty()) {
            String part = facts.leader().isEmpty()
                    ? "it serves clients"
                    : "it follows " + facts.leader() + ", which serves clients at " + facts.leaderPlace();
            all.add(Diagnosis.well(about, Cause.WELL, part));
        }
        return all;
    }

    /** A fault, said of something it hits. */
    static Diagnosis chaos(Subject about, Fault fault) {
        return new Diagnosis(about, Cause.CHAOS, fault.text(), fault.startedMs(), ending(fault));
    }

    static String ending(Fault fault) {
        return "it ends by itself; to end it now: spillway chaos stop " + fault.id();
    }

    private static Diagnosis of(Subject about, Trouble trouble) {
        return new Diagnosis(about, trouble.cause(), trouble.component() + ": " + trouble.why(), 0, trouble.next());
    }

    private static String relief(Pressure pressure) {
        return switch (pressure.signal()) {
            case "DISK_SPACE" -> "free disk space, or shorten retention: spillway topic alter";
            case "DISK_LATENCY" -> "see who else uses the disk; publish less: spillway quota set";
            case "REPLICATION" -> "spillway diagnose cluster";
            default ->
                pressure.scope().startsWith("domain:")
                        ? "give the domain that surges a quota: spillway quota set domain "
                                + pressure.scope().substring("domain:".length())
                        : "publish less: spillway quota set";
        };
    }

    /** What of it the topics and groups on it have to do with. */
    public static Surroundings surroundings(NodeFacts facts) {
        Subject about = Subject.node(facts.node());
        @Nullable Diagnosis all = null;
        @Nullable Diagnosis publish = null;
        for (Trouble trouble : facts.troubles()) {
            if (all == null && STOP_ALL.contains(trouble.cause())) {
                all = of(about, trouble);
            }
            if (publish == null && trouble.cause() == Cause.READ_ONLY) {
                publish = of(about, trouble);
            }
        }
        if (all == null && !facts.leader().isEmpty()) {
            all = new Diagnosis(
                    about,
                    Cause.NOT_LEADER,
                    "node " + facts.leader() + " leads, and this is " + facts.node(),
                    0,
                    "ask that node, with --http; its clients' address is " + facts.leaderPlace());
        }
        return new Surroundings(
                all,
                all == null ? publish : all,
                facts.pressures(),
                facts.debts(),
                facts.shedClassMin(),
                facts.faults());
    }
}

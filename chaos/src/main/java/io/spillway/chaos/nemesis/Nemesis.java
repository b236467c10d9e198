package io.spillway.chaos.nemesis;

import io.spillway.chaos.clients.Progress;
import io.spillway.chaos.cluster.Cluster;
import io.spillway.chaos.cluster.Node;
import io.spillway.chaos.history.Event;
import io.spillway.chaos.history.History;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * Lets faults happen one after the other, singly and two or three at once, and measures after each how long it takes until
 * every client writes again and every group reads again.
 */
public final class Nemesis {
    /** Within so long after the end of a fault, and after all processes are up again, everything must go on. */
    public static final int RECOVERY_BOUND_MS = 30_000;
    /** Within so long after the end of a fault all three nodes must vote again and lack nothing. */
    public static final int WHOLE_BOUND_MS = 60_000;

    /** A node that is not up by then does not start. */
    public static final int UP_BOUND_MS = 120_000;

    private static final int MIN_HOLD_MS = 3_000;
    private static final int MAX_HOLD_MS = 10_000;
    private static final int MAX_CALM_MS = 2_000;
    private static final int MANY_PERCENT = 45;
    private static final int THREE_PERCENT = 10;

    /**
     * What may happen.
     *
     * @param withDisks whether each node has a file system of its own
     * @param kinds of faults; empty = all
     * @param atOnce how many; 0 = by chance
     */
    public record Plan(boolean withDisks, List<String> kinds, int atOnce) {}

    /**
     * What came of a step, counted from its end; -1 = not within the bound.
     *
     * @param upMs until the processes that were started said that they are up, which the machine has a share in
     * @param recoveryMs until everything went on
     * @param wholeMs until all nodes were whole
     */
    public record Step(List<String> kinds, long upMs, long recoveryMs, long wholeMs, String missing) {}

    private final Scene scene;
    private final History history;
    private final Progress progress;
    private final SplittableRandom random;
    private final List<Fault> faults;
    private final int atOnce;
    private final List<Step> steps = new ArrayList<>();

    public Nemesis(Scene scene, History history, Progress progress, Plan plan) {
        this.scene = scene;
        this.history = history;
        this.progress = progress;
        random = scene.random().split();
        faults = Faults.of(plan.withDisks(), plan.kinds());
        atOnce = Math.min(plan.atOnce(), faults.size());
    }

    /** Goes on for this long, and to the end of the step then. */
    public List<Step> run(long durationMs) throws InterruptedException {
        long deadlineNs = System.nanoTime() + durationMs * 1_000_000;
        do {
            step(choose());
            TimeUnit.MILLISECONDS.sleep(random.nextLong(MAX_CALM_MS));
        } while (System.nanoTime() < deadlineNs);
        return steps;
    }

    /** Different kinds, at most one of which loses data, and that first. */
    private List<Fault> choose() {
        int dice = random.nextInt(100);
        int byChance = dice < THREE_PERCENT ? 3 : dice < MANY_PERCENT ? 2 : 1;
        int count = Math.min(atOnce > 0 ? atOnce : byChance, faults.size());
        List<Fault> left = new ArrayList<>(faults);
        List<Fault> chosen = new ArrayList<>();
        while (chosen.size() < count && !left.isEmpty()) {
            Fault fault = left.remove(random.nextInt(left.size()));
            if (!fault.losesData()) {
                chosen.add(fault);
            } else if (chosen.stream().noneMatch(Fault::losesData)) {
                chosen.add(0, fault);
            }
        }
        return chosen;
    }

    private void step(List<Fault> chosen) throws InterruptedException {
        for (Fault fault : chosen) {
            String what = fault.begin().apply(scene);
            tell(fault.kind() + ": " + what);
        }
        TimeUnit.MILLISECONDS.sleep(random.nextLong(MIN_HOLD_MS, MAX_HOLD_MS));
        scene.restore();
        for (Fault fault : chosen) {
            String what = fault.end().apply(scene);
            if (!what.isEmpty()) {
                tell(fault.kind() + " ends: " + what);
            }
        }
        long healedNs = history.nowNs();
        tell("healed");
        Aftermath after = new Aftermath(healedNs);
        Cluster.await(UP_BOUND_MS + RECOVERY_BOUND_MS, after::isOver);
        boolean isWhole = Cluster.await(WHOLE_BOUND_MS, scene.cluster()::isWhole);
        Step step = new Step(
                chosen.stream().map(Fault::kind).toList(),
                after.upMs,
                after.recoveryMs,
                isWhole ? sinceMs(healedNs) : -1,
                after.recoveryMs < 0 ? progress.missing(healedNs) : "");
        steps.add(step);
        tell("after " + step);
    }

    /** Looks for how long it takes until all processes are up and everything goes on. */
    private final class Aftermath {
        private final long healedNs;
        private long upMs = -1;
        private long recoveryMs = -1;

        private Aftermath(long healedNs) {
            this.healedNs = healedNs;
        }

        private boolean isOver() {
            long nowMs = sinceMs(healedNs);
            if (upMs < 0 && scene.cluster().nodes().stream().allMatch(Node::isUp)) {
                upMs = nowMs;
            }
            if (recoveryMs < 0 && progress.isAllAfter(healedNs)) {
                recoveryMs = nowMs;
            }
            boolean isTooLate = upMs < 0 ? nowMs > UP_BOUND_MS : nowMs - upMs > RECOVERY_BOUND_MS;
            return isTooLate || (upMs >= 0 && recoveryMs >= 0);
        }
    }

    private long sinceMs(long ns) {
        return (history.nowNs() - ns) / 1_000_000;
    }

    private void tell(String what) {
        history.add(at -> new Event.Fault(at, "nemesis", what));
    }
}

package io.spillway.chaos;

import io.spillway.chaos.check.Violation;
import io.spillway.chaos.history.Event;
import io.spillway.chaos.nemesis.Nemesis;
import io.spillway.chaos.nemesis.Scene;
import io.spillway.conformance.driver.Language;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/** A cluster with clients and a nemesis, and the verdict on it. */
final class Round {
    private static final long CALM_MS = 2_000;

    private final Options options;
    private final List<Language> languages;
    private final int number;
    private final long seed;
    private final Path directory;
    private final List<Violation> violations = new ArrayList<>();

    Round(Options options, List<Language> languages, int number, Path directory) {
        this.options = options;
        this.languages = languages;
        this.number = number;
        this.directory = directory;
        seed = options.seed() + number - 1;
    }

    Outcome run() throws InterruptedException {
        long beganNs = System.nanoTime();
        List<Nemesis.Step> steps = List.of();
        List<Event> events = List.of();
        try (Trial trial = new Trial(Trial.Plan.usual(options.mode()), directory)) {
            SplittableRandom random = new SplittableRandom(seed);
            trial.clients().startAll(languages, random.split());
            TimeUnit.MILLISECONDS.sleep(CALM_MS);
            Scene scene = new Scene(trial.cluster(), trial.network(), random.split());
            boolean withDisks = options.mode() == Options.Mode.NETNS;
            Nemesis.Plan plan = new Nemesis.Plan(withDisks, options.faults(), options.atOnce());
            steps = new Nemesis(scene, trial.history(), trial.clients().progress(), plan)
                    .run(options.seconds() * 1_000L);
            steps.forEach(this::judge);
            violations.addAll(trial.finish());
            events = trial.history().events();
        } catch (RuntimeException e) {
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace, true));
            found("the round comes to its end", trace.toString());
        }
        long seconds = (System.nanoTime() - beganNs) / 1_000_000_000;
        return Outcome.of(number, seed, seconds, steps, events, violations);
    }

    private void judge(Nemesis.Step step) {
        if (step.upMs() < 0) {
            found("every node starts", step.kinds() + ": not within " + Nemesis.UP_BOUND_MS / 1_000 + " s");
        }
        if (step.recoveryMs() < 0) {
            found(
                    "everything goes on within " + Nemesis.RECOVERY_BOUND_MS / 1_000 + " s",
                    step.kinds() + ": not yet: " + step.missing());
        }
        if (step.wholeMs() < 0) {
            found(
                    "all nodes are whole within " + Nemesis.WHOLE_BOUND_MS / 1_000 + " s",
                    step.kinds().toString());
        }
    }

    private void found(String rule, String what) {
        violations.add(new Violation(rule, what));
    }
}

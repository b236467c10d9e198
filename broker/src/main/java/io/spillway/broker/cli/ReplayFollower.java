package io.spillway.broker.cli;

import io.spillway.client.Admin;
import io.spillway.client.ReplayJob;
import io.spillway.client.ReplayPlan;
import io.spillway.client.ReplaySelection;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Watches a plan being made or a job at work: a bar for a person, a line now and then for a log. */
final class ReplayFollower {
    private static final int BAR_CHARS = 30;
    private static final long LOOK_MS = 200;

    private ReplayFollower() {}

    static ReplayPlan plan(Admin admin, ReplaySelection selection, Console console) {
        try {
            return admin.planReplay(
                    selection,
                    plan -> console.progress("planning " + bar(plan.scanned(), plan.toScan()) + " " + plan.scanned()
                            + " of " + plan.toScan() + " records looked at, " + plan.records() + " found"));
        } finally {
            console.endProgress();
        }
    }

    /** Until the job ends or pauses. */
    static ReplayJob follow(Admin admin, ReplayJob started, Console console) {
        ReplayJob job = started;
        ProgressLines lines = new ProgressLines();
        while (job.state() == ReplayJob.State.RUNNING && !Thread.currentThread().isInterrupted()) {
            String line = job.id() + " " + line(job);
            console.progress(line);
            if (!console.interactive() && lines.isDue(line, TimeUnit.NANOSECONDS.toMillis(System.nanoTime()))) {
                console.err().println(line);
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(LOOK_MS));
            job = admin.replay(job.id());
        }
        console.endProgress();
        return job;
    }

    static String line(ReplayJob job) {
        String eta = job.rateNow() > 0 && job.open() > 0
                ? ", " + text(Duration.ofSeconds(Math.max(1, job.open() / job.rateNow()))) + " left"
                : "";
        return bar(job.done(), job.records()) + " " + job.done() + " of " + job.records() + ", " + job.rateNow() + "/s"
                + eta + (job.why().isEmpty() ? "" : " (" + job.why() + ")");
    }

    static String bar(long done, long all) {
        int filled = all == 0 ? BAR_CHARS : (int) (Math.min(done, all) * BAR_CHARS / all);
        return "[" + "#".repeat(filled) + ".".repeat(BAR_CHARS - filled) + "]";
    }

    /** Such as 2h03m, 4m05s or 12s. */
    static String text(Duration duration) {
        long seconds = Math.max(0, duration.toSeconds());
        if (seconds >= 3_600) {
            return String.format("%dh%02dm", seconds / 3_600, seconds % 3_600 / 60);
        }
        return seconds >= 60 ? String.format("%dm%02ds", seconds / 60, seconds % 60) : seconds + "s";
    }
}

package io.spillway.broker.cli;

import io.spillway.client.Admin;
import io.spillway.client.ReplayJob;
import io.spillway.client.ReplayPlan;
import io.spillway.client.ReplaySelection;
import io.spillway.client.SpillwayClient;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway replay}: plans which records are delivered again, and follows the jobs that do it. */
@Command(
        name = "replay",
        description = {
            "Delivers records again: a plan names exact records and changes nothing, a job delivers them.",
            "After an incident: plan, look at it, start slowly, follow, see what it changed."
        })
final class ReplayCommand {
    private final Console console;

    ReplayCommand(Console console) {
        this.console = console;
    }

    @Command(name = "plan", description = "Finds and counts the records of a replay; nothing is changed.")
    int plan(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "TOPIC", description = "Whose records.") String topic,
            @Mixin ReplaySelectionOptions options)
            throws IOException {
        ReplaySelection selection = options.applyTo(ReplaySelection.of(topic));
        try (SpillwayClient client = common.connect()) {
            show(common, ReplayFollower.plan(client.admin(), selection, console));
        }
        return ExitCode.OK;
    }

    private void show(ConnectOptions common, ReplayPlan plan) throws IOException {
        if (common.json()) {
            console.json(json -> ReplayView.writeJson(plan, json));
        } else {
            console.line(ReplayView.details(plan));
        }
    }

    private void show(ConnectOptions common, ReplayJob job) throws IOException {
        if (common.json()) {
            console.json(json -> ReplayView.writeJson(job, json));
        } else {
            console.line(ReplayView.details(job));
        }
    }

    @Command(name = "start", description = "Delivers the records of a plan again.")
    int start(
            @Mixin ConnectOptions common,
            @Parameters(paramLabel = "PLAN_ID", description = "What replay plan printed.") String planId,
            @Option(
                            names = "--target",
                            required = true,
                            paramLabel = "TARGET",
                            description =
                                    "group:G (beside its live records), new-group:G (made for it), topic:T (which "
                                            + "must accept replays), origin (dead letters back to their topics) or file:PATH.")
                    ReplayTargetOption target,
            @Mixin ReplayStartOptions options)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            if (target.file() != null) {
                return new ReplayFile(client, console, target.file()).write(planId, options.reason());
            }
            ReplayJob job = client.admin().startReplay(planId, target.target(), options.options());
            return follow(common, client.admin(), job, options.waits());
        }
    }

    private int follow(ConnectOptions common, Admin admin, ReplayJob started, boolean waits) throws IOException {
        ReplayJob job = waits ? ReplayFollower.follow(admin, started, console) : started;
        show(common, job);
        boolean stopped = job.state() == ReplayJob.State.FAILED || (waits && job.state() == ReplayJob.State.PAUSED);
        return stopped ? ExitCode.FAILURE : ExitCode.OK;
    }

    @Command(name = "status", description = "Shows a job, or a plan, as it is now.")
    int status(
            @Mixin ConnectOptions common,
            @Parameters(paramLabel = "ID", description = "Of a job (j-...) or a plan (p-...).") String id,
            @Option(names = "--wait", description = "Follows a job until it ends or pauses.") boolean waits)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            if (id.startsWith("p-")) {
                show(common, client.admin().replayPlan(id));
                return ExitCode.OK;
            }
            return follow(common, client.admin(), client.admin().replay(id), waits);
        }
    }

    @Command(name = "list", description = "Lists plans and jobs, the newest first.")
    int list(@Mixin CommonOptions common) throws IOException {
        try (SpillwayClient client = common.connect()) {
            List<ReplayPlan> plans = client.admin().replayPlans();
            List<ReplayJob> jobs = client.admin().replays();
            if (common.json()) {
                for (ReplayPlan plan : plans) {
                    console.json(json -> ReplayView.writeJson(plan, json));
                }
                for (ReplayJob job : jobs) {
                    console.json(json -> ReplayView.writeJson(job, json));
                }
            } else {
                console.line(ReplayView.plans(plans) + "\n\n" + ReplayView.jobs(jobs));
            }
        }
        return ExitCode.OK;
    }

    @Command(name = "pause", description = "Holds a job back; what is out stays out.")
    int pause(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "JOB_ID", description = "The job.") String jobId,
            @Mixin ReplayReasonOption reason)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            show(common, client.admin().pauseReplay(jobId, reason.or("spillway replay pause")));
        }
        return ExitCode.OK;
    }

    @Command(name = "resume", description = "Goes on with a paused job.")
    int resume(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "JOB_ID", description = "The job.") String jobId,
            @Mixin ReplayReasonOption reason)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            show(common, client.admin().resumeReplay(jobId, reason.or("spillway replay resume")));
        }
        return ExitCode.OK;
    }

    @Command(name = "cancel", description = "Ends a job; what was delivered or stored stays so.")
    int cancel(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "JOB_ID", description = "The job.") String jobId,
            @Mixin ReplayReasonOption reason)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            show(common, client.admin().cancelReplay(jobId, reason.or("spillway replay cancel")));
        }
        return ExitCode.OK;
    }

    @Command(name = "diff", description = "Shows what a job has changed: redelivered, acked, failed, open, duplicates.")
    int diff(@Mixin CommonOptions common, @Parameters(paramLabel = "JOB_ID", description = "The job.") String jobId)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            ReplayJob job = client.admin().replayDiff(jobId);
            if (common.json()) {
                console.json(json -> ReplayView.writeJson(job, json));
            } else {
                console.line(ReplayView.diff(job));
            }
        }
        return ExitCode.OK;
    }

    @Command(name = "delete", description = "Forgets a plan.")
    int delete(
            @Mixin CommonOptions common, @Parameters(paramLabel = "PLAN_ID", description = "The plan.") String planId)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            client.admin().deleteReplayPlan(planId);
        }
        if (common.json()) {
            console.json(json -> {
                json.writeStartObject();
                json.writeStringField("deleted", planId);
                json.writeEndObject();
            });
        } else {
            console.line("deleted plan " + planId);
        }
        return ExitCode.OK;
    }
}

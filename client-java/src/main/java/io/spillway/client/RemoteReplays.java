package io.spillway.client;

import io.spillway.protocol.Code;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.ReplayAdmin;
import io.spillway.protocol.v1.ReplayList;
import io.spillway.protocol.v1.ReplayStops;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/** Replay plans and jobs over the client's connection. Thread-safe. */
final class RemoteReplays {
    private static final int PLAN = 1;
    private static final int START = 2;
    private static final int STATUS = 3;
    private static final int LIST = 4;
    private static final int PAUSE = 5;
    private static final int RESUME = 6;
    private static final int CANCEL = 7;
    private static final int DIFF = 8;
    private static final int DELETE = 9;
    private static final long POLL_MS = 100;

    private final Requests requests;

    RemoteReplays(Requests requests) {
        this.requests = requests;
    }

    ReplayPlan plan(ReplaySelection selection, Consumer<ReplayPlan> progress) {
        ReplayAdmin header = ReplayAdmin.newBuilder()
                .setOp(PLAN)
                .setSelection(selection.wire())
                .setIdempotencyKey(UUID.randomUUID().toString())
                .build();
        ReplayPlan plan = onlyPlan(call("plan a replay of topic " + selection.topic(), header, true));
        while (plan.state() == ReplayPlan.State.SCANNING) {
            progress.accept(plan);
            pause();
            plan = plan(plan.id());
        }
        if (plan.state() == ReplayPlan.State.FAILED) {
            throw SpillwayException.of(
                    Code.WRONG_STATE,
                    "plan " + plan.id() + " failed: " + plan.failure(),
                    "",
                    "plan again with another selection");
        }
        progress.accept(plan);
        return plan;
    }

    ReplayPlan plan(String planId) {
        return onlyPlan(
                call("show plan " + planId, of(STATUS, "the plan's id", planId).build(), false));
    }

    List<ReplayPlan> plans() {
        return list().getPlansList().stream().map(ReplayWire::plan).toList();
    }

    List<ReplayJob> jobs() {
        return list().getJobsList().stream().map(ReplayWire::job).toList();
    }

    private ReplayList list() {
        return call("list replays", ReplayAdmin.newBuilder().setOp(LIST).build(), false);
    }

    void deletePlan(String planId) {
        call("delete plan " + planId, of(DELETE, "the plan's id", planId).build(), true);
    }

    ReplayJob start(String planId, ReplayTarget target, ReplayOptions options) {
        if (target.kind() == ReplayTarget.Kind.FILE) {
            throw Arguments.invalid("a file is no target the broker can write", "use replayToFile");
        }
        return onlyJob(call("start a replay of plan " + planId, started(planId, target, options), true));
    }

    List<ReplayPlan.Range> toFile(String planId, String path, String reason) {
        ReplayTarget target = new ReplayTarget(ReplayTarget.Kind.FILE, Arguments.notEmpty("the path", path));
        ReplayAdmin header = started(planId, target, ReplayOptions.because(reason));
        return onlyPlan(call("copy plan " + planId + " to a file", header, true))
                .partitions();
    }

    private static ReplayAdmin started(String planId, ReplayTarget target, ReplayOptions options) {
        return of(START, "the plan's id", planId)
                .setTarget(target.wire())
                .setRate(options.rate())
                .setStops(ReplayStops.newBuilder()
                        .setErrors(options.maxErrors())
                        .setDeadLetters(options.maxDeadLetters())
                        .setConsumerLag(options.maxLag()))
                .setReason(options.reason())
                .setIdempotencyKey(UUID.randomUUID().toString())
                .build();
    }

    ReplayJob job(String jobId) {
        return onlyJob(
                call("show replay " + jobId, of(STATUS, "the job's id", jobId).build(), false));
    }

    ReplayJob diff(String jobId) {
        return onlyJob(call(
                "show what replay " + jobId + " changed",
                of(DIFF, "the job's id", jobId).build(),
                false));
    }

    ReplayJob pause(String jobId, String reason) {
        return change("pause", PAUSE, jobId, reason);
    }

    ReplayJob resume(String jobId, String reason) {
        return change("resume", RESUME, jobId, reason);
    }

    ReplayJob cancel(String jobId, String reason) {
        return change("cancel", CANCEL, jobId, reason);
    }

    private ReplayJob change(String verb, int op, String jobId, String reason) {
        ReplayAdmin header = of(op, "the job's id", jobId)
                .setReason(Arguments.notEmpty("the reason", reason))
                .build();
        return onlyJob(call(verb + " replay " + jobId, header, true));
    }

    ReplayJob await(String jobId, Duration timeout) {
        long deadlineNs = System.nanoTime() + timeout.toNanos();
        while (true) {
            ReplayJob job = job(jobId);
            if (job.state() != ReplayJob.State.RUNNING) {
                return job;
            }
            if (deadlineNs - System.nanoTime() < 0) {
                throw SpillwayException.of(
                        Code.DEADLINE_EXCEEDED,
                        "replay " + jobId + " still runs after " + timeout.toMillis() + " ms",
                        job.done() + " of " + job.records() + " records are done",
                        "wait longer; the job goes on");
            }
            pause();
        }
    }

    private static void pause() {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(POLL_MS));
        if (Thread.currentThread().isInterrupted()) {
            throw SpillwayException.of(
                    Code.DEADLINE_EXCEEDED,
                    "waiting for a replay was interrupted",
                    "the calling thread was",
                    "ask for it again; the broker goes on");
        }
    }

    private static ReplayAdmin.Builder of(int op, String what, String id) {
        return ReplayAdmin.newBuilder().setOp(op).setId(Arguments.notEmpty(what, id));
    }

    private ReplayList call(String what, ReplayAdmin header, boolean changes) {
        return requests.call(new Requests.Request<>(
                what, FrameKind.REPLAY_ADMIN, header, changes, frame -> RemoteAdmin.parse(frame, ReplayList.parser())));
    }

    private static ReplayPlan onlyPlan(ReplayList list) {
        if (list.getPlansCount() != 1) {
            throw unexpected(list.getPlansCount() + " plans");
        }
        return ReplayWire.plan(list.getPlans(0));
    }

    private static ReplayJob onlyJob(ReplayList list) {
        if (list.getJobsCount() != 1) {
            throw unexpected(list.getJobsCount() + " jobs");
        }
        return ReplayWire.job(list.getJobs(0));
    }

    private static SpillwayException unexpected(String found) {
        return SpillwayException.of(
                Code.NOT_FOUND,
                "the broker answered with " + found + " where one was asked for",
                "the id is of the other kind: plans begin with p-, jobs with j-",
                "look at both: list the replays");
    }
}

package io.spillway.broker.replay;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.audit.AuditEntry;
import io.spillway.broker.base.Inbox;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.shard.ReplayCommand;
import io.spillway.broker.shard.Reply;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.ReplayAdmin;
import io.spillway.protocol.v1.ReplayJob;
import io.spillway.protocol.v1.ReplayList;
import io.spillway.protocol.v1.ReplayPlan;
import io.spillway.protocol.v1.ReplayTarget;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What clients ask of the replays. What acts is in the audit before and after. Confined to the replay thread. */
final class Operations {
    private static final Logger LOG = LoggerFactory.getLogger(Operations.class);
    static final int PLAN = 1;
    static final int START = 2;
    static final int STATUS = 3;
    static final int LIST = 4;
    static final int PAUSE = 5;
    static final int RESUME = 6;
    static final int CANCEL = 7;
    static final int DIFF = 8;
    static final int DELETE = 9;

    private static final int FILE = 5;
    private static final int MOST_SCANS = 8;
    private static final int MOST_JOBS = 16;

    private final Store store;
    private final Shards shards;
    private final Works works;
    private final Inbox inbox;
    private final Audit audit;
    private final RandomGenerator random;

    Operations(Store store, Shards shards, Works works, Inbox inbox, Audit audit, RandomGenerator random) {
        this.store = store;
        this.shards = shards;
        this.works = works;
        this.inbox = inbox;
        this.audit = audit;
        this.random = random;
    }

    /** Throws what refuses the request; otherwise the reply is answered, now or later. */
    void handle(ReplayAdmin request, ReplayCaller caller, Reply<ReplayList> reply) {
        check(request, caller);
        String who = caller.who();
        switch (request.getOp()) {
            case PLAN -> plan(request, reply);
            case START -> start(request, who, reply);
            case STATUS -> status(request.getId(), reply);
            case LIST -> list(caller, reply);
            case PAUSE -> pause(request, who, reply);
            case RESUME -> resume(request, who, reply);
            case CANCEL -> cancel(request, who, reply);
            case DIFF -> diff(request.getId(), reply);
            case DELETE -> delete(request, who, reply);
            default ->
                throw invalid(
                        "unknown replay operation " + request.getOp(),
                        "this broker knows 1 to 9",
                        "use a newer broker");
        }
    }

    /** Throws PERMISSION_DENIED. */
    private void check(ReplayAdmin request, ReplayCaller caller) {
        switch (request.getOp()) {
            case PLAN -> caller.requireReplay(request.getSelection().getTopic());
            case START -> {
                String topic = store.plan(request.getId()).topic();
                caller.requireReplay(topic);
                caller.requireTarget(topic, request.getTarget());
            }
            case STATUS, PAUSE, RESUME, CANCEL, DIFF, DELETE -> {
                Plan plan = store.findPlan(request.getId());
                caller.requireReplay(
                        plan != null
                                ? plan.topic()
                                : store.job(request.getId()).wire.getTopic());
            }
            default -> {}
        }
    }

    private static SpillwayException invalid(String what, String why, String next) {
        return new SpillwayException(Code.INVALID_ARGUMENT, what, why, next);
    }

    private static SpillwayException wrongState(String what, String why, String next) {
        return new SpillwayException(Code.WRONG_STATE, what, why, next);
    }

    // ---- plans

    private void plan(ReplayAdmin request, Reply<ReplayList> reply) {
        for (Plan known : store.plans()) {
            if (!request.getIdempotencyKey().isEmpty() && known.idempotencyKey.equals(request.getIdempotencyKey())) {
                reply.ok(of(known.summary()));
                return;
            }
        }
        TopicSpec topic = shards.catalog().get(request.getSelection().getTopic());
        Selection selection = new Selection(request.getSelection());
        if (works.scans() >= MOST_SCANS) {
            throw new SpillwayException(
                    Code.OVERLOADED,
                    "no plan can be made now",
                    works.scans() + " plans are being made",
                    "try again when they are ready",
                    1_000,
                    null);
        }
        Plan plan = new Plan(
                ReplayPlan.newBuilder()
                        .setId("p-" + id())
                        .setSelection(request.getSelection())
                        .setCreatedUnixMs(shards.nowMs())
                        .setKeysExact(true),
                request.getIdempotencyKey());
        shards.ask(
                topic,
                (Reply<List<ReplayCommand.Span>> answer) ->
                        new ReplayCommand.Resolve(topic.topicId(), request.getSelection(), answer),
                Answer.of(
                        spans -> store.keep(
                                plan,
                                Answer.of(
                                        kept -> {
                                            works.scan(plan, topic, selection, spans);
                                            reply.ok(of(plan.summary()));
                                        },
                                        reply::failed)),
                        reply::failed));
    }

    private String id() {
        return String.format("%08x", random.nextInt());
    }

    private void delete(ReplayAdmin request, String who, Reply<ReplayList> reply) {
        Plan plan = store.plan(request.getId());
        audited(entry("replay.delete", who, plan.topic(), request, Map.of("plan", plan.id())), reply, audited -> {
            if (store.hasLiveJob(plan) || plan.wire.getState() == Plan.SCANNING) {
                throw wrongState(
                        "plan " + plan.id() + " is in use",
                        "it is being made, or a job of it has not ended",
                        "wait for it, or cancel the job first");
            }
            ReplayPlan last = plan.summary();
            store.drop(plan, Answer.of(done -> audited.ok(of(last)), audited::failed));
        });
    }

    // ---- jobs

    private void start(ReplayAdmin request, String who, Reply<ReplayList> reply) {
        for (JobRecord known : store.jobs()) {
            if (!request.getIdempotencyKey().isEmpty() && known.idempotencyKey.equals(request.getIdempotencyKey())) {
                answerStarted(known, reply);
                return;
            }
        }
        Plan plan = store.plan(request.getId());
        ReplayTarget target = request.getTarget();
        Map<String, String> detail = new LinkedHashMap<>();
        detail.put("plan", plan.id());
        detail.put("records", Long.toString(plan.wire.getRecords()));
        detail.put("target", text(target));
        detail.put("rate", Integer.toString(request.getRate()));
        String operation = target.getKind() == CopyWork.ORIGIN ? "redrive.start" : "replay.start";
        audited(
                entry(operation, who, plan.topic(), request, detail),
                reply,
                audited -> start(plan, request, who, audited));
    }

    private void start(Plan plan, ReplayAdmin request, String who, Reply<ReplayList> reply) {
        TopicSpec source = check(plan, request);
        JobRecord job = new JobRecord(
                ReplayJob.newBuilder()
                        .setId("j-" + id())
                        .setPlanId(plan.id())
                        .setTopic(plan.topic())
                        .setTarget(request.getTarget())
                        .setRate(request.getRate())
                        .setStops(request.getStops())
                        .setReason(request.getReason())
                        .setStartedBy(who)
                        .setStartedUnixMs(shards.nowMs())
                        .setRecords(plan.wire.getRecords())
                        .setOpen(plan.wire.getRecords()),
                request.getIdempotencyKey());
        if (request.getTarget().getKind() == FILE) {
            job.wire
                    .setState(JobRecord.DONE)
                    .setOpen(0)
                    .setWhy("written by the client")
                    .setEndedUnixMs(shards.nowMs());
            Work lookOnly = works.of(job, plan.ranges, source);
            lookOnly.open(Answer.of(
                    held -> lookOnly.close(Answer.of(
                            released -> store.keep(job, Answer.of(kept -> answerStarted(job, reply), reply::failed)),
                            reply::failed)),
                    reply::failed));
            return;
        }
        Work work = works.of(job, plan.ranges, source);
        work.open(Answer.of(
                opened -> store.keep(
                        job,
                        Answer.of(
                                kept -> {
                                    works.add(work);
                                    answerStarted(job, reply);
                                },
                                why -> work.close(Answer.of(done -> reply.failed(why), e -> reply.failed(why))))),
                reply::failed));
    }

    /** With the exact ranges of the plan for whoever writes the records into a file. */
    private void answerStarted(JobRecord job, Reply<ReplayList> reply) {
        ReplayList.Builder list = ReplayList.newBuilder().addJobs(job.wire);
        Plan plan = store.findPlan(job.wire.getPlanId());
        if (plan != null && job.wire.getTarget().getKind() == FILE) {
            list.addPlans(plan.exact());
        }
        reply.ok(list.build());
    }

    /** What can be said without asking a shard. */
    private TopicSpec check(Plan plan, ReplayAdmin request) {
        if (request.getReason().isBlank()) {
            throw invalid("a replay needs a reason", "none was given", "say why; it is kept in the audit");
        }
        if (plan.wire.getState() != Plan.READY) {
            throw wrongState(
                    "plan " + plan.id() + " cannot be started",
                    plan.wire.getState() == Plan.SCANNING
                            ? "it is still being made"
                            : "it failed: " + plan.wire.getError().getMessage(),
                    plan.wire.getState() == Plan.SCANNING ? "wait until it is ready" : "make another plan");
        }
        if (request.getRate() < 0) {
            throw invalid("the rate is " + request.getRate(), "records per second; 0 = unbounded", "correct it");
        }
        if (works.jobs() >= MOST_JOBS) {
            throw new SpillwayException(
                    Code.OVERLOADED,
                    "no replay can be started now",
                    works.jobs() + " have not ended",
                    "wait for one, or cancel one",
                    1_000,
                    null);
        }
        TopicSpec source = shards.catalog().get(plan.topic());
        ReplayTarget target = request.getTarget();
        switch (target.getKind()) {
            case LaneWork.GROUP, LaneWork.NEW_GROUP -> requireName("group", target);
            case CopyWork.TOPIC -> checkTopic(source, target);
            case CopyWork.ORIGIN, FILE -> {}
            default ->
                throw invalid(
                        "unknown replay target " + target.getKind(),
                        "this broker knows 1 group, 2 new group, 3 topic, 4 origin, 5 file",
                        "use a newer broker");
        }
        return source;
    }

    private static void requireName(String kind, ReplayTarget target) {
        if (target.getName().isEmpty()) {
            throw invalid("the target names no " + kind, "it goes to one", "give its name");
        }
    }

    private void checkTopic(TopicSpec source, ReplayTarget target) {
        requireName("topic", target);
        TopicSpec topic = shards.catalog().get(target.getName());
        Audit.refuseChange(topic.name());
        if (topic.topicId() == source.topicId()) {
            throw invalid(
                    "a replay cannot copy topic " + source.name() + " into itself",
                    "its own copies would be records of it",
                    "deliver to a group instead: --target group:NAME");
        }
        if (!topic.config().accepts().replays()) {
            throw invalid(
                    "topic " + topic.name() + " takes no replays",
                    "its setting accepts does not have replay",
                    "let it: spillway topic alter " + topic.name() + " --config accepts=replay");
        }
    }

    private void pause(ReplayAdmin request, String who, Reply<ReplayList> reply) {
        change("replay.pause", request, who, reply, (work, audited) -> {
            if (!work.job.isRunning()) {
                throw wrongState(work.job + " is not running", "it is paused already", "resume or cancel it");
            }
            work.job.wire.setState(JobRecord.PAUSED).setWhy("paused by " + who + ": " + request.getReason());
            keepAndSet(work, false, audited);
        });
    }

    private void resume(ReplayAdmin request, String who, Reply<ReplayList> reply) {
        change("replay.resume", request, who, reply, (work, audited) -> {
            if (work.job.isRunning()) {
                throw wrongState(work.job + " is not paused", "it is running", "there is nothing to resume");
            }
            work.job.resume();
            keepAndSet(work, true, audited);
        });
    }

    private void keepAndSet(Work work, boolean active, Reply<ReplayList> reply) {
        store.keep(
                work.job,
                Answer.of(
                        kept -> work.setActive(
                                active, Answer.of(set -> reply.ok(of(work.job.wire.build())), reply::failed)),
                        reply::failed));
    }

    private void cancel(ReplayAdmin request, String who, Reply<ReplayList> reply) {
        change("replay.cancel", request, who, reply, (work, audited) -> {
            Runnable end = () -> {
                if (!work.job.hasEnded()) {
                    String reason = request.getReason().isBlank() ? "" : ": " + request.getReason();
                    work.end(JobRecord.CANCELLED, "cancelled by " + who + reason);
                }
                works.whenGone(work, () -> audited.ok(of(work.job.wire.build())));
            };
            work.refresh(Answer.of(done -> end.run(), why -> end.run()));
        });
    }

    /** Does something to a job that has not ended. */
    private void change(String operation, ReplayAdmin request, String who, Reply<ReplayList> reply, Change change) {
        JobRecord job = store.job(request.getId());
        Map<String, String> detail = Map.of("job", job.id(), "plan", job.wire.getPlanId());
        audited(entry(operation, who, job.wire.getTopic(), request, detail), reply, audited -> {
            Work work = works.find(job.id());
            if (work == null || job.hasEnded()) {
                throw wrongState(job + " has ended", "nothing can be changed any more", "start its plan again");
            }
            change.apply(work, audited);
        });
    }

    private interface Change {
        void apply(Work work, Reply<ReplayList> reply);
    }

    // ---- looking

    private void status(String id, Reply<ReplayList> reply) {
        Plan plan = store.findPlan(id);
        reply.ok(plan != null ? of(plan.summary()) : of(store.job(id).wire.build()));
    }

    private void diff(String id, Reply<ReplayList> reply) {
        JobRecord job = store.job(id);
        Work work = works.find(id);
        if (work == null) {
            reply.ok(of(job.wire.build()));
        } else {
            work.refresh(Answer.of(done -> reply.ok(of(job.wire.build())), why -> reply.ok(of(job.wire.build()))));
        }
    }

    private void list(ReplayCaller caller, Reply<ReplayList> reply) {
        ReplayList.Builder list = ReplayList.newBuilder();
        store.plans().stream()
                .filter(plan -> caller.mayReplay(plan.topic()))
                .forEach(plan -> list.addPlans(plan.summary()));
        store.jobs().stream()
                .filter(job -> caller.mayReplay(job.wire.getTopic()))
                .forEach(job -> list.addJobs(job.wire));
        reply.ok(list.build());
    }

    // ---- audit

    private static AuditEntry entry(
            String operation, String who, String topic, ReplayAdmin request, Map<String, String> detail) {
        ReplayTarget target = request.getTarget();
        boolean isGroup = target.getKind() == LaneWork.GROUP || target.getKind() == LaneWork.NEW_GROUP;
        return new AuditEntry(who, operation, topic, isGroup ? target.getName() : "", request.getReason(), detail);
    }

    private void audited(AuditEntry entry, Reply<ReplayList> reply, Consumer<Reply<ReplayList>> act) {
        audit.around(
                entry,
                audited -> inbox.put(() -> {
                    try {
                        act.accept(audited);
                    } catch (SpillwayException e) {
                        audited.failed(e);
                    } catch (RuntimeException e) {
                        LOG.error(
                                "event=replay_operation_failed operation={} next=\"report it with this line\"",
                                entry.operation(),
                                e);
                        audited.failed(new SpillwayException(
                                Code.INTERNAL,
                                "a replay request failed",
                                e.toString(),
                                "look at the broker's log",
                                0,
                                e));
                    }
                }),
                reply,
                Operations::result);
    }

    private static String result(ReplayList list) {
        return list.getJobsCount() > 0 ? "job " + list.getJobs(0).getId() + " " + state(list.getJobs(0)) : "done";
    }

    static String state(ReplayJob job) {
        return switch (job.getState()) {
            case JobRecord.RUNNING -> "running";
            case JobRecord.PAUSED -> "paused";
            case JobRecord.DONE -> "done";
            case JobRecord.CANCELLED -> "cancelled";
            default -> "failed";
        };
    }

    static String text(ReplayTarget target) {
        return switch (target.getKind()) {
            case LaneWork.GROUP -> "group:" + target.getName();
            case LaneWork.NEW_GROUP -> "new-group:" + target.getName();
            case CopyWork.TOPIC -> "topic:" + target.getName();
            case CopyWork.ORIGIN -> "origin";
            case FILE -> "file:" + target.getName();
            default -> "unknown";
        };
    }

    private static ReplayList of(ReplayPlan plan) {
        return ReplayList.newBuilder().addPlans(plan).build();
    }

    private static ReplayList of(ReplayJob job) {
        return ReplayList.newBuilder().addJobs(job).build();
    }
}

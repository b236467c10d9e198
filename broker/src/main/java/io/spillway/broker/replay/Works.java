package io.spillway.broker.replay;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.audit.AuditEntry;
import io.spillway.broker.audit.AuditEntry.Phase;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Inbox;
import io.spillway.broker.base.Pace;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.shard.ReplayCommand;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.ReplayJob;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The scans and jobs that are under way, each stepped in turn. Confined to the replay thread. */
final class Works {
    private static final Logger LOG = LoggerFactory.getLogger(Works.class);
    /** What all scans together read of the shards in a second. */
    private static final long SCAN_BYTES_PER_SECOND = 64L << 20;

    private final Store store;
    private final Shards shards;
    private final Inbox inbox;
    private final Clock clock;
    private final Audit audit;
    /** Whether they have to wait, because the broker has too much to do. */
    private final Published<Boolean> held;

    private final Published<ReplayProgress> progress = new Published<>(ReplayProgress.NONE);
    private final Pace scanBytes = new Pace(SCAN_BYTES_PER_SECOND);
    private final List<PlanScan> scans = new ArrayList<>();
    private final Map<String, Work> live = new LinkedHashMap<>();
    private final Map<Work, List<Runnable>> awaited = new LinkedHashMap<>();

    Works(Store store, Shards shards, Inbox inbox, Clock clock, Audit audit, Published<Boolean> held) {
        this.store = store;
        this.shards = shards;
        this.inbox = inbox;
        this.clock = clock;
        this.audit = audit;
        this.held = held;
    }

    int scans() {
        return scans.size();
    }

    int jobs() {
        return live.size();
    }

    @Nullable
    Work find(String jobId) {
        return live.get(jobId);
    }

    void scan(Plan plan, TopicSpec topic, Selection selection, List<ReplayCommand.Span> spans) {
        PlanScan scan = new PlanScan(plan, topic, shards, scanBytes, selection, () -> keep(plan));
        scans.add(scan);
        scan.begin(spans);
    }

    private void keep(Plan plan) {
        store.keep(plan, Answer.of(done -> {}, why -> {
            LOG.error("event=plan_not_kept plan={} {}", plan.id(), why);
            plan.fail(why);
        }));
    }

    Work of(JobRecord job, Ranges ranges, TopicSpec source) {
        int kind = job.wire.getTarget().getKind();
        return kind == LaneWork.GROUP || kind == LaneWork.NEW_GROUP
                ? new LaneWork(job, ranges, source, shards, store, this::ended)
                : new CopyWork(job, ranges, source, shards, store, this::ended, inbox, clock);
    }

    void add(Work work) {
        live.put(work.job.id(), work);
    }

    /** Runs once a job that ends has given back what it took. */
    void whenGone(Work work, Runnable then) {
        if (live.get(work.job.id()) == work) {
            awaited.computeIfAbsent(work, key -> new ArrayList<>()).add(then);
        } else {
            then.run();
        }
    }

    private void ended(Work work) {
        live.remove(work.job.id(), work);
        ReplayJob job = work.job.wire.build();
        audit.note(
                new AuditEntry(
                        job.getStartedBy(),
                        job.getTarget().getKind() == CopyWork.ORIGIN ? "redrive.end" : "replay.end",
                        job.getTopic(),
                        work instanceof LaneWork ? job.getTarget().getName() : "",
                        job.getReason(),
                        Map.of(
                                "job",
                                job.getId(),
                                "plan",
                                job.getPlanId(),
                                "target",
                                Operations.text(job.getTarget()))),
                job.getState() == JobRecord.FAILED ? Phase.FAILED : Phase.DONE,
                summary(job));
        List<Runnable> waiting = awaited.remove(work);
        if (waiting != null) {
            waiting.forEach(Runnable::run);
        }
    }

    private static String summary(ReplayJob job) {
        return Operations.state(job) + ": " + job.getRedelivered() + " redelivered, " + job.getAcked() + " acked, "
                + job.getFailed() + " failed, " + job.getOpen() + " open, " + job.getDuplicates() + " duplicates, "
                + job.getErrors() + " errors" + (job.getWhy().isEmpty() ? "" : "; " + job.getWhy());
    }

    /** Takes up what a run of the broker before this one left. */
    void recover() {
        for (Plan plan : store.plans()) {
            if (plan.wire.getState() == Plan.SCANNING) {
                plan.fail(new SpillwayException(
                        Code.NOT_READY,
                        "the plan was not finished",
                        "the broker stopped while it was being made",
                        "plan again"));
                keep(plan);
            }
        }
        Set<String> jobIds = store.jobs().stream()
                .filter(job -> !job.hasEnded())
                .map(JobRecord::id)
                .collect(Collectors.toUnmodifiableSet());
        for (int shard = 0; shard < shards.count(); shard++) {
            shards.ask(
                    shard,
                    reply -> new ReplayCommand.KeepOnly(jobIds, reply),
                    Answer.<Boolean>of(done -> {}, why -> LOG.error("event=replays_not_cleared {}", why)));
        }
        store.jobs().stream().filter(job -> !job.hasEnded()).forEach(this::recover);
    }

    private void recover(JobRecord job) {
        Plan plan = store.findPlan(job.wire.getPlanId());
        TopicSpec source = shards.catalog().find(job.wire.getTopic());
        if (plan == null || source == null) {
            job.wire
                    .setState(JobRecord.FAILED)
                    .setWhy(plan == null ? "its plan is gone" : "topic " + job.wire.getTopic() + " was deleted")
                    .setEndedUnixMs(shards.nowMs());
            store.keep(job, Answer.of(done -> {}, why -> LOG.error("event=replay_not_kept job={} {}", job.id(), why)));
            return;
        }
        LOG.info(
                "event=replay_resumed job={} topic={} done={} records={}",
                job.id(),
                job.wire.getTopic(),
                job.wire.getDone(),
                job.wire.getRecords());
        Work work = of(job, plan.ranges, source);
        add(work);
        work.resume();
    }

    /** Gives back memory; nothing is stepped any more. */
    void release() {
        live.values().forEach(Work::release);
    }

    /** How far the jobs are; safe for others as of the last step. */
    ReplayProgress progress() {
        return progress.get();
    }

    private void publishProgress() {
        int running = 0;
        int paused = 0;
        long records = 0;
        long done = 0;
        for (Work work : live.values()) {
            running += work.job.isRunning() ? 1 : 0;
            paused += work.job.wire.getState() == JobRecord.PAUSED ? 1 : 0;
            records += work.job.wire.getRecords();
            done += work.job.wire.getDone();
        }
        if (!live.isEmpty() || progress.get() != ReplayProgress.NONE) {
            progress.set(live.isEmpty() ? ReplayProgress.NONE : new ReplayProgress(running, paused, records, done));
        }
    }

    int doWork(long nowMs) {
        publishProgress();
        if (held.get()) {
            return 0;
        }
        int done = 0;
        for (PlanScan scan : List.copyOf(scans)) {
            done += step(scan, nowMs);
        }
        scans.removeIf(PlanScan::isDone);
        for (Work work : List.copyOf(live.values())) {
            done += step(work, nowMs);
        }
        return done;
    }

    private static int step(PlanScan scan, long nowMs) {
        try {
            return scan.doWork(nowMs);
        } catch (RuntimeException e) {
            LOG.error(
                    "event=plan_failed plan={} next=\"report it with this line, and plan again\"",
                    scan.plan().id(),
                    e);
            scan.fail(unexpected(e));
            return 1;
        }
    }

    /** What nobody expected ends one job, never the others. */
    private static int step(Work work, long nowMs) {
        try {
            return work.doWork(nowMs);
        } catch (RuntimeException e) {
            LOG.error("event=replay_failed job={} next=\"report it with this line, and plan again\"", work.job.id(), e);
            work.end(JobRecord.FAILED, unexpected(e).toString());
            return 1;
        }
    }

    private static SpillwayException unexpected(RuntimeException e) {
        return e instanceof SpillwayException told
                ? told
                : new SpillwayException(
                        Code.INTERNAL, "a replay failed", e.toString(), "look at the broker's log", 0, e);
    }
}

package io.spillway.broker.replay;

import com.google.protobuf.InvalidProtocolBufferException;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.records.ReplayJobDropped;
import io.spillway.broker.records.ReplayPlanDropped;
import io.spillway.broker.records.StateRecord;
import io.spillway.broker.shard.ReplayCommand;
import io.spillway.protocol.Code;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Plans and jobs, and their way into the log of shard 0. Bounded: the oldest that nobody needs go. Confined to the replay thread. */
final class Store {
    static final int MOST_PLANS = 100;
    static final int MOST_JOBS = 200;
    /** Bytes of all plans' ranges, which lie in memory and in each snapshot of shard 0. */
    private static final long MOST_PLAN_BYTES = 16L << 20;

    private final Shards shards;
    private final Map<String, Plan> plans = new LinkedHashMap<>();
    private final Map<String, JobRecord> jobs = new LinkedHashMap<>();

    Store(Shards shards) {
        this.shards = shards;
    }

    void load(ReplayCommand.Kept kept) {
        try {
            for (var plan : kept.plans()) {
                plans.put(plan.getId(), Plan.restore(plan));
            }
            for (var job : kept.jobs()) {
                jobs.put(job.getId(), JobRecord.restore(job));
            }
        } catch (InvalidProtocolBufferException e) {
            throw new SpillwayException(
                    Code.STORAGE_ERROR,
                    "the records of replays cannot be read",
                    String.valueOf(e.getMessage()),
                    "were they written by a newer version? start that one",
                    0,
                    e);
        }
    }

    /** Newest first. */
    List<Plan> plans() {
        return newestFirst(plans.values());
    }

    /** Newest first. */
    List<JobRecord> jobs() {
        return newestFirst(jobs.values());
    }

    private static <T> List<T> newestFirst(Iterable<T> oldestFirst) {
        List<T> all = new ArrayList<>();
        oldestFirst.forEach(each -> all.add(0, each));
        return all;
    }

    @Nullable
    Plan findPlan(String id) {
        return plans.get(id);
    }

    @Nullable
    JobRecord findJob(String id) {
        return jobs.get(id);
    }

    Plan plan(String id) {
        Plan plan = plans.get(id);
        if (plan == null) {
            throw unknown("plan", id, "plans are kept up to " + MOST_PLANS + "; see: spillway replay list");
        }
        return plan;
    }

    JobRecord job(String id) {
        JobRecord job = jobs.get(id);
        if (job == null) {
            throw unknown("job", id, "see: spillway replay list");
        }
        return job;
    }

    private static SpillwayException unknown(String kind, String id, String next) {
        return new SpillwayException(
                Code.NOT_FOUND, "there is no replay " + kind + " \"" + id + "\"", "it was deleted or never was", next);
    }

    boolean hasLiveJob(Plan plan) {
        return jobs.values().stream().anyMatch(job -> job.wire.getPlanId().equals(plan.id()) && !job.hasEnded());
    }

    /** Writes a plan as it is now; with a new one the oldest without a job go when there are too many. */
    void keep(Plan plan, Answer<Boolean> answer) {
        plans.put(plan.id(), plan);
        List<StateRecord> records = new ArrayList<>();
        records.add(StateRecord.newBuilder().setReplayPlanKept(plan.kept()).build());
        long bytes = plans.values().stream().mapToLong(Plan::bytes).sum();
        for (Plan old : List.copyOf(plans.values())) {
            if (plans.size() <= MOST_PLANS && bytes <= MOST_PLAN_BYTES) {
                break;
            }
            if (old != plan && old.wire.getState() != Plan.SCANNING && !hasLiveJob(old)) {
                plans.remove(old.id());
                bytes -= old.bytes();
                records.add(dropped(old));
            }
        }
        write(records, answer);
    }

    void drop(Plan plan, Answer<Boolean> answer) {
        plans.remove(plan.id());
        write(List.of(dropped(plan)), answer);
    }

    private static StateRecord dropped(Plan plan) {
        return StateRecord.newBuilder()
                .setReplayPlanDropped(ReplayPlanDropped.newBuilder().setId(plan.id()))
                .build();
    }

    /** Writes a job as it is now; with a new one the oldest that have ended go when there are too many. */
    void keep(JobRecord job, Answer<Boolean> answer) {
        jobs.put(job.id(), job);
        List<StateRecord> records = new ArrayList<>();
        records.add(StateRecord.newBuilder().setReplayJobKept(job.kept()).build());
        for (JobRecord old : List.copyOf(jobs.values())) {
            if (jobs.size() > MOST_JOBS && old.hasEnded() && old != job) {
                jobs.remove(old.id());
                records.add(StateRecord.newBuilder()
                        .setReplayJobDropped(ReplayJobDropped.newBuilder().setId(old.id()))
                        .build());
            }
        }
        write(records, answer);
    }

    private void write(List<StateRecord> records, Answer<Boolean> answer) {
        shards.ask(0, reply -> new ReplayCommand.Keep(records, reply), answer);
    }
}

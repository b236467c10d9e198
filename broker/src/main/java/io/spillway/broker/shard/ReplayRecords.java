package io.spillway.broker.shard;

import io.spillway.broker.records.Position;
import io.spillway.broker.records.ReplayHeld;
import io.spillway.broker.records.ReplayJobKept;
import io.spillway.broker.records.ReplayPlanKept;
import io.spillway.broker.records.Snapshot;
import io.spillway.broker.records.StateRecord;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a shard remembers of replays: shard 0 their plans and jobs, each shard what they hold of its partitions. Confined
 * to the shard thread.
 */
final class ReplayRecords {
    final Map<String, ReplayPlanKept> plans = new LinkedHashMap<>();
    final Map<String, ReplayJobKept> jobs = new LinkedHashMap<>();
    final Map<String, ReplayHeld> holds = new LinkedHashMap<>();

    /** One record of the kinds that speak of replays. */
    void apply(StateRecord record) {
        switch (record.getKindCase()) {
            case REPLAY_PLAN_KEPT -> plans.put(record.getReplayPlanKept().getId(), record.getReplayPlanKept());
            case REPLAY_PLAN_DROPPED ->
                plans.remove(record.getReplayPlanDropped().getId());
            case REPLAY_JOB_KEPT -> jobs.put(record.getReplayJobKept().getId(), record.getReplayJobKept());
            case REPLAY_JOB_DROPPED -> jobs.remove(record.getReplayJobDropped().getId());
            case REPLAY_HELD -> apply(record.getReplayHeld());
            default -> throw new IllegalArgumentException("not of replays: " + record.getKindCase());
        }
    }

    private void apply(ReplayHeld record) {
        if (record.getFromCount() == 0) {
            holds.remove(record.getJobId());
        } else {
            holds.put(record.getJobId(), record);
        }
    }

    /** The job that holds the lowest offset of a partition, or null. */
    @Nullable
    ReplayHeld lowest(int partitionId) {
        ReplayHeld lowest = null;
        for (ReplayHeld hold : holds.values()) {
            if (from(hold, partitionId) < (lowest == null ? Long.MAX_VALUE : from(lowest, partitionId))) {
                lowest = hold;
            }
        }
        return lowest;
    }

    /** From where on a job holds a partition; Long.MAX_VALUE when it does not. */
    static long from(ReplayHeld hold, int partitionId) {
        for (Position position : hold.getFromList()) {
            if (position.getPartitionId() == partitionId) {
                return position.getOffset();
            }
        }
        return Long.MAX_VALUE;
    }

    void snapshot(Snapshot.Builder out) {
        out.addAllReplayPlans(plans.values()).addAllReplayJobs(jobs.values()).addAllReplayHolds(holds.values());
    }

    void restore(Snapshot from) {
        from.getReplayPlansList().forEach(plan -> plans.put(plan.getId(), plan));
        from.getReplayJobsList().forEach(job -> jobs.put(job.getId(), job));
        from.getReplayHoldsList().forEach(this::apply);
    }
}

package io.spillway.broker.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.protocol.v1.ReplayJob;
import io.spillway.protocol.v1.ReplayList;
import io.spillway.protocol.v1.ReplayPlan;
import io.spillway.protocol.v1.ReplayRange;
import io.spillway.protocol.v1.ReplayTarget;
import java.io.IOException;
import java.util.List;

/** Plans and jobs in JSON. */
final class ReplayJson {
    private static final String[] PLAN_STATES = {"scanning", "ready", "failed"};
    private static final String[] JOB_STATES = {"running", "paused", "done", "cancelled", "failed"};
    private static final String[] TARGETS = {"", "group", "new-group", "topic", "origin", "file"};
    private static final int MAX_SHOWN = 200;

    private ReplayJson() {}

    static String list(ReplayList all) {
        return JsonObject.of(json -> {
            json.writeArrayFieldStart("plans");
            for (ReplayPlan plan : first(all.getPlansList())) {
                plan(json, plan);
            }
            json.writeEndArray();
            json.writeArrayFieldStart("jobs");
            for (ReplayJob job : first(all.getJobsList())) {
                job(json, job);
            }
            json.writeEndArray();
        });
    }

    private static <T> List<T> first(List<T> all) {
        return all.subList(0, Math.min(MAX_SHOWN, all.size()));
    }

    private static String name(String[] names, int number) {
        return number >= 0 && number < names.length ? names[number] : "unknown";
    }

    private static void plan(JsonGenerator json, ReplayPlan plan) throws IOException {
        json.writeStartObject();
        json.writeStringField("plan", plan.getId());
        json.writeStringField("topic", plan.getSelection().getTopic());
        json.writeStringField("filter", plan.getSelection().getFilter());
        json.writeStringField("state", name(PLAN_STATES, plan.getState()));
        json.writeStringField("failure", plan.hasError() ? plan.getError().getMessage() : "");
        json.writeNumberField("records", plan.getRecords());
        json.writeNumberField("bytes", plan.getBytes());
        json.writeNumberField("first_ms", plan.getFirstUnixMs());
        json.writeNumberField("last_ms", plan.getLastUnixMs());
        json.writeNumberField("keys", plan.getKeys());
        json.writeBooleanField("keys_exact", plan.getKeysExact());
        json.writeNumberField("duplicates", plan.getDuplicates());
        json.writeNumberField("scanned", plan.getScanned());
        json.writeNumberField("to_scan", plan.getToScan());
        json.writeNumberField("created_ms", plan.getCreatedUnixMs());
        json.writeArrayFieldStart("partitions");
        for (ReplayRange range : first(plan.getPartitionsList())) {
            json.writeStartObject();
            json.writeNumberField("partition", range.getPartition());
            json.writeNumberField("from", range.getFrom());
            json.writeNumberField("to", range.getTo());
            json.writeNumberField("records", range.getRecords());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void job(JsonGenerator json, ReplayJob job) throws IOException {
        json.writeStartObject();
        json.writeStringField("job", job.getId());
        json.writeStringField("plan", job.getPlanId());
        json.writeStringField("topic", job.getTopic());
        json.writeStringField("target", target(job.getTarget()));
        json.writeStringField("reason", job.getReason());
        json.writeStringField("started_by", job.getStartedBy());
        json.writeStringField("state", name(JOB_STATES, job.getState()));
        json.writeStringField("why", job.getWhy());
        json.writeNumberField("started_ms", job.getStartedUnixMs());
        json.writeNumberField("ended_ms", job.getEndedUnixMs());
        json.writeNumberField("records", job.getRecords());
        json.writeNumberField("done", job.getDone());
        json.writeNumberField("redelivered", job.getRedelivered());
        json.writeNumberField("acked", job.getAcked());
        json.writeNumberField("failed", job.getFailed());
        json.writeNumberField("open", job.getOpen());
        json.writeNumberField("duplicates", job.getDuplicates());
        json.writeNumberField("errors", job.getErrors());
        json.writeNumberField("rate", job.getRate());
        json.writeNumberField("rate_now", job.getRateNow());
        json.writeEndObject();
    }

    private static String target(ReplayTarget target) {
        String kind = name(TARGETS, target.getKind());
        return target.getName().isEmpty() ? kind : kind + ":" + target.getName();
    }
}

package io.spillway.broker.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.client.ReplayJob;
import io.spillway.client.ReplayPlan;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;

/** How plans and jobs of replays are shown. */
final class ReplayView {
    /** Rates for which the duration is told when a plan is shown. */
    private static final int[] RATES = {100, 1_000, 10_000};

    private ReplayView() {}

    static String details(ReplayPlan plan) {
        Table table = new Table("PARTITION", "FROM", "TO", "RECORDS");
        plan.partitions().forEach(p -> table.row(p.partition(), p.from(), p.to(), p.records()));
        StringBuilder durations = new StringBuilder();
        for (int rate : RATES) {
            durations
                    .append(durations.isEmpty() ? "" : ", ")
                    .append(ReplayFollower.text(plan.durationAt(rate)))
                    .append(" at ")
                    .append(rate)
                    .append("/s");
        }
        String keys = (plan.keysExact() ? "" : "about ") + plan.keys();
        return "plan:       " + plan.id()
                + "\ntopic:      " + plan.topic()
                + "\nstate:      " + text(plan.state()) + (plan.failure().isEmpty() ? "" : ": " + plan.failure())
                + "\nrecords:    " + plan.records() + " of " + plan.toScan() + " looked at"
                + "\nbytes:      " + plan.bytes()
                + "\ntime span:  " + span(plan)
                + "\nkeys:       " + keys
                + "\nduplicates: " + plan.duplicates() + " by idempotency key"
                + "\nduration:   " + durations
                + (plan.partitions().isEmpty() ? "" : "\n\n" + table)
                + (plan.state() == ReplayPlan.State.READY && plan.records() > 0
                        ? "\n\nnothing is changed yet; next: spillway replay start " + plan.id()
                                + " --target group:G --rate 100 --reason \"...\" --wait"
                        : "");
    }

    private static String span(ReplayPlan plan) {
        return plan.records() == 0
                ? "none"
                : Instant.ofEpochMilli(plan.firstMs()) + " to " + Instant.ofEpochMilli(plan.lastMs()) + " ("
                        + ReplayFollower.text(Duration.ofMillis(plan.lastMs() - plan.firstMs())) + ")";
    }

    static String details(ReplayJob job) {
        return "job:         " + job.id()
                + "\nplan:        " + job.planId()
                + "\ntopic:       " + job.topic()
                + "\ntarget:      " + job.target()
                + "\nreason:      " + job.options().reason()
                + "\nstarted:     " + Instant.ofEpochMilli(job.startedMs()) + " by " + job.startedBy()
                + (job.endedMs() == 0 ? "" : "\nended:       " + Instant.ofEpochMilli(job.endedMs()))
                + "\nstate:       " + text(job.state()) + (job.why().isEmpty() ? "" : ": " + job.why())
                + "\nprogress:    " + ReplayFollower.line(job)
                + "\nrate:        "
                + (job.options().rate() == 0 ? "no bound" : job.options().rate() + "/s")
                + "\n" + figures(job);
    }

    static String diff(ReplayJob job) {
        return "replay " + job.id() + " of " + job.topic() + " to " + job.target() + ", " + text(job.state()) + "\n\n"
                + figures(job);
    }

    private static String figures(ReplayJob job) {
        return "redelivered: " + job.redelivered()
                + "\nacked:       " + job.acked()
                + "\nfailed:      " + job.failed()
                + "\nopen:        " + job.open()
                + "\nduplicates:  " + job.duplicates()
                + "\nerrors:      " + job.errors();
    }

    static String plans(List<ReplayPlan> plans) {
        Table table = new Table("PLAN", "TOPIC", "STATE", "RECORDS", "CREATED");
        plans.forEach(plan -> table.row(
                plan.id(), plan.topic(), text(plan.state()), plan.records(), Instant.ofEpochMilli(plan.createdMs())));
        return table.toString();
    }

    static String jobs(List<ReplayJob> jobs) {
        Table table = new Table("JOB", "PLAN", "TOPIC", "TARGET", "STATE", "DONE", "RECORDS", "REASON");
        jobs.forEach(job -> table.row(
                job.id(),
                job.planId(),
                job.topic(),
                job.target(),
                text(job.state()),
                job.done(),
                job.records(),
                job.options().reason()));
        return table.toString();
    }

    private static String text(Enum<?> state) {
        return state.name().toLowerCase(Locale.ROOT);
    }

    static void writeJson(ReplayPlan plan, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("plan", plan.id());
        json.writeStringField("topic", plan.topic());
        json.writeStringField("state", text(plan.state()));
        json.writeStringField("failure", plan.failure());
        json.writeNumberField("records", plan.records());
        json.writeNumberField("bytes", plan.bytes());
        json.writeNumberField("first_time", plan.firstMs());
        json.writeNumberField("last_time", plan.lastMs());
        json.writeNumberField("keys", plan.keys());
        json.writeBooleanField("keys_exact", plan.keysExact());
        json.writeNumberField("duplicates", plan.duplicates());
        json.writeNumberField("scanned", plan.scanned());
        json.writeNumberField("to_scan", plan.toScan());
        json.writeNumberField("created", plan.createdMs());
        json.writeArrayFieldStart("partitions");
        for (ReplayPlan.Range range : plan.partitions()) {
            json.writeStartObject();
            json.writeNumberField("partition", range.partition());
            json.writeNumberField("from", range.from());
            json.writeNumberField("to", range.to());
            json.writeNumberField("records", range.records());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    static void writeJson(ReplayJob job, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("job", job.id());
        json.writeStringField("plan", job.planId());
        json.writeStringField("topic", job.topic());
        json.writeStringField("target", job.target().toString());
        json.writeStringField("reason", job.options().reason());
        json.writeNumberField("rate", job.options().rate());
        json.writeStringField("started_by", job.startedBy());
        json.writeStringField("state", text(job.state()));
        json.writeStringField("why", job.why());
        json.writeNumberField("started", job.startedMs());
        json.writeNumberField("ended", job.endedMs());
        json.writeNumberField("records", job.records());
        json.writeNumberField("done", job.done());
        json.writeNumberField("redelivered", job.redelivered());
        json.writeNumberField("acked", job.acked());
        json.writeNumberField("failed", job.failed());
        json.writeNumberField("open", job.open());
        json.writeNumberField("duplicates", job.duplicates());
        json.writeNumberField("errors", job.errors());
        json.writeNumberField("rate_now", job.rateNow());
        json.writeEndObject();
    }
}

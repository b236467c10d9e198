package io.spillway.broker.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.broker.base.Clock;
import io.spillway.broker.diagnose.Check;
import io.spillway.broker.diagnose.Diagnosis;
import io.spillway.broker.session.ChaosControl;
import io.spillway.broker.session.Degradation;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * {@code /livez} says whether the process should live on, {@code /startupz} whether it has begun to do its part, {@code
 * /readyz} whether it does its work: 200, or 503 with one JSON object a line for each cause; {@code /health} how it is,
 * always with 200, with {@code verbose} with every check, with {@code service} of that one alone. Confined to the admin thread.
 */
final class HealthRoutes {
    static final String LIVE = "/livez";
    static final String READY = "/readyz";
    static final String STARTED = "/startupz";
    static final String HEALTH = "/health";
    static final Set<String> PATHS = Set.of(LIVE, READY, STARTED, HEALTH);

    private static final String JSON_LINES = "application/x-ndjson";
    private static final String VERBOSE = "verbose";
    private static final String SERVICE = "service";

    private final Sources sources;
    private final Diagnoses diagnoses;
    private final ServiceHealth services;
    private final Clock clock;
    /** Once it has, a probe of the start has no more to say. */
    private boolean started;

    /** Who knows how the broker is, what it does without, and what is made to go wrong. */
    record Sources(Supplier<Health> health, Supplier<Degradation.View> degradation, ChaosControl chaos) {}

    HealthRoutes(Sources sources, Diagnoses diagnoses, Clock clock) {
        this.sources = sources;
        this.diagnoses = diagnoses;
        services = new ServiceHealth(diagnoses);
        this.clock = clock;
    }

    CompletableFuture<Answer> answer(AdminRequest request) {
        Health now = sources.health().get();
        started |= now.hasStarted();
        return switch (request.path()) {
            case LIVE -> done(now.live() ? Answer.text(200, "live\n") : unavailable(now));
            case READY -> done(now.ready() ? Answer.text(200, "ready\n") : unavailable(now));
            case STARTED -> done(started(now));
            default -> health(request, now);
        };
    }

    private CompletableFuture<Answer> health(AdminRequest request, Health now) {
        String service = request.query().get(SERVICE);
        if (service != null) {
            return services.of(service, now, started)
                    .handle((serving, failure) -> failure == null
                            ? new Answer(200, Answer.JSON, JsonObject.of(json -> write(json, now, serving)))
                            : Answer.error(ClusterFailures.of(failure, "nothing is known")));
        }
        return request.query().containsKey(VERBOSE)
                ? diagnoses.all().thenApply(all -> health(now, all))
                : done(new Answer(200, Answer.JSON, JsonObject.of(json -> write(json, now))));
    }

    /** Why a service does not serve is what is with it, or else with the broker. */
    private static void write(JsonGenerator json, Health now, ServiceHealth.Serving serving) throws IOException {
        serving.write(json);
        Diagnosis diagnosis = serving.diagnosis();
        if (diagnosis != null) {
            DiagnosisJson.all(json, List.of(diagnosis));
        } else if (serving.status() == ServiceHealth.Status.NOT_SERVING) {
            causes(json, now);
        }
    }

    private static CompletableFuture<Answer> done(Answer answer) {
        return CompletableFuture.completedFuture(answer);
    }

    private Answer started(Health now) {
        return started ? Answer.text(200, "started\n") : unavailable(now);
    }

    /** Always 200: who asks wants to know how it is, not whether. */
    private Answer health(Health now, List<Diagnosis> all) {
        List<Check> checks = Check.of(all, clock.nowMs());
        return new Answer(200, Answer.JSON, JsonObject.of(json -> {
            write(json, now);
            json.writeStringField("severity", Check.worstOf(checks).name());
            DiagnosisJson.checks(json, checks);
        }));
    }

    private void write(JsonGenerator json, Health now) throws IOException {
        Degradation.View view = sources.degradation().get();
        json.writeStringField("status", ServiceHealth.status(now.ready()).name());
        json.writeBooleanField("live", now.live());
        json.writeBooleanField("ready", now.ready());
        json.writeObjectFieldStart("degradation");
        json.writeNumberField("step", view.step().number());
        json.writeStringField("what", view.step().name());
        json.writeStringField("why", view.why());
        json.writeStringField("lacks", view.step().lacks());
        json.writeStringField("next_step", view.step().next());
        json.writeNumberField("since_ms", view.sinceMs());
        json.writeEndObject();
        ChaosRoutes.write(json, sources.chaos(), clock.nowMs());
        causes(json, now);
    }

    private static void causes(JsonGenerator json, Health now) throws IOException {
        json.writeArrayFieldStart("causes");
        for (Health.Cause cause : now.causes()) {
            json.writeStartObject();
            write(json, cause);
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void write(JsonGenerator json, Health.Cause cause) throws IOException {
        json.writeStringField("component", cause.component());
        json.writeStringField("cause", cause.name().name());
        json.writeStringField("what", cause.what());
        json.writeStringField("why", cause.why());
        json.writeStringField("next_step", cause.nextStep());
        json.writeStringField("runbook", cause.name().runbook());
    }

    private static Answer unavailable(Health view) {
        StringBuilder lines = new StringBuilder();
        view.causes().forEach(cause -> lines.append(JsonObject.of(json -> write(json, cause))));
        return new Answer(503, JSON_LINES, lines.toString());
    }
}

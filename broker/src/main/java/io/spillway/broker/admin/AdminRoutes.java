package io.spillway.broker.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.spillway.broker.session.Degradation;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * What there is, and the answers. {@code /livez} says whether the process should live on, {@code /readyz} whether it
 * does its work: 200, or 503 with one JSON object a line for each cause; {@code /health} how it is, always with 200. {@link ClusterRoutes} has
 * {@code /cluster}, {@link LinkRoutes} {@code /links},
 * {@link QuotaRoutes} {@code /quotas}, {@link ToggleRoutes} {@code /toggles}. Confined to the admin thread.
 */
final class AdminRoutes implements AutoCloseable {
    private static final String LIVE = "/livez";
    private static final String READY = "/readyz";
    private static final String HEALTH = "/health";
    private static final String METRICS = "/metrics";
    private static final Set<String> PATHS = Set.of(LIVE, READY, HEALTH, METRICS);
    private static final String JSON_LINES = "application/x-ndjson";
    private static final String PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";

    private final Supplier<Health> health;
    private final PrometheusMeterRegistry registry;
    private final ClusterRoutes cluster;
    private final LinkRoutes links;
    private final QuotaRoutes quotas;
    private final ToggleRoutes toggles;
    private final AccessRoutes access;
    private final Supplier<Degradation.View> degradation;
    private final JvmMeters jvm = new JvmMeters();

    /** The supplier is called on the admin thread and must be safe there. */
    AdminRoutes(
            Supplier<Health> health,
            PrometheusMeterRegistry registry,
            ClusterRoutes cluster,
            LinkRoutes links,
            QuotaRoutes quotas,
            ToggleRoutes toggles,
            AccessRoutes access,
            Supplier<Degradation.View> degradation) {
        this.health = health;
        this.registry = registry;
        this.cluster = cluster;
        this.links = links;
        this.quotas = quotas;
        this.toggles = toggles;
        this.access = access;
        this.degradation = degradation;
    }

    /** Ends on any thread. */
    CompletableFuture<Answer> answer(AdminRequest request) {
        if (ClusterRoutes.areFor(request.path())) {
            return cluster.answer(request);
        }
        if (LinkRoutes.areFor(request.path())) {
            return links.answer(request);
        }
        if (QuotaRoutes.areFor(request.path())) {
            return quotas.answer(request);
        }
        if (ToggleRoutes.areFor(request.path())) {
            return toggles.answer(request);
        }
        if (AccessRoutes.areFor(request.path())) {
            return access.answer(request);
        }
        return CompletableFuture.completedFuture(request.reads() ? get(request.path()) : refuse(request.path()));
    }

    private Answer get(String path) {
        return switch (path) {
            case LIVE -> live(health.get());
            case READY -> ready(health.get());
            case HEALTH -> health(health.get());
            case METRICS -> metrics();
            default -> notFound(path);
        };
    }

    /** The answer to any method that would change something. */
    private static Answer refuse(String path) {
        return PATHS.contains(path) ? Answer.onlyBy(Answer.READS) : notFound(path);
    }

    private static Answer notFound(String path) {
        String shown = path.length() > 64 ? path.substring(0, 64) + "..." : path;
        return Answer.text(
                404,
                "no " + shown + "; there are " + LIVE + ", " + READY + ", " + HEALTH + ", " + METRICS + ", "
                        + ClusterRoutes.ROOT + ", " + LinkRoutes.ROOT + ", " + QuotaRoutes.ROOT + " and "
                        + ToggleRoutes.ROOT + "\n");
    }

    private Answer live(Health view) {
        return view.live() ? Answer.text(200, "live\n") : unavailable(view);
    }

    private Answer ready(Health view) {
        return view.ready() ? Answer.text(200, "ready\n") : unavailable(view);
    }

    /** Always 200: who asks wants to know how it is, not whether. */
    private Answer health(Health now) {
        Degradation.View view = degradation.get();
        return new Answer(200, Answer.JSON, JsonObject.of(json -> {
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
            json.writeArrayFieldStart("causes");
            for (Health.Cause cause : now.causes()) {
                json.writeStartObject();
                write(json, cause);
                json.writeEndObject();
            }
            json.writeEndArray();
        }));
    }

    private static void write(JsonGenerator json, Health.Cause cause) throws IOException {
        json.writeStringField("component", cause.component());
        json.writeStringField("what", cause.what());
        json.writeStringField("why", cause.why());
        json.writeStringField("next_step", cause.nextStep());
    }

    private Answer unavailable(Health view) {
        StringBuilder lines = new StringBuilder();
        view.causes().forEach(cause -> lines.append(line(cause)));
        return new Answer(503, JSON_LINES, lines.toString());
    }

    private static String line(Health.Cause cause) {
        return JsonObject.of(json -> write(json, cause));
    }

    private Answer metrics() {
        jvm.bindOnce(registry);
        return new Answer(200, PROMETHEUS_TEXT, registry.scrape());
    }

    @Override
    public void close() {
        jvm.close();
    }
}

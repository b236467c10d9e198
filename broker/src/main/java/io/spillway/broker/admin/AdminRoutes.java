package io.spillway.broker.admin;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * What there is, and the answers. {@code /livez} says whether the process should live on, {@code /readyz} whether it
 * does its work: 200, or 503 with one JSON object a line for each cause. {@link ClusterRoutes} has
 * {@code /cluster}, {@link LinkRoutes} {@code /links},
 * {@link QuotaRoutes} {@code /quotas}. Confined to the admin thread.
 */
final class AdminRoutes implements AutoCloseable {
    private static final String LIVE = "/livez";
    private static final String READY = "/readyz";
    private static final String METRICS = "/metrics";
    private static final Set<String> PATHS = Set.of(LIVE, READY, METRICS);
    private static final String JSON_LINES = "application/x-ndjson";
    private static final String PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";

    private final Supplier<Health> health;
    private final PrometheusMeterRegistry registry;
    private final ClusterRoutes cluster;
    private final LinkRoutes links;
    private final QuotaRoutes quotas;
    private final JvmMeters jvm = new JvmMeters();

    /** The supplier is called on the admin thread and must be safe there. */
    AdminRoutes(
            Supplier<Health> health,
            PrometheusMeterRegistry registry,
            ClusterRoutes cluster,
            LinkRoutes links,
            QuotaRoutes quotas) {
        this.health = health;
        this.registry = registry;
        this.cluster = cluster;
        this.links = links;
        this.quotas = quotas;
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
        return CompletableFuture.completedFuture(request.reads() ? get(request.path()) : refuse(request.path()));
    }

    private Answer get(String path) {
        return switch (path) {
            case LIVE -> live(health.get());
            case READY -> ready(health.get());
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
                "no " + shown + "; there are " + LIVE + ", " + READY + ", " + METRICS + ", " + ClusterRoutes.ROOT + ", "
                        + LinkRoutes.ROOT + " and " + QuotaRoutes.ROOT + "\n");
    }

    private Answer live(Health view) {
        return view.live() ? Answer.text(200, "live\n") : unavailable(view);
    }

    private Answer ready(Health view) {
        return view.ready() ? Answer.text(200, "ready\n") : unavailable(view);
    }

    private Answer unavailable(Health view) {
        StringBuilder lines = new StringBuilder();
        view.causes().forEach(cause -> lines.append(line(cause)));
        return new Answer(503, JSON_LINES, lines.toString());
    }

    private static String line(Health.Cause cause) {
        return JsonObject.of(json -> {
            json.writeStringField("component", cause.component());
            json.writeStringField("what", cause.what());
            json.writeStringField("why", cause.why());
            json.writeStringField("next_step", cause.nextStep());
        });
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

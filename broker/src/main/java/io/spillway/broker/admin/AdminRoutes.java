package io.spillway.broker.admin;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * What there is, and the answers. {@link HealthRoutes} has what probes ask, {@link DiagnoseRoutes} {@code /diagnose}, {@link
 * ClusterRoutes} {@code /cluster}, {@link LinkRoutes} {@code /links}, {@link QuotaRoutes} {@code /quotas}, {@link
 * ToggleRoutes} {@code /toggles}, {@link ChaosRoutes} {@code /chaos}, {@link AccessRoutes} {@code /users}, {@code /acls} and {@code
 * /tokens}. Confined to the admin thread.
 */
final class AdminRoutes implements AutoCloseable {
    private static final String METRICS = "/metrics";
    private static final String PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";

    private final PrometheusMeterRegistry registry;
    private final HealthRoutes health;
    private final DiagnoseRoutes diagnose;
    private final ClusterRoutes cluster;
    private final LinkRoutes links;
    private final QuotaRoutes quotas;
    private final ToggleRoutes toggles;
    private final ChaosRoutes chaos;
    private final AccessRoutes access;
    private final ConsoleServer console;
    private final JvmMeters jvm = new JvmMeters();

    /** The supplier is called on the admin thread and must be safe there. */
    AdminRoutes(Supplier<Health> health, PrometheusMeterRegistry registry, Operated operated, ConsoleServer console) {
        this.registry = registry;
        Observed observed = operated.observed();
        Diagnoses diagnoses = new Diagnoses(operated);
        this.health = new HealthRoutes(
                new HealthRoutes.Sources(health, operated.degradation(), operated.chaos()),
                diagnoses,
                observed.clock());
        diagnose = new DiagnoseRoutes(diagnoses, observed);
        cluster = new ClusterRoutes(operated.cluster());
        links = new LinkRoutes(operated.links());
        quotas = new QuotaRoutes(operated.quotas());
        toggles = new ToggleRoutes(operated.toggles());
        chaos = new ChaosRoutes(
                operated.chaos(), () -> observed.node().get().node(), observed.catalog(), observed.clock());
        access = new AccessRoutes(operated.access());
        this.console = console;
    }

    /** Ends on any thread. */
    CompletableFuture<Answer> answer(AdminRequest request) {
        String path = request.path();
        if (ClusterRoutes.areFor(path)) {
            return cluster.answer(request);
        }
        if (LinkRoutes.areFor(path)) {
            return links.answer(request);
        }
        if (QuotaRoutes.areFor(path)) {
            return quotas.answer(request);
        }
        if (ToggleRoutes.areFor(path)) {
            return toggles.answer(request);
        }
        if (ChaosRoutes.areFor(path)) {
            return chaos.answer(request);
        }
        if (AccessRoutes.areFor(path)) {
            return access.answer(request);
        }
        if (console.isFor(path)) {
            return console.answer(request);
        }
        if (DiagnoseRoutes.areFor(path)) {
            return diagnose.answer(request);
        }
        if (HealthRoutes.PATHS.contains(path)) {
            return request.reads() ? health.answer(request) : done(Answer.onlyBy(Answer.READS));
        }
        if (path.equals(METRICS)) {
            return done(request.reads() ? metrics() : Answer.onlyBy(Answer.READS));
        }
        return done(notFound(path));
    }

    private static CompletableFuture<Answer> done(Answer answer) {
        return CompletableFuture.completedFuture(answer);
    }

    private static Answer notFound(String path) {
        String shown = path.length() > 64 ? path.substring(0, 64) + "..." : path;
        return Answer.text(
                404,
                "no " + shown + "; there are " + HealthRoutes.LIVE + ", " + HealthRoutes.READY + ", "
                        + HealthRoutes.STARTED + ", " + HealthRoutes.HEALTH + ", " + METRICS + ", "
                        + DiagnoseRoutes.PATH + ", " + ClusterRoutes.ROOT + ", " + LinkRoutes.ROOT + ", "
                        + QuotaRoutes.ROOT + ", " + ChaosRoutes.ROOT + ", /users, /acls, /tokens and "
                        + ToggleRoutes.ROOT + "\n");
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

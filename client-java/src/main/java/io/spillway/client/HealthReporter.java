package io.spillway.client;

import io.spillway.client.core.HealthMachine;
import io.spillway.client.core.HealthSample;
import io.spillway.client.net.Connection;
import io.spillway.protocol.Features;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.HealthReport;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Looks how the client is, and tells the broker. Confined to the network thread, but for {@link #health}. */
final class HealthReporter {
    /**
     * @param intervalMs 0: nobody is told
     * @param root the directory under which proc/pressure is
     * @param app what the application says of itself
     */
    record Settings(int intervalMs, Path root, Supplier<AppHealth> app) {
        static final AppHealth WELL = new AppHealth(HealthState.READY, 0);
        static final Settings OFF = new Settings(0, Path.of("/"), () -> WELL);

        boolean isOn() {
            return intervalMs > 0;
        }
    }

    /** A collector that takes 15 % of the time is as bad as it gets. */
    private static final int GC_FULL_PM = 150;

    private final Settings settings;
    private final ClientContext client;
    private final HealthMachine machine = new HealthMachine(GC_FULL_PM);
    private final HealthSampler sampler;
    private final Lateness lateness = new Lateness();
    private HealthReport.Builder last = HealthReport.newBuilder();
    private @Nullable Connection told;
    private long seq;
    private long tickNs;
    private long sampledMs;
    private volatile Health health = new Health(HealthState.READY, List.of(), 0, false);

    HealthReporter(Settings settings, ClientContext client) {
        this.settings = settings;
        this.client = client;
        sampler = new HealthSampler(settings.root());
        tickNs = client.clock().nanoTime();
        sampledMs = tickNs / 1_000_000 - settings.intervalMs();
        last.setIntervalMs(settings.intervalMs());
    }

    /** As of the last report. From any thread. */
    Health health() {
        return health;
    }

    /** Whether nothing new should be taken. */
    boolean brakes() {
        return machine.brakes();
    }

    /** @param everyMs after which time a tick should come */
    void tick(long nowNs, int everyMs, @Nullable Connection connection, boolean draining) {
        if (!settings.isOn()) {
            return;
        }
        lateness.add((nowNs - tickNs) / 1_000 - everyMs * 1_000L);
        tickNs = nowNs;
        long nowMs = nowNs / 1_000_000;
        boolean due = machine.drain(draining, nowMs);
        if (connection != told) {
            told = connection;
            due |= connection != null && machine.connected(nowMs);
        }
        if (nowMs - sampledMs >= settings.intervalMs()) {
            due |= sample(nowMs);
        }
        if (due || machine.timer(nowMs)) {
            report();
        }
        publish();
    }

    private void publish() {
        HealthState state = HealthState.values()[machine.state().ordinal()];
        List<String> reasons =
                machine.reasons().stream().map(HealthMachine.Reason::name).toList();
        Health now = new Health(state, reasons, machine.utilPm(), machine.handoffRequested());
        Health before = health;
        health = now;
        if (before.state() != now.state()) {
            client.metrics().onHealth(now);
        }
    }

    private boolean sample(long nowMs) {
        long elapsedMs = Math.max(1, nowMs - sampledMs);
        sampledMs = nowMs;
        AppHealth app = ask();
        Workload work = client.work();
        Workload.Done done = work.take();
        HealthSample sample = new HealthSample(
                sampler.gcPm(elapsedMs),
                sampler.memory(),
                lateness.p99Us(),
                sampler.stalls(),
                new HealthSample.Handlers(work.inflight(), work.maxInflight()),
                HealthMachine.State.values()[app.state().ordinal()],
                Math.max(0, app.utilPm()));
        HealthSample.Stalls stalls = sample.stalls();
        last = HealthReport.newBuilder()
                .setIntervalMs(settings.intervalMs())
                .setGcCpuPm(sample.gcCpuPm())
                .setHeapPm(sample.memory().heapPm())
                .setMemPm(sample.memory().memPm())
                .setSchedP99Us(sample.schedP99Us())
                .setPsiMemSomePm(stalls.memSomePm())
                .setPsiMemFullPm(stalls.memFullPm())
                .setPsiIoSomePm(stalls.ioSomePm())
                .setPsiIoFullPm(stalls.ioFullPm())
                .setInflight(sample.handlers().inflight())
                .setMaxInflight(sample.handlers().maxInflight())
                .setHandlerP50Us(done.p50Us())
                .setHandlerP99Us(done.p99Us())
                .setRpsMilli(perSecondMilli(done.settled(), elapsedMs))
                .setEpsMilli(perSecondMilli(done.failed(), elapsedMs));
        return machine.sample(sample, nowMs);
    }

    private AppHealth ask() {
        try {
            return settings.app().get();
        } catch (RuntimeException e) {
            Callbacks.threw(settings.app(), e);
            return Settings.WELL;
        }
    }

    private static int perSecondMilli(long n, long elapsedMs) {
        return (int) Math.min(Integer.MAX_VALUE, n * 1_000_000 / elapsedMs);
    }

    private void report() {
        if (told == null || !told.isOpen() || !told.hello().getFeaturesList().contains(Features.HEALTH_REPORTS)) {
            return;
        }
        seq++;
        told.send(
                FrameKind.HEALTH_REPORT,
                0,
                last.clone()
                        .setSeq(seq)
                        .setState(machine.state().ordinal())
                        .addAllReasons(machine.reasons().stream()
                                .map(HealthMachine.Reason::number)
                                .toList())
                        .setAppUtilPm(machine.utilPm())
                        .setHandoffRequested(machine.handoffRequested())
                        .build());
    }
}

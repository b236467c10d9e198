package io.spillway.broker;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.spillway.broker.admin.AdminServer;
import io.spillway.broker.admin.ConsoleSource;
import io.spillway.broker.admin.Health;
import io.spillway.broker.admin.Observed;
import io.spillway.broker.admin.Operated;
import io.spillway.broker.audit.Audit;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.canary.Canary;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.chaos.Faults;
import io.spillway.broker.cluster.Checkup;
import io.spillway.broker.cluster.ClusterMember;
import io.spillway.broker.cluster.ClusterView;
import io.spillway.broker.cluster.MemberFiles;
import io.spillway.broker.link.LinkService;
import io.spillway.broker.log.DataDirectory;
import io.spillway.broker.log.LogReplacement;
import io.spillway.broker.log.ShardLog;
import io.spillway.broker.metrics.Meters;
import io.spillway.broker.replay.ReplayService;
import io.spillway.broker.replay.Replays;
import io.spillway.broker.session.AccessSettings;
import io.spillway.broker.session.ChaosControl;
import io.spillway.broker.session.Degradation;
import io.spillway.broker.session.PressureMonitor;
import io.spillway.broker.session.SessionContext;
import io.spillway.broker.session.ToggleWatch;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.Shard;
import io.spillway.broker.shard.ShardConfig;
import io.spillway.broker.tracing.Traces;
import io.spillway.broker.transport.BrokerServer;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running broker: opens the data directory, recovers each shard, listens. {@link #close} drains: new work is refused,
 * what is in flight is answered, everything is synced. Thread-safe.
 */
public final class Broker implements AutoCloseable {
    public static final String VERSION = "0.1.0";

    private static final Logger LOG = LoggerFactory.getLogger(Broker.class);
    /** How long a client has to go to the leader by itself, in ms. */
    private static final int MOVE_GRACE_MS = 1_000;

    private static final long POLL_NS = TimeUnit.MILLISECONDS.toNanos(5);
    /** What of the drain time is kept for syncing and closing the shards, in ms. */
    private static final long SHARD_CLOSE_MS = 3_000;

    private final BrokerConfig config;
    private final Clock clock;
    private final DataDirectory directory;
    private final List<Shard> shards;
    private final ReplayService replays;
    private final LinkService links;
    private final @Nullable ClusterMember cluster;
    private final SessionContext context;
    private final @Nullable Traces traces;
    private final OpenedSecurity security;
    private final BrokerServer server;
    private final PressureMonitor pressure;
    private final Degradation degradation;
    private final NodeHealth health;
    private final ChaosControl chaos;
    private final Canary canary;
    private final @Nullable ClusterMetrics clusterMetrics;
    private final AdminServer admin;
    private boolean closed;

    private Broker(
            BrokerConfig config,
            Clock clock,
            DataDirectory directory,
            List<Shard> shards,
            ReplayService replays,
            LinkService links,
            @Nullable ClusterMember cluster,
            @Nullable Traces traces,
            SessionContext context) {
        this.config = config;
        this.traces = traces;
        this.clock = clock;
        this.directory = directory;
        this.shards = shards;
        this.replays = replays;
        this.links = links;
        this.cluster = cluster;
        this.context = context;
        security = new OpenedSecurity(config.security(), shards.get(0), context, clock);
        server = BrokerServer.start(
                config.listen(), config.eventLoops(), security.door(), config.forSessions(), context);
        security.watch(server, context);
        pressure = new PressureMonitor(context, shards, config.log().minFreeBytes());
        if (config.controls()) {
            server.every(PressureMonitor.TICK_MS, pressure::tick);
        }
        chaos = rehearse();
        canary = new Canary(
                config.rehearsing().canaryMs(),
                context.topicCatalog(),
                shards.stream().map(Shard::mailbox).toList(),
                clock,
                () -> context.leads() && !context.isDraining());
        health = new NodeHealth(directory.nodeId(), shards, cluster, context, pressure, canary);
        degradation = new Degradation(health::situation, context::holdReplays, clock);
        context.degradation(degradation::view, pressure::ofBroker);
        server.every(PressureMonitor.TICK_MS, degradation::tick);
        server.every(ToggleWatch.TICK_MS, new ToggleWatch(context)::tick);
        context.listensAt(config.listen().host(), server.address().getPort());
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        Meters meters = new Meters(registry);
        clusterMetrics = cluster == null ? null : new ClusterMetrics(meters, cluster);
        links.onChange(new LinkMetrics(meters, links::view, clock)::links);
        admin = startAdmin(registry, meters);
        if (cluster == null) {
            replays.start();
            links.start();
        } else {
            cluster.start(
                    config.cluster().forNode(directory.nodeId(), server.address(), directory.raft()),
                    context.audit(),
                    this::clusterChanged);
        }
        canary.start();
    }

    private ChaosControl rehearse() {
        boolean isEnabled = config.rehearsing().chaos();
        ChaosControl control = new ChaosControl(
                new ChaosControl.Terms(directory.nodeId(), isEnabled),
                context.audit(),
                clock,
                new SplittableRandom(),
                this::inject);
        if (cluster != null) {
            control.joins(cluster.rehearse(control));
        }
        if (isEnabled) {
            LOG.warn(
                    "event=chaos_enabled why=\"chaos.enabled is true\" next=\"start it without when the rehearsal is over\"");
            server.every(ChaosControl.TICK_MS, control::tick);
        }
        return control;
    }

    private void inject(Faults now) {
        context.faults(now);
        shards.forEach(shard -> shard.faults(now));
        if (cluster != null) {
            cluster.faults(now);
        }
    }

    /** Who leads has changed: clients go there, and replays run there. */
    private void clusterChanged(ClusterView now) {
        ClusterView before = context.cluster();
        context.cluster(now);
        if (clusterMetrics != null) {
            clusterMetrics.nodes(now.nodes());
        }
        if (now.leads()) {
            replays.start();
            links.start();
        } else if (before.leads()) {
            server.goAway(
                    new SpillwayException(
                            Code.NOT_LEADER,
                            "this node does not lead the cluster any more",
                            now.stopped().isEmpty() ? "another was elected" : now.stopped(),
                            "connect to the leader"),
                    MOVE_GRACE_MS);
            links.close();
            replays.close();
        } else if (before.follows() && !now.follows()) {
            server.goAway(
                    new SpillwayException(
                            Code.NOT_LEADER,
                            "this node does not serve readers any more",
                            now.stopped().isEmpty() ? "it lacks what was agreed on for too long" : now.stopped(),
                            "read at another node"),
                    MOVE_GRACE_MS);
        }
    }

    /**
     * Starts a broker. When this returns it takes connections.
     *
     * @throws SpillwayException when the data directory or an address cannot be used; nothing is left running then
     */
    public static Broker start(BrokerConfig config) {
        Clock clock = Clock.SYSTEM;
        DataDirectory directory = DataDirectory.open(config.dataDir(), config.nodeId(), config.newShards());
        List<Shard> shards = new ArrayList<>();
        Traces traces = null;
        try {
            requireCluster(config, directory);
            if (config.tracing().isOn()) {
                traces = Traces.start(config.tracing(), clock, directory.nodeId(), VERSION);
            }
            ShardConfig told = config.forShards().tracing(traces);
            Published<TopicCatalog> catalog = new Published<>(TopicCatalog.EMPTY);
            for (int i = 0; i < directory.shards(); i++) {
                finishReplacement(directory.shard(i));
                shards.add(open(i, config, told, directory, clock, catalog));
            }
            ClusterMember cluster = null;
            if (config.cluster().isMember()) {
                requireOneShard(directory);
                MemberFiles files = files(directory);
                Checkup checkup = Checkup.of(config.cluster().identity(directory.nodeId()), files, shards.get(0));
                if (checkup.isLogPutAside()) {
                    shards.remove(0).discard();
                }
                checkup.putAside(files, clock);
                if (shards.isEmpty()) {
                    shards.add(open(0, config, told, directory, clock, catalog));
                }
                cluster = new ClusterMember(
                        shards.get(0), files, checkup, clock, config.cluster().terms());
            }
            shards.forEach(shard -> shard.start(shards));
            SecureRandom random = new SecureRandom();
            List<Mailbox> mailboxes = shards.stream().map(Shard::mailbox).toList();
            Audit audit = new Audit(catalog, mailboxes, clock, random);
            Published<Boolean> replaysHeld = new Published<>(false);
            ReplayService replays =
                    new ReplayService(() -> Replays.start(mailboxes, catalog, audit, clock, random, replaysHeld));
            SessionContext context = new SessionContext(
                    config.forSessions(), catalog, shards, audit, replays, clock, random, directory.nodeId(), VERSION);
            if (cluster != null) {
                context.cluster(cluster.view());
                context.zoneLag(cluster::zoneLag);
            }
            LinkService links = new LinkService(
                    mailboxes,
                    catalog,
                    audit,
                    clock,
                    random,
                    context::hasSession,
                    context::place,
                    config.security().links());
            context.onReplaysHeld(held -> {
                replaysHeld.set(held);
                shards.forEach(shard -> shard.holdReplays(held));
            });
            return start(config, clock, directory, shards, replays, links, cluster, traces, context);
        } catch (RuntimeException e) {
            shards.forEach(Shard::close);
            close(traces);
            directory.close();
            throw e;
        }
    }

    private static Shard open(
            int index,
            BrokerConfig config,
            ShardConfig told,
            DataDirectory directory,
            Clock clock,
            Published<TopicCatalog> catalog) {
        Path files = directory.shard(index);
        return Shard.open(
                index, () -> ShardLog.open(files, config.log(), clock), told, clock, new SplittableRandom(), catalog);
    }

    private static MemberFiles files(DataDirectory directory) {
        return new MemberFiles(directory.shard(0), directory.raft(), directory.members(), directory.quarantine());
    }

    /** A node of a cluster that went on alone would part from the others. */
    private static void requireCluster(BrokerConfig config, DataDirectory directory) {
        if (!config.cluster().isMember() && Files.exists(directory.raft())) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "the data directory " + config.dataDir() + " belongs to a node of a cluster",
                    "it was started without --cluster-listen, and would part from the other nodes",
                    "start it with the --cluster-listen it had");
        }
    }

    /** What another node's log was to replace when the broker stopped, it replaces now. */
    private static void finishReplacement(Path files) {
        try {
            new LogReplacement(files).exchange();
        } catch (IOException e) {
            throw new SpillwayException(
                    Code.STORAGE_ERROR,
                    "the log in " + files + " cannot be replaced by that of another node",
                    e.toString(),
                    "check the disk and the permissions of the data directory",
                    0,
                    e);
        }
    }

    private static void requireOneShard(DataDirectory directory) {
        if (directory.shards() != 1) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "the data directory cannot become part of a cluster",
                    "it has " + directory.shards() + " shards, and a cluster's node has one",
                    "start the node with a new directory and bring the data over with a replay");
        }
    }

    private static Broker start(
            BrokerConfig config,
            Clock clock,
            DataDirectory directory,
            List<Shard> shards,
            ReplayService replays,
            LinkService links,
            @Nullable ClusterMember cluster,
            @Nullable Traces traces,
            SessionContext context) {
        try {
            return new Broker(config, clock, directory, shards, replays, links, cluster, traces, context);
        } catch (RuntimeException e) {
            links.close();
            replays.close();
            if (cluster != null) {
                cluster.close();
            }
            throw e;
        }
    }

    private AdminServer startAdmin(PrometheusMeterRegistry registry, Meters meters) {
        try {
            BrokerMetrics metrics = new BrokerMetrics(meters, shards);
            metrics.bind(VERSION, server, context);
            metrics.bindPressure(pressure);
            metrics.bindDegradation(degradation);
            metrics.bindSecurity(security, server);
            metrics.bindReplays(replays);
            metrics.bindHealth(health);
            metrics.bindTraces(traces);
            metrics.bindRehearsing(chaos, canary);
            return AdminServer.start(
                    config.http(),
                    health::health,
                    registry,
                    new Operated(
                            cluster == null ? null : new OperatedCluster(cluster),
                            links,
                            context.quotaSettings(),
                            context.toggleSettings(),
                            chaos,
                            new AccessSettings(
                                    shards.get(0).mailbox(),
                                    context.audit(),
                                    () -> shards.get(0).access()),
                            security.http(),
                            degradation::view,
                            new Observed(
                                    health::facts,
                                    shards.stream().map(Shard::mailbox).toList(),
                                    context::catalog,
                                    clock),
                            new ConsoleSource(context, pressure, metrics::traffic, server::connections)));
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
    }

    public String nodeId() {
        return directory.nodeId();
    }

    public InetSocketAddress wireAddress() {
        return server.address();
    }

    public InetSocketAddress httpAddress() {
        return admin.address();
    }

    /** Liveness and readiness with causes. */
    public Health health() {
        return health.health();
    }

    /** Drains and stops within the configured time, and says whether everything ended cleanly. */
    public synchronized boolean stop() {
        if (closed) {
            return true;
        }
        closed = true;
        long deadlineNs = clock.nanoTime() + TimeUnit.MILLISECONDS.toNanos(config.drainTimeoutMs());
        if (cluster != null) {
            // First of all, so that clients are sent to a leader and do not wait for an election.
            cluster.handOver(config.drainTimeoutMs() / 2);
        }
        context.drain();
        server.drain(
                new SpillwayException(
                        Code.DRAINING, "the broker is going away", "it was asked to stop", "reconnect in a moment"),
                (int) config.drainTimeoutMs());
        canary.close();
        links.close();
        replays.close();
        shards.forEach(Shard::drain);
        while (isBusy() && deadlineNs - clock.nanoTime() > 0) {
            LockSupport.parkNanos(this, POLL_NS);
        }
        server.close();
        if (cluster != null) {
            cluster.close();
        }
        boolean clean = true;
        for (Shard shard : shards) {
            long leftMs = TimeUnit.NANOSECONDS.toMillis(deadlineNs - clock.nanoTime());
            clean &= shard.close(Math.max(SHARD_CLOSE_MS, leftMs));
        }
        close(traces);
        admin.close();
        directory.close();
        if (!clean) {
            LOG.error(
                    "event=unclean_stop why=\"a shard did not end in its time\" next=\"none; the next start verifies the log\"");
        }
        return clean;
    }

    private static void close(@Nullable Traces traces) {
        if (traces != null) {
            traces.close();
        }
    }

    /** Whether clients wait for answers, or hold records that they may still settle. */
    private boolean isBusy() {
        return context.publishBytes() > 0 || !shards.stream().allMatch(Shard::isDrained);
    }

    @Override
    public void close() {
        stop();
    }
}

package io.spillway.broker;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.spillway.broker.admin.AdminServer;
import io.spillway.broker.admin.Health;
import io.spillway.broker.audit.Audit;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.log.DataDirectory;
import io.spillway.broker.log.ShardLog;
import io.spillway.broker.metrics.Meters;
import io.spillway.broker.replay.Replays;
import io.spillway.broker.session.SessionContext;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.Shard;
import io.spillway.broker.transport.BrokerServer;
import io.spillway.protocol.Code;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running broker: opens the data directory, recovers each shard, listens. {@link #close} drains: new work is refused,
 * what is in flight is answered, everything is synced. Thread-safe.
 */
public final class Broker implements AutoCloseable {
    public static final String VERSION = "0.1.0";

    private static final Logger LOG = LoggerFactory.getLogger(Broker.class);
    private static final long POLL_NS = TimeUnit.MILLISECONDS.toNanos(5);
    /** What of the drain time is kept for syncing and closing the shards, in ms. */
    private static final long SHARD_CLOSE_MS = 3_000;

    private final BrokerConfig config;
    private final Clock clock;
    private final DataDirectory directory;
    private final List<Shard> shards;
    private final Replays replays;
    private final SessionContext context;
    private final BrokerServer server;
    private final AdminServer admin;
    private boolean closed;

    private Broker(
            BrokerConfig config,
            Clock clock,
            DataDirectory directory,
            List<Shard> shards,
            Replays replays,
            SessionContext context) {
        this.config = config;
        this.clock = clock;
        this.directory = directory;
        this.shards = shards;
        this.replays = replays;
        this.context = context;
        server = BrokerServer.start(
                config.listen(), config.eventLoops(), config.session().maxConnections(), config.forSessions(), context);
        context.listensAt(config.listen().host(), server.address().getPort());
        admin = startAdmin();
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
        try {
            Published<TopicCatalog> catalog = new Published<>(TopicCatalog.EMPTY);
            for (int i = 0; i < directory.shards(); i++) {
                ShardLog log = ShardLog.open(directory.shard(i), config.log(), clock);
                shards.add(Shard.open(i, log, config.forShards(), clock, new SplittableRandom(), catalog));
            }
            shards.forEach(shard -> shard.start(shards));
            SecureRandom random = new SecureRandom();
            List<Mailbox> mailboxes = shards.stream().map(Shard::mailbox).toList();
            Audit audit = new Audit(catalog, mailboxes, clock, random);
            Replays replays = Replays.start(mailboxes, catalog, audit, clock, random);
            SessionContext context = new SessionContext(
                    config.forSessions(), catalog, shards, audit, replays, clock, random, directory.nodeId(), VERSION);
            return start(config, clock, directory, shards, replays, context);
        } catch (RuntimeException e) {
            shards.forEach(Shard::close);
            directory.close();
            throw e;
        }
    }

    private static Broker start(
            BrokerConfig config,
            Clock clock,
            DataDirectory directory,
            List<Shard> shards,
            Replays replays,
            SessionContext context) {
        try {
            return new Broker(config, clock, directory, shards, replays, context);
        } catch (RuntimeException e) {
            replays.close();
            throw e;
        }
    }

    private AdminServer startAdmin() {
        try {
            PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
            new BrokerMetrics(new Meters(metrics), shards).bind(VERSION, server, context);
            return AdminServer.start(config.http(), this::health, metrics);
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
        List<Health.Cause> causes = new ArrayList<>();
        boolean live = true;
        boolean ready = true;
        for (int i = 0; i < shards.size(); i++) {
            Shard shard = shards.get(i);
            if (!shard.failure().isEmpty()) {
                live = false;
                ready = false;
                causes.add(
                        new Health.Cause("shard-" + i, "the shard has stopped", shard.failure(), "restart the broker"));
            } else if (!shard.writeState().writable()) {
                ready = false;
                causes.add(new Health.Cause(
                        "shard-" + i,
                        "nothing can be published",
                        shard.writeState().why(),
                        "free disk space; consuming goes on"));
            }
        }
        if (context.isDraining()) {
            ready = false;
            causes.add(new Health.Cause("broker", "the broker is going away", "it was asked to stop", "use another"));
        }
        return new Health(live, ready, causes);
    }

    /** Drains and stops within the configured time, and says whether everything ended cleanly. */
    public synchronized boolean stop() {
        if (closed) {
            return true;
        }
        closed = true;
        long deadlineNs = clock.nanoTime() + TimeUnit.MILLISECONDS.toNanos(config.drainTimeoutMs());
        context.drain();
        server.drain(
                new SpillwayException(
                        Code.DRAINING, "the broker is going away", "it was asked to stop", "reconnect in a moment"),
                (int) config.drainTimeoutMs());
        replays.close();
        shards.forEach(Shard::drain);
        while (isBusy() && deadlineNs - clock.nanoTime() > 0) {
            LockSupport.parkNanos(this, POLL_NS);
        }
        server.close();
        boolean clean = true;
        for (Shard shard : shards) {
            long leftMs = TimeUnit.NANOSECONDS.toMillis(deadlineNs - clock.nanoTime());
            clean &= shard.close(Math.max(SHARD_CLOSE_MS, leftMs));
        }
        admin.close();
        directory.close();
        if (!clean) {
            LOG.error("event=unclean_stop next=\"the next start verifies the log\"");
        }
        return clean;
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

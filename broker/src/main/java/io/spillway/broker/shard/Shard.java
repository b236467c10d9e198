package io.spillway.broker.shard;

import io.netty.util.concurrent.FastThreadLocalThread;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.log.LogStats;
import io.spillway.broker.log.ShardLog;
import io.spillway.broker.log.WriteState;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One shard: its log, its state, its agent and the thread that runs it. {@link #open} recovers, {@link #start} begins to
 * work, {@link #close} ends with everything synced. Commands go to the {@link #mailbox}. Thread-safe from start on.
 */
public final class Shard implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Shard.class);
    private static final int SPINS = 20;
    /** How often the figures of the log are published. */
    private static final long STATS_MS = 1_000;

    private final int index;
    private final ShardLog log;
    private final ShardState state;
    private final Clock clock;
    private final RandomGenerator random;
    private final Mailbox mailbox = new Mailbox();
    private final ShardCounters counters = new ShardCounters();
    private final SyncThread syncer;
    private final long snapshotSequence;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Published<Boolean> closing = new Published<>(false);
    private final Published<WriteState> writeState;
    private final Published<LogStats> logStats;
    private final Published<Integer> pausedGroups = new Published<>(0);
    private final Published<String> failure = new Published<>("");
    private final Published<Boolean> draining = new Published<>(false);
    private final Published<Boolean> drained = new Published<>(false);
    private List<Shard> all = List.of();
    private long nextStatsMs;

    private Shard(
            int index,
            ShardLog log,
            ShardConfig config,
            Clock clock,
            RandomGenerator random,
            Published<TopicCatalog> catalog) {
        this.random = random;
        this.index = index;
        this.log = log;
        this.clock = clock;
        // A million leases per millisecond would be needed to meet a fence of an earlier run.
        state = new ShardState(index, log, config, catalog, clock.nowMs() << 20);
        snapshotSequence = Recovery.run(state);
        writeState = new Published<>(log.writeState());
        logStats = new Published<>(log.stats());
        syncer = new SyncThread(index, log.snapshots(), clock, mailbox::wake);
    }

    /**
     * Recovers the shard from its log; shard 0 before the others, because it holds the catalog.
     *
     * @param random the shard's alone
     */
    public static Shard open(
            int index,
            ShardLog log,
            ShardConfig config,
            Clock clock,
            RandomGenerator random,
            Published<TopicCatalog> catalog) {
        return new Shard(index, log, config, clock, random, catalog);
    }

    public Mailbox mailbox() {
        return mailbox;
    }

    public ShardCounters counters() {
        return counters;
    }

    /** Whether the shard takes publishes, as of its last turn. */
    public WriteState writeState() {
        return writeState.get();
    }

    /** The figures of the log, at most a second old. */
    public LogStats logStats() {
        return logStats.get();
    }

    /** Groups that deliver nothing until they are resumed, as of a second ago. */
    public int pausedGroups() {
        return pausedGroups.get();
    }

    /** Why the shard's thread ended by itself, or empty. */
    public String failure() {
        return failure.get();
    }

    /** @param shards all shards of the broker, this one among them */
    public void start(List<Shard> shards) {
        all = shards;
        Thread thread = new FastThreadLocalThread(this::run, "spillway-shard-" + index);
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        ShardAgent agent =
                new ShardAgent(state, mailbox, syncer, clock, counters, new Others(), random, snapshotSequence);
        try {
            int idle = 0;
            while (!closing.get()) {
                publishViews();
                publishDrained(agent);
                if (agent.doWork() > 0) {
                    idle = 0;
                } else if (++idle > SPINS) {
                    mailbox.park(agent.idleNs());
                } else {
                    Thread.onSpinWait();
                }
            }
            agent.close();
            log.close();
        } catch (RuntimeException | java.lang.Error e) {
            failure.set(e.toString());
            LOG.error(
                    "event=shard_failed shard={} next=\"restart the broker; it verifies the log as it opens\"",
                    index,
                    e);
        } finally {
            syncer.close();
            ended.countDown();
        }
    }

    private void publishViews() {
        WriteState now = log.writeState();
        if (now != writeState.get()) {
            writeState.set(now);
        }
        long nowMs = clock.nowMs();
        if (nowMs >= nextStatsMs) {
            nextStatsMs = nowMs + STATS_MS;
            logStats.set(log.stats());
            pausedGroups.set((int) state.groups.values().stream()
                    .filter(group -> group.paused() && !group.isReplay())
                    .count());
        }
    }

    private void publishDrained(ShardAgent agent) {
        if (draining.get() && drained.get() != agent.isDrained()) {
            drained.set(agent.isDrained());
        }
    }

    /** Delivers nothing from now on; {@link #isDrained} tells when nobody holds records any more. From any thread. */
    public void drain() {
        draining.set(true);
        mailbox.end(new ShardCommand.StopDelivering());
    }

    /** Whether, of what was delivered before {@link #drain}, everything is settled, written and answered. */
    public boolean isDrained() {
        return drained.get() || !failure.get().isEmpty();
    }

    /** Ends the shard within its limit of time; whether it ended cleanly. */
    public boolean close(long timeoutMs) {
        closing.set(true);
        mailbox.wake();
        try {
            return ended.await(timeoutMs, TimeUnit.MILLISECONDS)
                    && failure.get().isEmpty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void close() {
        close(10_000);
    }

    /** The other shards as the agent sees them. */
    private final class Others implements ShardAgent.Neighbours {
        @Override
        public int shards() {
            return all.size();
        }

        @Override
        public void catalogChanged() {
            for (Shard shard : all) {
                if (shard != Shard.this) {
                    shard.mailbox.end(new ShardCommand.CatalogChanged());
                }
            }
        }

        @Override
        public void requestDeadLetterTopic(TopicSpec origin) {
            all.get(0).mailbox.offer(new ShardCommand.DeadLetterTopicWanted(origin));
        }
    }
}

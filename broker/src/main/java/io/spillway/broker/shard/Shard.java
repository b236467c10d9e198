package io.spillway.broker.shard;

import io.netty.util.concurrent.FastThreadLocalThread;
import io.spillway.broker.auth.Access;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.chaos.Faults;
import io.spillway.broker.flow.Quotas;
import io.spillway.broker.log.LogCheck;
import io.spillway.broker.log.LogStats;
import io.spillway.broker.log.ShardLog;
import io.spillway.broker.log.WriteState;
import io.spillway.broker.records.Agreed;
import io.spillway.broker.toggles.Toggles;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
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
    /** How often it says how loaded it is. */
    private static final long LOAD_MS = 100;

    private final int index;
    private final Supplier<ShardLog> opener;
    private final ShardConfig config;
    private final Clock clock;
    private final RandomGenerator random;
    private final Published<TopicCatalog> catalog;
    private final Mailbox mailbox = new Mailbox();
    private final ShardCounters counters = new ShardCounters();
    private final SyncThread syncer;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Published<Boolean> closing = new Published<>(false);
    private final Published<WriteState> writeState;
    private final Published<LogStats> logStats;
    private final Published<Quotas> quotas = new Published<>(Quotas.NONE);
    private final Published<Map<String, Long>> windows = new Published<>(Map.of());
    private final Published<Toggles> toggles = new Published<>(Toggles.NONE);
    private final Published<Access> access = new Published<>(Access.NONE);
    private final Published<ShardLoad> load = new Published<>(ShardLoad.NONE);
    private final Published<Integer> pausedGroups = new Published<>(0);
    private final Published<GroupFigures> figures = new Published<>(GroupFigures.NONE);
    private final Published<Map<String, Integer>> members = new Published<>(Map.of());
    private final Published<String> failure = new Published<>("");
    private final Published<Boolean> draining = new Published<>(false);
    private final Published<Boolean> replaysHeld = new Published<>(false);
    private final Published<Faults> faults = new Published<>(Faults.NONE);
    private final DiskFaults disk;
    private final Published<Boolean> drained = new Published<>(false);
    private ShardLog log;
    private ShardState state;
    private long snapshotSequence;
    private List<Shard> all = List.of();
    private @Nullable Replication replication;
    private long nextStatsMs;
    private long nextLoadMs;

    private Shard(
            int index,
            Supplier<ShardLog> opener,
            ShardConfig config,
            Clock clock,
            RandomGenerator random,
            Published<TopicCatalog> catalog) {
        this.index = index;
        this.opener = opener;
        this.config = config;
        this.clock = clock;
        this.random = random;
        this.catalog = catalog;
        log = opener.get();
        state = recover();
        quotas.set(state.operators.quotas.view());
        toggles.set(state.operators.toggles.view());
        access.set(state.operators.access.view());
        writeState = new Published<>(log.writeState());
        logStats = new Published<>(log.stats());
        disk = new DiskFaults(clock);
        syncer = new SyncThread(index, log.snapshots(), clock, disk, mailbox::wake);
    }

    private ShardState recover() {
        // A million leases per millisecond would be needed to meet a fence of an earlier run.
        ShardState recovered = new ShardState(index, log, config, catalog, clock.nowMs() << 20);
        if (index == 0) {
            recovered.beginCatalog();
        }
        snapshotSequence = Recovery.run(recovered);
        if (index == 0) {
            recovered.publishCatalog(catalog);
        }
        return recovered;
    }

    /**
     * Recovers the shard from its log; shard 0 before the others, because it holds the catalog.
     *
     * @param opener opens the shard's log, which nobody has open
     * @param random the shard's alone
     */
    public static Shard open(
            int index,
            Supplier<ShardLog> opener,
            ShardConfig config,
            Clock clock,
            RandomGenerator random,
            Published<TopicCatalog> catalog) {
        return new Shard(index, opener, config, clock, random, catalog);
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

    /** How loaded it was in the last tenth of a second. */
    public ShardLoad load() {
        return load.get();
    }

    /** By failure domain, how many bytes each publisher may have unanswered; those that are not named, as many as ever. */
    public Map<String, Long> windows() {
        return windows.get();
    }

    /** How much may be published, as of a tenth of a second ago. Shard 0 knows it. */
    public Quotas quotas() {
        return quotas.get();
    }

    /** What is toggled, as of a tenth of a second ago. Shard 0 knows it. */
    public Toggles toggles() {
        return toggles.get();
    }

    /** Who may come in and do what, as of a tenth of a second ago. Shard 0 knows it. */
    public Access access() {
        return access.get();
    }

    /** Groups that deliver nothing until they are resumed, as of a second ago. */
    public int pausedGroups() {
        return pausedGroups.get();
    }

    /** Sums over groups, as of a second ago. */
    public GroupFigures figures() {
        return figures.get();
    }

    /** How members of groups can be, for {@link #members}. */
    public static List<String> standings() {
        return GroupMember.STANDINGS;
    }

    /** Members of groups that are so, as of a second ago. */
    public int members(String standing) {
        return members.get().getOrDefault(standing, 0);
    }

    private Map<String, Integer> countMembers() {
        Map<String, Integer> counts = new HashMap<>();
        for (Group group : state.groups.values()) {
            if (group.parent == null) {
                group.ports.values().forEach(member -> counts.merge(member.standing(), 1, Integer::sum));
            }
        }
        return counts;
    }

    /** Why the shard's thread ended by itself, or empty. */
    public String failure() {
        return failure.get();
    }

    /** Makes the shard part of a cluster, before it starts. */
    public void join(Consensus consensus) {
        replication = new Replication(consensus);
    }

    /** @param shards all shards of the broker, this one among them */
    public void start(List<Shard> shards) {
        all = shards;
        Thread thread = new FastThreadLocalThread(this::run, "spillway-shard-" + index);
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try {
            ShardAgent agent = agent();
            while (!closing.get()) {
                work(agent);
                if (agent.hasLost()) {
                    agent = reopen(agent);
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

    private ShardAgent agent() {
        return new ShardAgent(
                state, mailbox, syncer, clock, counters, new Others(), random, snapshotSequence, replication);
    }

    /** Works until there is something else to look at. */
    private void work(ShardAgent agent) {
        for (int idle = 0; !closing.get() && !agent.hasLost(); ) {
            publishViews(agent);
            publishDrained(agent);
            if (agent.doWork() > 0) {
                idle = 0;
            } else if (++idle > SPINS) {
                mailbox.park(agent.idleNs());
            } else {
                Thread.onSpinWait();
            }
        }
    }

    /** Forgets what was never agreed on: begins again with what the log holds, or what another node's does. */
    private ShardAgent reopen(ShardAgent agent) {
        ShardCommand.Replace replace = agent.replacement();
        agent.abandon();
        log.close();
        if (replace != null) {
            exchange(replace);
        }
        log = opener.get();
        state = recover();
        if (replace != null) {
            replace.reply().ok(state.agreedWhole);
        }
        return agent();
    }

    private static void exchange(ShardCommand.Replace replace) {
        try {
            replace.by().exchange();
        } catch (IOException e) {
            throw new SpillwayException(
                    Code.STORAGE_ERROR,
                    "the log of another node cannot be put in the place of this one's",
                    e.toString(),
                    "check the disk, then restart the broker; it goes on with the exchange",
                    0,
                    e);
        }
    }

    /** The newest entry that is in the shard's files with all its parts; before it starts. */
    public Agreed agreed() {
        return state.agreedWhole;
    }

    /** What the log was found to lack when it was opened, in words; before it starts. */
    public List<String> losses() {
        List<String> losses = new ArrayList<>();
        log.recovery().problems().stream()
                .filter(LogCheck::isLoss)
                .map(problem -> problem.kind() + ": " + problem.what())
                .forEach(losses::add);
        if (snapshotSequence == 0 && log.firstSequence() > 0) {
            losses.add("BAD_SNAPSHOT: no snapshot is there, and the log begins with entry " + log.firstSequence());
        }
        return losses;
    }

    /** Whether there are topics; before it starts. */
    public boolean hasTopics() {
        return !catalog.get().all().isEmpty();
    }

    /** Lets the log go without having started. */
    public void discard() {
        syncer.close();
        log.close();
    }

    private void publishViews(ShardAgent agent) {
        WriteState now = log.writeState();
        if (now != writeState.get()) {
            writeState.set(now);
        }
        if (agent.windows() != windows.get()) {
            windows.set(agent.windows());
        }
        if (state.operators.access.view() != access.get()) {
            access.set(state.operators.access.view());
        }
        long nowMs = clock.nowMs();
        if (nowMs >= nextLoadMs) {
            nextLoadMs = nowMs + LOAD_MS;
            load.set(agent.load());
            quotas.set(state.operators.quotas.view());
            toggles.set(state.operators.toggles.view());
        }
        if (nowMs >= nextStatsMs) {
            nextStatsMs = nowMs + STATS_MS;
            logStats.set(log.stats());
            members.set(countMembers());
            figures.set(GroupFigures.of(state.groups.values()));
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

    /** Whether replays have to wait. From any thread. */
    public void holdReplays(boolean held) {
        replaysHeld.set(held);
        mailbox.wake();
    }

    /** What is injected from now on. From any thread. */
    public void faults(Faults injected) {
        disk.set(injected);
        faults.set(injected);
        mailbox.wake();
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
        public boolean holdsReplays() {
            return replaysHeld.get();
        }

        @Override
        public Faults faults() {
            return faults.get();
        }

        @Override
        public Toggles toggles() {
            return all.get(0).toggles();
        }

        @Override
        public void requestDeadLetterTopic(TopicSpec origin) {
            all.get(0).mailbox.offer(new ShardCommand.DeadLetterTopicWanted(origin));
        }
    }
}

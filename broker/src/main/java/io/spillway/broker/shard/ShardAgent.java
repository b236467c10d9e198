package io.spillway.broker.shard;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.chaos.Faults;
import io.spillway.broker.records.Agreed;
import io.spillway.broker.records.Snapshot;
import io.spillway.broker.toggles.Toggles;
import java.util.Map;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A shard's duty cycle: take commands, append, sync, deliver, look after timers. {@link #doWork} does one turn and returns
 * how much it did; a test may step it by hand. Confined to the shard thread.
 */
final class ShardAgent {
    private static final Logger LOG = LoggerFactory.getLogger(ShardAgent.class);
    private static final long NOT_QUIET = -1;
    /** How long a leader decides nothing, at most, for a snapshot to be taken, and how often it tries. */
    private static final long QUIET_AT_MOST_MS = 500;

    private static final long QUIET_EVERY_MS = 5_000;
    /** How often leases, retention and the log's upkeep are looked at, in ms. */
    static final long TICK_MS = 10;

    private final ShardState state;
    private final Mailbox mailbox;
    private final Syncing syncing;
    private final Journal journal;
    private final @Nullable Agreement agreement;
    private final Clock clock;
    private final ShardCounters counters;
    private final ReplicationPressure pressure = new ReplicationPressure();
    private final Publishing publishing;
    private final Settling settling;
    private final DeadLetters deadLetters;
    private final Delivery delivery;
    private final DeliveryTurns turns;
    private final TopicAdministration topics;
    private final GroupAdministration groups;
    private final GroupChanges groupChanges;
    private final Descriptions descriptions;
    private final DispatchWatch watch;
    private final ReplayAdministration replays;
    private final LinkAdministration links;
    private final OperatorAdministration operators;
    private final Neighbours neighbours;
    private final Subscriptions subscriptions;
    private final Trimming trimming;
    private final TimerSweep timers;
    private final Arrivals arrivals;
    private final ThreadLoad cpu = new ThreadLoad(ThreadLoad::ofThisThread);
    private final Consumer<ShardCommand> handler = this::handle;
    private long nowMs;
    private long nextTickMs;
    private long nextRetentionMs;
    private long snapshotSequence;
    private long snapshotLogBytes;
    private long knownCorruptBatches;
    /** Segments are freed only behind a snapshot, so what gives disk back asks for one. */
    private boolean snapshotWanted;

    /** Where the cluster's agreement stood when the last snapshot was taken. */
    private Agreed snapshotAgreed = ShardState.NOTHING_AGREED;
    /** Since when nothing is decided, so that a snapshot can be taken. */
    private long quietSinceMs = NOT_QUIET;

    private long lastQuietMs = Long.MIN_VALUE / 2;
    private boolean stopsDelivering;

    ShardAgent(
            ShardState state,
            Mailbox mailbox,
            Syncer syncer,
            Clock clock,
            ShardCounters counters,
            Neighbours neighbours,
            RandomGenerator random,
            long snapshotSequence) {
        this(state, mailbox, syncer, clock, counters, neighbours, random, snapshotSequence, null);
    }

    /** @param replication null when the broker stands alone */
    ShardAgent(
            ShardState state,
            Mailbox mailbox,
            Syncer syncer,
            Clock clock,
            ShardCounters counters,
            Neighbours neighbours,
            RandomGenerator random,
            long snapshotSequence,
            @Nullable Replication replication) {
        this.state = state;
        this.mailbox = mailbox;
        this.clock = clock;
        this.counters = counters;
        this.neighbours = neighbours;
        this.snapshotSequence = snapshotSequence;
        nowMs = clock.nowMs();
        state.tracing = new ShardTracing(state.config.traces(), clock);
        syncing = new Syncing(state, syncer, counters, this::snapshotWritten);
        if (replication == null) {
            journal = new Journal(state, new LocalLedger(state, syncing), clock);
            agreement = null;
        } else {
            AgreedLedger ledger = new AgreedLedger(state, syncing, replication.consensus(), clock);
            journal = new Journal(state, ledger, clock);
            agreement = new Agreement(state, journal, ledger, replication);
            agreement.durable(state.agreedWhole);
            state.log.haltAtDamage();
        }
        topics = new TopicAdministration(state, journal, neighbours.shards(), neighbours::catalogChanged);
        deadLetters = new DeadLetters(state, journal, counters, origin -> createDeadLetterTopic(origin, neighbours));
        settling = new Settling(state, journal, deadLetters, counters, random);
        delivery = new Delivery(state, settling, counters);
        turns = new DeliveryTurns(delivery, state.config.controls() ? DeliveryTurns.TURN_BYTES : Long.MAX_VALUE);
        GroupDescriptions groupDescriptions = new GroupDescriptions(state, deadLetters);
        groups = new GroupAdministration(state, journal, settling, groupDescriptions);
        groupChanges = new GroupChanges(
                state, journal, groups, new GroupSnapshots(state, journal, settling), groupDescriptions);
        Lanes lanes = new Lanes(state, journal, groups, settling);
        replays = new ReplayAdministration(state, journal, groups, lanes);
        links = new LinkAdministration(state, journal, topics, settling, () -> endClosed());
        operators = new OperatorAdministration(state, journal);
        trimming = new Trimming(state, journal, groups, topics);
        BacklogBounds backlogs = new BacklogBounds(state, trimming, counters);
        DispatchFacts facts = new DispatchFacts(state, deadLetters, neighbours);
        descriptions = new Descriptions(state, topics, groupDescriptions, facts, backlogs);
        watch = new DispatchWatch(state, facts, counters);
        publishing = new Publishing(state, journal, clock, counters, backlogs);
        subscriptions = new Subscriptions(state, groups, settling, counters);
        timers = new TimerSweep(state, settling, subscriptions, backlogs);
        arrivals = new Arrivals(state, this::shed);
    }

    /** The other shards, as far as one shard speaks to them. */
    interface Neighbours {
        int shards();

        void catalogChanged();

        /** Whether replays have to wait. */
        default boolean holdsReplays() {
            return false;
        }

        /** What is injected for a rehearsal. */
        default Faults faults() {
            return Faults.NONE;
        }

        /** What is toggled, as shard 0 says. */
        default Toggles toggles() {
            return Toggles.NONE;
        }

        /** Asks shard 0 for the dead-letter topic of a topic of this shard. */
        void requestDeadLetterTopic(TopicSpec origin);
    }

    private void createDeadLetterTopic(TopicSpec origin, Neighbours neighbours) {
        if (state.shard == 0) {
            topics.createDeadLetterTopic(origin, nowMs);
        } else {
            neighbours.requestDeadLetterTopic(origin);
        }
    }

    int doWork() {
        nowMs = clock.nowMs();
        int work = takeCommands();
        checkDamage();
        work += journal.doWork(nowMs);
        if (decides() && settling.nextFlushMs() <= nowMs) {
            flushSettled();
            work++;
        }
        if (nowMs >= nextTickMs) {
            nextTickMs = nowMs + TICK_MS;
            work += tick();
        }
        work += quietSinceMs == NOT_QUIET ? deliver() : 0;
        checkDamage();
        return work;
    }

    /** A batch that cannot be read here can be read at another node; nothing that came of it is proposed. */
    private void checkDamage() {
        if (agreement != null && state.log.corruptBatches() > knownCorruptBatches) {
            knownCorruptBatches = state.log.corruptBatches();
            agreement.damaged("a batch does not match its checksum; the log names it");
        }
    }

    private int takeCommands() {
        int work = 0;
        boolean mayDecide = quietSinceMs == NOT_QUIET;
        boolean isFull = agreement != null && agreement.isFull();
        if (mayDecide) {
            work += mailbox.drainControls(handler);
        }
        if (mayDecide && !isFull) {
            work += arrivals.turn(mailbox, handler, nowMs, clock.nanoTime());
        } else {
            arrivals.collect(mailbox, nowMs);
        }
        work += mailbox.drainEndings(handler);
        return agreement == null ? work : work + agree(agreement, isFull);
    }

    private int agree(Agreement with, boolean isFull) {
        int work = 0;
        SpillwayException why = pressure.look(isFull, nowMs);
        if (why != null) {
            work += arrivals.refuse(mailbox, publish -> throttle(publish, why), nowMs);
        }
        return work + with.doWork();
    }

    private void throttle(ShardCommand.Publish publish, SpillwayException why) {
        counters.throttledByReplication.increment();
        publish.port().refused(publish, why);
        publish.batch().release();
    }

    private void shed(ShardCommand.Publish publish, SpillwayException why) {
        counters.shedByDelay.increment();
        publish.port().refused(publish, why);
        publish.batch().release();
    }

    /** What the shard says of its load since it was last asked. */
    ShardLoad load() {
        long nowNs = clock.nanoTime();
        return new ShardLoad(
                arrivals.endInterval(nowMs, nowNs),
                syncing.p99DelayMs(nowMs),
                pressure.fullMs(nowMs),
                agreement == null ? 0 : agreement.lagMs(nowNs),
                cpu.endInterval(nowNs));
    }

    /** By failure domain, how many bytes each publisher may have unanswered; those that are not named, as many as ever. */
    Map<String, Long> windows() {
        return arrivals.windows();
    }

    /** Whether this shard decides what happens, now. */
    private boolean decides() {
        return agreement == null || (agreement.leads() && quietSinceMs == NOT_QUIET);
    }

    /** Whether the shard has to be opened anew: it led, and knows things that were never agreed on. */
    boolean hasLost() {
        return agreement != null && agreement.hasLost();
    }

    /** With what the log is to be replaced before the shard is opened anew; null when it is to stay. */
    ShardCommand.@Nullable Replace replacement() {
        return agreement == null ? null : agreement.replacement();
    }

    /** How long the shard may sleep when there is no work, in ns. */
    long idleNs() {
        long until = decides() ? Math.min(settling.nextFlushMs(), nextTickMs) : nextTickMs;
        return Math.max(0, Math.min(until - nowMs, TICK_MS)) * 1_000_000;
    }

    /** Whether nothing is delivered any more, nobody holds records, and every settle is written and answered. */
    boolean isDrained() {
        return stopsDelivering
                && settling.nextFlushMs() == Long.MAX_VALUE
                && !journal.isAwaited()
                && state.groups.values().stream().noneMatch(Group::hasLeases);
    }

    private int deliver() {
        holdReplays();
        boolean mayDeliver = !stopsDelivering && state.log.writeState().delivers();
        return mayDeliver ? turns.turn(state.readyTopics, nowMs) : 0;
    }

    /** Replays deliver nothing while the broker has too much to do; what they hold is settled. Faults pause others. */
    private void holdReplays() {
        boolean holds = neighbours.holdsReplays();
        boolean isOther = delivery.faults(neighbours.faults());
        if (delivery.holdsReplays(holds) && !holds || isOther) {
            state.topics.values().forEach(TopicState::ready);
        }
    }

    private void handle(ShardCommand command) {
        if (agreement != null && command instanceof ShardCommand.Agreement agreed) {
            agreement.add(agreed);
        } else if (agreement == null || agreement.leads() || !agreement.refuses(command)) {
            perform(command);
        }
    }

    private void perform(ShardCommand command) {
        if (command instanceof ShardCommand.Publish publish) {
            publishing.publish(publish, nowMs, clock.nanoTime());
        } else if (command instanceof ShardCommand.Settle settle) {
            // Not the turn's time: what a nack asks to wait is not to begin before it came.
            subscriptions.settle(settle, clock.nowMs());
        } else if (command instanceof ShardCommand.Grant grant) {
            subscriptions.grant(grant);
        } else if (command instanceof ShardCommand.Health health) {
            subscriptions.report(health, nowMs);
        } else if (command instanceof ShardCommand.Writable writable) {
            subscriptions.writable(writable.port());
        } else if (command instanceof ShardCommand.Unsubscribe unsubscribe) {
            subscriptions.end(unsubscribe, nowMs);
        } else if (command instanceof ShardCommand.StopDelivering) {
            stopsDelivering = true;
        } else if (command instanceof ShardCommand.CatalogChanged) {
            state.adoptCatalog();
        } else if (command instanceof ShardCommand.DeadLetterTopicWanted wanted) {
            topics.createDeadLetterTopic(wanted.origin(), nowMs);
        } else if (command instanceof ShardCommand.Asking asking) {
            try {
                answer(asking);
            } catch (SpillwayException e) {
                asking.reply().failed(e);
            }
        }
    }

    private void answer(ShardCommand.Asking command) {
        if (command instanceof ShardCommand.OpenPublisher open) {
            publishing.open(open);
        } else if (command instanceof ShardCommand.SubscribeGroup subscribe) {
            subscriptions.subscribe(subscribe, nowMs);
        } else if (command instanceof ShardCommand.SubscribeStream subscribe) {
            subscriptions.subscribe(subscribe, agreement != null && !agreement.leads());
        } else if (command instanceof ShardCommand.Seek seek) {
            if (!seek.dryRun()) {
                state.topic(seek.topicId()).spec.requireOpen();
            }
            groups.seek(seek);
        } else if (command instanceof ShardCommand.CreateTopic create) {
            topics.create(create, nowMs);
        } else if (command instanceof ShardCommand.AlterTopic alter) {
            topics.alter(alter);
        } else if (command instanceof ShardCommand.SwitchTopic change) {
            topics.change(change, nowMs);
        } else if (command instanceof ShardCommand.DeleteTopic delete) {
            topics.delete(delete);
        } else if (command instanceof ShardCommand.PurgeTopic purge) {
            state.topic(purge.topicId()).spec.requireOpen();
            trimming.purge(purge);
        } else if (command instanceof ShardCommand.Describing describing) {
            descriptions.answer(describing, nowMs);
        } else if (command instanceof ShardCommand.DeleteGroup delete) {
            state.topic(delete.topicId()).spec.requireOpen();
            groups.delete(delete);
        } else if (command instanceof ShardCommand.ChangeGroup change) {
            state.topic(change.topicId()).spec.requireOpen();
            groupChanges.change(change, nowMs);
        } else if (command instanceof ShardCommand.Replay replay) {
            replays.answer(replay.command(), nowMs);
        } else if (command instanceof ShardCommand.Link link) {
            links.answer(link.command(), nowMs);
        } else if (command instanceof ShardCommand.Operating change) {
            operators.change(change, nowMs);
        }
    }

    private int endClosed() {
        return subscriptions.endClosed(nowMs);
    }

    private int tick() {
        int work = decides() ? decide() : timers.stand();
        arrivals.tick(syncing.p50Ms(nowMs), nowMs, clock.nanoTime());
        snapshotWanted |= !state.deletedTopics.isEmpty();
        work += subscriptions.endDeleted();
        work += endClosed();
        work += state.log.maintain(nowMs, snapshotSequence);
        if (snapshotWanted || journal.appendedBytes() - snapshotLogBytes >= state.config.snapshotIntervalBytes()) {
            work += snapshot();
        }
        return work;
    }

    /** What time alone brings about. */
    private int decide() {
        Toggles toggled = state.shard == 0 ? state.operators.toggles.view() : neighbours.toggles();
        int work = timers.tick(toggled, nowMs);
        watch.tick(nowMs);
        work += deadLetters.doWork(nowMs);
        work += publishing.answerRepetitions();
        if (nowMs >= nextRetentionMs) {
            nextRetentionMs = nowMs + state.config.retentionCheckIntervalMs();
            work += trimming.retain(nowMs);
            snapshotWanted |= trimming.takeWantsSnapshot();
        }
        return work;
    }

    private void flushSettled() {
        try {
            settling.flush();
        } catch (SpillwayException e) {
            LOG.error("event=settles_unwritten shard={} {}", state.shard, e.toString());
        }
    }

    private void snapshotWritten(long sequence) {
        snapshotSequence = sequence;
        if (agreement != null) {
            agreement.durable(snapshotAgreed);
        }
    }

    private int snapshot() {
        if (syncing.isRunning() || !isQuiet()) {
            return 0;
        }
        syncing.start(nowMs, snapshotJob());
        snapshotWanted = false;
        quietSinceMs = NOT_QUIET;
        return 1;
    }

    private Syncer.SnapshotJob snapshotJob() {
        Snapshot snapshot = Snapshots.take(state, nowMs);
        snapshotLogBytes = journal.appendedBytes();
        snapshotAgreed = state.agreed;
        return new Syncer.SnapshotJob(snapshot.getSequence(), snapshot.toByteArray());
    }

    /**
     * Whether memory holds what the log holds. A leader in a cluster knows more, so it decides nothing until the cluster
     * has agreed on all of it; when that takes too long it goes on and tries again later.
     */
    private boolean isQuiet() {
        if (agreement == null) {
            return true;
        }
        if (quietSinceMs == NOT_QUIET) {
            if (nowMs - lastQuietMs < QUIET_EVERY_MS) {
                return false;
            }
            if (agreement.leads()) {
                flushSettled();
            }
            quietSinceMs = nowMs;
            lastQuietMs = nowMs;
        } else if (nowMs - quietSinceMs > QUIET_AT_MOST_MS) {
            quietSinceMs = NOT_QUIET;
            return false;
        }
        return agreement.isQuiet();
    }

    /** Ends every subscription, writes what is open, syncs, and snapshots; the log can be closed after it. */
    void close() {
        nowMs = clock.nowMs();
        mailbox.drainControls(handler);
        arrivals.drain(mailbox, handler, nowMs);
        mailbox.drainEndings(handler);
        if (agreement == null) {
            flushSettled();
        }
        subscriptions.endAll();
        boolean whole = agreement == null || agreement.isQuiet();
        syncing.finish(nowMs, () -> whole ? snapshotJob() : null);
        journal.answer();
        release();
    }

    /** Forgets everything that is not in the log, and tells those who consume; the log can be closed after it. */
    void abandon() {
        if (agreement != null) {
            arrivals.drain(mailbox, agreement::refuses, nowMs);
            subscriptions.endAll(agreement.notLeading());
        }
        syncing.finish(clock.nowMs(), () -> null);
        release();
    }

    private void release() {
        publishing.close();
        delivery.close();
        deadLetters.close();
        if (agreement != null) {
            agreement.close();
        }
    }
}

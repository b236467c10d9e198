package io.spillway.broker.replay;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Inbox;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.ReplayCommand;
import io.spillway.broker.shard.Reply;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.ReplayAdmin;
import io.spillway.protocol.v1.ReplayList;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The replays of a broker and their thread, {@code spillway-replay}. It asks the shards for its plans and jobs, goes on with
 * those that have not ended, and takes requests. Thread-safe.
 */
public final class Replays implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Replays.class);
    private static final long IDLE_MS = 20;
    private static final long BUSY_MS = 1;
    private static final long CLOSE_MS = 5_000;

    private record Waiting(ReplayAdmin request, ReplayCaller caller, Reply<ReplayList> reply) {}

    private final Inbox inbox = new Inbox();
    private final Clock clock;
    private final Shards shards;
    private final Store store;
    private final Works works;
    private final Operations operations;
    private final List<Waiting> early = new ArrayList<>();
    private final Published<Boolean> closing = new Published<>(false);
    private final CountDownLatch ended = new CountDownLatch(1);
    private boolean loaded;

    /** Without a thread, for who steps it. */
    Replays(
            List<Mailbox> mailboxes,
            Published<TopicCatalog> catalog,
            Audit audit,
            Clock clock,
            RandomGenerator random,
            Published<Boolean> held) {
        this.clock = clock;
        shards = new Shards(mailboxes, catalog, inbox, clock);
        store = new Store(shards);
        works = new Works(store, shards, inbox, clock, audit, held);
        operations = new Operations(store, shards, works, inbox, audit, random);
    }

    /**
     * @param mailboxes of all shards, which run
     * @param held whether scans and jobs have to wait
     */
    public static Replays start(
            List<Mailbox> mailboxes,
            Published<TopicCatalog> catalog,
            Audit audit,
            Clock clock,
            RandomGenerator random,
            Published<Boolean> held) {
        Replays replays = new Replays(mailboxes, catalog, audit, clock, random, held);
        Thread thread = new Thread(replays::run, "spillway-replay");
        thread.setDaemon(true);
        thread.start();
        return replays;
    }

    /** Takes a request of a client; the reply comes from any thread. Refused with OVERLOADED when too many wait. */
    public void request(ReplayAdmin request, ReplayCaller caller, Reply<ReplayList> reply) {
        if (!inbox.offer(() -> take(new Waiting(request, caller, reply)))) {
            reply.failed(new SpillwayException(
                    Code.OVERLOADED, "a request was refused before any work", "too many wait", "try again", 200, null));
        }
    }

    /** How far the jobs are, as of the last step. */
    ReplayProgress progress() {
        return works.progress();
    }

    private void take(Waiting waiting) {
        if (!loaded) {
            early.add(waiting);
            return;
        }
        try {
            operations.handle(waiting.request, waiting.caller, waiting.reply);
        } catch (SpillwayException e) {
            waiting.reply.failed(e);
        } catch (RuntimeException e) {
            LOG.error(
                    "event=replay_request_failed op={} next=\"report it with this line\"", waiting.request.getOp(), e);
            waiting.reply.failed(new SpillwayException(
                    Code.INTERNAL, "a replay request failed", e.toString(), "look at the broker's log", 0, e));
        }
    }

    private void run() {
        try {
            load();
            int work = 0;
            while (!closing.get()) {
                work = doWork(work > 0 ? BUSY_MS : IDLE_MS);
            }
        } catch (InterruptedException e) {
            LOG.warn("event=replays_interrupted why=\"their thread was interrupted\" next=\"restart the broker\"");
            Thread.currentThread().interrupt();
        } catch (RuntimeException | Error e) {
            LOG.error("event=replays_failed next=\"restart the broker; jobs go on from their checkpoints\"", e);
        } finally {
            release();
            ended.countDown();
        }
    }

    /** One step, which waits at most so long for something to do; how much was done. */
    int doWork(long waitMs) throws InterruptedException {
        int work = inbox.run(waitMs);
        shards.expire();
        return work + works.doWork(clock.nowMs());
    }

    /** Gives back memory after the last step. */
    void release() {
        works.release();
    }

    /** Asks for what is kept; requests wait until it is there. */
    void load() {
        shards.ask(0, ReplayCommand.Load::new, Answer.of(this::onLoaded, why -> {
            LOG.error("event=replays_not_loaded {}", why);
            load();
        }));
    }

    private void onLoaded(ReplayCommand.Kept kept) {
        store.load(kept);
        loaded = true;
        works.recover();
        early.forEach(this::take);
        early.clear();
    }

    /** Stops; jobs go on when the broker starts again. */
    @Override
    public void close() {
        closing.set(true);
        inbox.put(() -> {});
        try {
            if (!ended.await(CLOSE_MS, TimeUnit.MILLISECONDS)) {
                LOG.error("event=replays_not_stopped why=\"they did not end in {} ms\" next=\"none\"", CLOSE_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

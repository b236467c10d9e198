package io.spillway.broker.replay;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Inbox;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.ReplayCommand;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.Code;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shards as the replay thread sees them: asked through their mailboxes, answering on the replay thread, within a limit
 * of time. Confined to the replay thread.
 */
final class Shards {
    private static final Logger LOG = LoggerFactory.getLogger(Shards.class);
    private static final long TIMEOUT_NS = 30_000_000_000L;

    private final List<Mailbox> mailboxes;
    private final Published<TopicCatalog> catalog;
    private final Inbox inbox;
    private final Clock clock;
    private final List<Asked<?>> open = new ArrayList<>();

    Shards(List<Mailbox> mailboxes, Published<TopicCatalog> catalog, Inbox inbox, Clock clock) {
        this.mailboxes = mailboxes;
        this.catalog = catalog;
        this.inbox = inbox;
        this.clock = clock;
    }

    long nowMs() {
        return clock.nowMs();
    }

    int count() {
        return mailboxes.size();
    }

    TopicCatalog catalog() {
        return catalog.get();
    }

    /** Asks one shard. */
    <T> void ask(int shard, Function<Reply<T>, ReplayCommand> command, Answer<T> answer) {
        send(shard, reply -> new ShardCommand.Replay(command.apply(reply)), answer, late -> {});
    }

    /** Asks the shard of a topic. */
    <T> void ask(TopicSpec topic, Function<Reply<T>, ReplayCommand> command, Answer<T> answer) {
        ask(topic.shard(), command, answer);
    }

    /** Reads batches; those that come too late are released. */
    void read(TopicSpec topic, int partition, long from, int maxBytes, Answer<ReplayCommand.ReadBatches> answer) {
        send(
                topic.shard(),
                reply -> new ShardCommand.Replay(
                        new ReplayCommand.Read(topic.topicId(), partition, from, maxBytes, reply)),
                answer,
                late -> late.batches().release());
    }

    /** @param late gives back what an answer holds that comes after the time */
    <T> void send(int shard, Function<Reply<T>, ShardCommand> command, Answer<T> answer, Consumer<T> late) {
        Asked<T> asked = new Asked<>(answer, late, clock.nanoTime() + TIMEOUT_NS);
        open.add(asked);
        if (!mailboxes.get(shard).offer(command.apply(asked))) {
            asked.failed(overloaded(shard));
        }
    }

    /** False when the shard's queue is full; the batch is the caller's then. */
    boolean publish(int shard, ShardCommand.Publish command) {
        return mailboxes.get(shard).offer(command);
    }

    static SpillwayException overloaded(int shard) {
        return new SpillwayException(
                Code.OVERLOADED,
                "shard " + shard + " takes no request now",
                "its queue is full",
                "try again",
                200,
                null);
    }

    /** Gives up what was asked too long ago. */
    void expire() {
        long nowNs = clock.nanoTime();
        for (Asked<?> asked : List.copyOf(open)) {
            if (nowNs - asked.deadlineNs >= 0) {
                asked.end(() -> asked.answer.failed(new SpillwayException(
                        Code.NOT_READY,
                        "a shard did not answer a replay",
                        "none came within " + TIMEOUT_NS / 1_000_000_000L + " s",
                        "look at the broker's health and log")));
            }
        }
    }

    private final class Asked<T> implements Reply<T> {
        private final Answer<T> answer;
        private final Consumer<T> late;
        private final long deadlineNs;

        Asked(Answer<T> answer, Consumer<T> late, long deadlineNs) {
            this.answer = answer;
            this.late = late;
            this.deadlineNs = deadlineNs;
        }

        @Override
        public void ok(T result) {
            inbox.put(() -> {
                if (!end(() -> answer.ok(result))) {
                    late.accept(result);
                }
            });
        }

        @Override
        public void failed(SpillwayException why) {
            inbox.put(() -> end(() -> answer.failed(why)));
        }

        /** The first end counts. */
        private boolean end(Runnable then) {
            boolean first = open.remove(this);
            if (first) {
                guarded(then);
            }
            return first;
        }

        private void guarded(Runnable then) {
            try {
                then.run();
            } catch (RuntimeException e) {
                LOG.error("event=replay_answer_failed next=\"report it with this line\"", e);
                answer.failed(new SpillwayException(
                        Code.INTERNAL, "a replay failed", e.toString(), "look at the broker's log", 0, e));
            }
        }
    }
}

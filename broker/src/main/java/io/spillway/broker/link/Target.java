package io.spillway.broker.link;

import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.shard.LinkCommand;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.Code;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** The shards of this broker, asked by links. Thread-safe. */
final class Target {
    private static final long TIMEOUT_S = 30;
    private static final int OVERLOADED_RETRY_MS = 200;

    private final List<Mailbox> shards;
    private final Published<TopicCatalog> catalog;

    Target(List<Mailbox> shards, Published<TopicCatalog> catalog) {
        this.shards = shards;
        this.catalog = catalog;
    }

    TopicCatalog catalog() {
        return catalog.get();
    }

    /** Asks shard 0, and waits. */
    <T> T ask(Function<Reply<T>, LinkCommand> command) throws InterruptedException {
        return await(send(0, reply -> new ShardCommand.Link(command.apply(reply))));
    }

    /** Asks the shard of a topic, and waits. */
    <T> T ask(TopicSpec topic, Function<Reply<T>, LinkCommand> command) throws InterruptedException {
        return await(send(topic.shard(), reply -> new ShardCommand.Link(command.apply(reply))));
    }

    /** Asks a shard. */
    <T> CompletableFuture<T> send(int shard, Function<Reply<T>, ShardCommand> command) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        Reply<T> reply = Reply.completing(answer);
        if (!shards.get(shard).offer(command.apply(reply))) {
            reply.failed(new SpillwayException(
                    Code.OVERLOADED,
                    "shard " + shard + " takes no request now",
                    "its queue is full",
                    "try again",
                    OVERLOADED_RETRY_MS,
                    null));
        }
        return answer;
    }

    /** The answer, or what refused it. */
    static <T> T await(CompletableFuture<T> answer) throws InterruptedException {
        try {
            return answer.get(TIMEOUT_S, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof SpillwayException why) {
                throw why;
            }
            throw new IllegalStateException("a shard failed", e.getCause());
        } catch (TimeoutException e) {
            throw new SpillwayException(
                    Code.NOT_READY,
                    "a shard did not answer a link",
                    "none came within " + TIMEOUT_S + " s",
                    "look at the broker's health and log",
                    0,
                    e);
        }
    }
}

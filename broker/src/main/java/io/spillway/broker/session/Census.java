package io.spillway.broker.session;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.PartitionInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Asks topics how they and their groups stand, one after the other: it has never more than one command in a mailbox, and after
 * a few topics a shard turns to others. Thread-safe; futures end on any thread.
 */
public final class Census {
    /** So many topics a shard tells of in one turn. */
    private static final int TOPICS_IN_TURN = 16;

    private final SessionContext context;
    private final Executor thread;

    /** How a topic stood. */
    public record Topic(TopicSpec spec, List<PartitionInfo> partitions, List<GroupInfo> groups) {
        public Topic {
            partitions = List.copyOf(partitions);
            groups = List.copyOf(groups);
        }
    }

    /** @param thread another than a shard's */
    public Census(SessionContext context, Executor thread) {
        this.context = context;
        this.thread = thread;
    }

    /** All topics; those that are deleted meanwhile are left out. */
    public CompletableFuture<List<Topic>> all() {
        CompletableFuture<List<Topic>> answer = new CompletableFuture<>();
        List<TopicSpec> topics = List.copyOf(context.catalog.get().all());
        ask(topics, 0, new ArrayList<>(topics.size()), answer);
        return answer;
    }

    /** Fails with TOPIC_NOT_FOUND when there is no such topic. */
    public CompletableFuture<Topic> topic(String name) {
        CompletableFuture<List<Topic>> answer = new CompletableFuture<>();
        try {
            ask(List.of(context.catalog.get().get(name)), 0, new ArrayList<>(), answer);
        } catch (SpillwayException e) {
            answer.completeExceptionally(e);
        }
        return answer.thenApply(found -> {
            if (found.isEmpty()) {
                throw new SpillwayException(
                        Code.TOPIC_NOT_FOUND, "topic " + name + " is not there", "it was deleted", "look for another");
            }
            return found.get(0);
        });
    }

    private void ask(List<TopicSpec> topics, int next, List<Topic> found, CompletableFuture<List<Topic>> answer) {
        if (next == topics.size()) {
            answer.complete(found);
            return;
        }
        TopicSpec topic = topics.get(next);
        Consumer<SpillwayException> failed = why -> {
            if (why.code() == Code.TOPIC_NOT_FOUND) {
                goOn(topics, next + 1, found, answer);
            } else {
                answer.completeExceptionally(why);
            }
        };
        Reply<List<PartitionInfo>> described = Reply.of(
                partitions -> {
                    Reply<List<GroupInfo>> groups = Reply.of(
                            all -> {
                                found.add(new Topic(topic, partitions, all));
                                goOn(topics, next + 1, found, answer);
                            },
                            failed);
                    offer(topic, new ShardCommand.DescribeGroups(topic.topicId(), null, groups), groups);
                },
                failed);
        offer(topic, new ShardCommand.DescribeTopic(topic.topicId(), described), described);
    }

    private void goOn(List<TopicSpec> topics, int next, List<Topic> found, CompletableFuture<List<Topic>> answer) {
        if (next % TOPICS_IN_TURN == 0) {
            thread.execute(() -> ask(topics, next, found, answer));
        } else {
            ask(topics, next, found, answer);
        }
    }

    private void offer(TopicSpec topic, ShardCommand command, Reply<?> reply) {
        if (!context.mailbox(topic).offer(command)) {
            reply.failed(AdminRequests.overloaded());
        }
    }
}

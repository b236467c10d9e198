package io.spillway.broker.audit;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.broker.audit.AuditEntry.Phase;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.catalog.TopicConfig;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.PublishOutcome;
import io.spillway.broker.shard.PublisherPort;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.Code;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.Durability;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The topic {@value #TOPIC}: each act is written to disk before it is done, and again with its result. What cannot be
 * written is not done. The topic is created with its first entry; clients read it and nothing else. Thread-safe.
 */
public final class Audit {
    public static final String TOPIC = TopicNames.AUDIT;

    private static final Logger LOG = LoggerFactory.getLogger(Audit.class);
    private static final long WRITE_TIMEOUT_NS = 5_000_000_000L;
    private static final int MAX_ENTRY_BYTES = 512 << 10;
    private static final Map<String, String> SETTINGS = Map.of(
            TopicConfig.DURABILITY, "synced",
            TopicConfig.RETENTION_MS, "-1",
            TopicConfig.RETENTION_BYTES, "-1");

    private final Published<TopicCatalog> catalog;
    private final List<Mailbox> shards;
    private final Clock clock;
    private final RandomGenerator random;
    private final Published<Predicate<byte[]>> elsewhere = new Published<>(entry -> false);
    private final Published<Function<byte[], CompletableFuture<?>>> leader = new Published<>(
            entry -> CompletableFuture.failedFuture(new IllegalStateException("nobody leads but this broker")));

    public Audit(Published<TopicCatalog> catalog, List<Mailbox> shards, Clock clock, RandomGenerator random) {
        this.catalog = catalog;
        this.shards = shards;
        this.clock = clock;
        this.random = random;
    }

    /**
     * Sets who takes an end that cannot be written here, as when this node led and does not any more.
     *
     * @param taken whether it will be written, by {@link #append} of the node that can
     */
    public void elsewhere(Predicate<byte[]> taken) {
        elsewhere.set(taken);
    }

    /** Throws PERMISSION_DENIED when a client wants to write or change the audit. */
    public static void refuseChange(String topic) {
        if (topic.equals(TOPIC)) {
            throw new SpillwayException(
                    Code.PERMISSION_DENIED,
                    "topic " + TOPIC + " cannot be written or changed by clients",
                    "it is the broker's audit",
                    "read it: spillway audit");
        }
    }

    /**
     * Does something that is audited.
     *
     * @param act does it and answers the reply it is given, once; runs when the entry is on disk, on a shard's thread
     * @param reply gets the answer of the act once that is written, too, or why it was not done
     * @param result tells the result in a few words
     */
    public <T> void around(AuditEntry entry, Consumer<Reply<T>> act, Reply<T> reply, Function<T, String> result) {
        around(this::append, entry, act, reply, result);
    }

    /** The same for what is done at this node whether it leads or not: where another leads, that one writes it down. */
    public <T> void aroundHere(AuditEntry entry, Consumer<Reply<T>> act, Reply<T> reply, Function<T, String> result) {
        around(this::appendAnywhere, entry, act, reply, result);
    }

    /** @param writes the leader has an entry written; fails when it cannot be reached */
    public void leader(Function<byte[], CompletableFuture<?>> writes) {
        leader.set(writes);
    }

    private void appendAnywhere(byte[] json, Reply<Boolean> reply) {
        append(json, Reply.of(reply::ok, why -> {
            if (why.code() != Code.NOT_LEADER && why.code() != Code.LEADER_ELECTION) {
                reply.failed(why);
                return;
            }
            leader.get().apply(json).whenComplete((written, failure) -> {
                if (failure == null) {
                    reply.ok(true);
                } else {
                    reply.failed(why);
                }
            });
        }));
    }

    private <T> void around(
            BiConsumer<byte[], Reply<Boolean>> writer,
            AuditEntry entry,
            Consumer<Reply<T>> act,
            Reply<T> reply,
            Function<T, String> result) {
        String id = Long.toHexString(random.nextLong());
        writer.accept(entry.json(clock.nowMs(), Phase.REQUESTED, id, ""), new Reply<>() {
            @Override
            public void ok(Boolean written) {
                perform(entry, id, act, reply, result);
            }

            @Override
            public void failed(SpillwayException why) {
                reply.failed(new SpillwayException(
                        why.code(),
                        entry.operation() + " was not done",
                        "it cannot be written to the audit: " + why.what() + ": " + why.why(),
                        why.nextStep(),
                        why.retryAfterMs(),
                        why));
            }
        });
    }

    private <T> void perform(
            AuditEntry entry, String id, Consumer<Reply<T>> act, Reply<T> reply, Function<T, String> result) {
        Reply<T> audited = new Reply<>() {
            @Override
            public void ok(T done) {
                end(entry, Phase.DONE, id, result.apply(done), () -> reply.ok(done));
            }

            @Override
            public void failed(SpillwayException why) {
                end(entry, Phase.FAILED, id, why.toString(), () -> reply.failed(why));
            }
        };
        try {
            act.accept(audited);
        } catch (SpillwayException e) {
            audited.failed(e);
        }
    }

    /** The act is done: when its end cannot be written the log says so, and the answer is still the act's. */
    private void end(AuditEntry entry, Phase phase, String id, String result, Runnable then) {
        byte[] json = entry.json(clock.nowMs(), phase, id, result);
        append(json, new Reply<>() {
            @Override
            public void ok(Boolean written) {
                then.run();
            }

            @Override
            public void failed(SpillwayException why) {
                if (!elsewhere.get().test(json)) {
                    LOG.error("event=audit_incomplete operation={} topic={} {}", entry.operation(), entry.topic(), why);
                }
                then.run();
            }
        });
    }

    /** Notes something that has happened by itself. A failure to write it is logged. */
    public void note(AuditEntry entry, Phase phase, String result) {
        String id = Long.toHexString(random.nextLong());
        end(entry, phase, id, result, () -> {});
    }

    /** Writes an entry that may be another node's. */
    public void append(byte[] json, Reply<Boolean> reply) {
        if (json.length > MAX_ENTRY_BYTES) {
            reply.failed(new SpillwayException(
                    Code.TOO_LARGE,
                    "an audit entry has " + json.length + " bytes",
                    "the limit is " + MAX_ENTRY_BYTES,
                    "give a shorter reason or selection"));
            return;
        }
        TopicSpec topic = catalog.get().find(TOPIC);
        if (topic != null) {
            append(topic, json, reply);
            return;
        }
        Reply<TopicSpec> created = new Reply<>() {
            @Override
            public void ok(TopicSpec spec) {
                append(spec, json, reply);
            }

            @Override
            public void failed(SpillwayException why) {
                reply.failed(why);
            }
        };
        if (!shards.get(0).offer(new ShardCommand.CreateTopic(TOPIC, 1, SETTINGS, created))) {
            reply.failed(overloaded());
        }
    }

    private void append(TopicSpec topic, byte[] json, Reply<Boolean> reply) {
        RecordBatchWriter writer = new RecordBatchWriter(PooledByteBufAllocator.DEFAULT, MAX_ENTRY_BYTES + 1024);
        writer.add(RecordParts.of(clock.nowMs(), json));
        RecordBatchWriter.Batch parts = writer.finish(0, 0, 0);
        ByteBuf batch = PooledByteBufAllocator.DEFAULT
                .directBuffer(parts.bytes())
                .writeBytes(parts.head())
                .writeBytes(parts.body());
        parts.release();
        long nowNs = clock.nanoTime();
        ShardCommand.Publish publish = ShardCommand.Publish.of(
                new Writer(reply),
                topic.partitionId(0),
                batch,
                false,
                0,
                nowNs,
                nowNs + WRITE_TIMEOUT_NS,
                Durability.DUR_SYNCED);
        if (!shards.get(topic.shard()).offer(publish)) {
            batch.release();
            reply.failed(overloaded());
        }
    }

    private static SpillwayException overloaded() {
        return new SpillwayException(
                Code.OVERLOADED,
                "the audit cannot be written now",
                "the broker's queue is full",
                "try again",
                200,
                null);
    }

    /** Hears what became of an entry. */
    private record Writer(Reply<Boolean> reply) implements PublisherPort {
        @Override
        public void appended(ShardCommand.Publish command, PublishOutcome outcome) {
            reply.ok(true);
        }

        @Override
        public boolean usesReserve() {
            return true;
        }

        @Override
        public void refused(ShardCommand.Publish command, SpillwayException why) {
            reply.failed(why);
        }
    }
}

package io.spillway.broker.canary;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.catalog.TopicConfig;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.metrics.Histogram;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.PublishOutcome;
import io.spillway.broker.shard.PublisherPort;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.Durability;
import io.spillway.protocol.v1.Start;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes a record at an interval, takes it as the consumer of a group of its own, and settles it: what clients do, but for
 * the network. At a node that does not serve it rests. Thread-safe; the thread {@code spillway-canary} does the work.
 */
public final class Canary implements AutoCloseable {
    public static final String TOPIC = TopicNames.CANARY + "broker";

    private static final Logger LOG = LoggerFactory.getLogger(Canary.class);
    private static final String GROUP = "canary";
    private static final int SHARED = 0;
    private static final int LATEST = 2;
    private static final long CREDIT = 1L << 40;
    private static final int RECORD_BYTES = 1 << 10;
    /** One that takes longer has failed, however short the interval is. */
    private static final long PATIENCE_MS = 5_000;
    /** Without success for longer something is wrong. */
    private static final long STALE_MS = 10_000;

    private static final int STALE_INTERVALS = 3;
    private static final Map<String, String> SETTINGS =
            Map.of(TopicConfig.RETENTION_MS, "600000", TopicConfig.RETENTION_BYTES, "-1");

    private final long intervalMs;
    private final Published<TopicCatalog> catalog;
    private final List<Mailbox> shards;
    private final Clock clock;
    private final BooleanSupplier serves;
    private final Histogram took = new Histogram();
    private final LongAdder failures = new LongAdder();
    private final Published<Long> lastGoodNs;
    private final Published<String> trouble = new Published<>("");
    private final Published<Boolean> rests = new Published<>(true);
    private final ScheduledThreadPoolExecutor executor =
            new ScheduledThreadPoolExecutor(1, task -> new Thread(task, "spillway-canary"));
    private @Nullable Member member;
    private @Nullable Flight flight;
    private long number;

    /** A round trip that is under way, and how far it has come. */
    private static final class Flight {
        private final long number;
        private final long startNs;
        private String waitsFor = "the ack of its publish";

        Flight(long number, long startNs) {
            this.number = number;
            this.startNs = startNs;
        }
    }

    /**
     * @param intervalMs 0 = there is no canary
     * @param serves whether this node serves clients, now
     */
    public Canary(
            long intervalMs,
            Published<TopicCatalog> catalog,
            List<Mailbox> shards,
            Clock clock,
            BooleanSupplier serves) {
        this.intervalMs = intervalMs;
        this.catalog = catalog;
        this.shards = List.copyOf(shards);
        this.clock = clock;
        this.serves = serves;
        lastGoodNs = new Published<>(clock.nanoTime());
    }

    public void start() {
        if (intervalMs > 0) {
            executor.scheduleAtFixedRate(() -> safely(this::beat), 0, intervalMs, TimeUnit.MILLISECONDS);
        }
    }

    private void safely(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException e) {
            failed(String.valueOf(e));
        }
    }

    public Histogram took() {
        return took;
    }

    public long failures() {
        return failures.sum();
    }

    /** Since it last came back, or was to begin, in ns; 0 while it rests. */
    public long ageNs() {
        return intervalMs == 0 || rests.get() ? 0 : clock.nanoTime() - lastGoodNs.get();
    }

    /** Since when and why it does not come back; empty while all is well. */
    public String stale() {
        long ageMs = TimeUnit.NANOSECONDS.toMillis(ageNs());
        long limitMs = Math.max(STALE_MS, STALE_INTERVALS * intervalMs);
        if (ageMs <= limitMs) {
            return "";
        }
        return "it last came back " + ageMs + " ms ago (limit " + limitMs + " ms): " + trouble.get();
    }

    private void beat() {
        if (!serves.getAsBoolean()) {
            rests.set(true);
            flight = null;
            member = null;
            return;
        }
        long nowNs = clock.nanoTime();
        if (rests.get()) {
            lastGoodNs.set(nowNs);
            rests.set(false);
        }
        if (flight != null) {
            long flownMs = TimeUnit.NANOSECONDS.toMillis(nowNs - flight.startNs);
            if (flownMs < PATIENCE_MS) {
                return;
            }
            failed("after " + flownMs + " ms it waits for " + flight.waitsFor);
        }
        TopicSpec topic = catalog.get().find(TOPIC);
        if (topic == null) {
            createTopic();
        } else if (member == null || member.topicId != topic.topicId()) {
            subscribe(topic);
        } else {
            publish(topic, nowNs);
        }
    }

    private void failed(String why) {
        flight = null;
        failures.increment();
        trouble.set(why);
        LOG.warn("event=canary_failed why=\"{}\" next=\"spillway diagnose\"", why);
    }

    private void createTopic() {
        offer(
                0,
                new ShardCommand.CreateTopic(
                        TOPIC, 1, SETTINGS, here(created -> {}, why -> failed("its topic is not there: " + why))));
    }

    private void subscribe(TopicSpec topic) {
        Member joined = new Member(topic.topicId(), topic.shard());
        member = joined;
        offer(
                topic.shard(),
                new ShardCommand.SubscribeGroup(
                        topic.topicId(),
                        GROUP,
                        SHARED,
                        Start.newBuilder().setKind(LATEST).build(),
                        0,
                        0,
                        Map.of(),
                        GROUP,
                        false,
                        joined,
                        here(subscribed -> {}, why -> joined.lost(why))));
        offer(topic.shard(), new ShardCommand.Grant(joined, CREDIT, CREDIT, false));
    }

    private void publish(TopicSpec topic, long nowNs) {
        Flight begun = new Flight(++number, nowNs);
        flight = begun;
        RecordBatchWriter writer = new RecordBatchWriter(PooledByteBufAllocator.DEFAULT, RECORD_BYTES);
        writer.add(RecordParts.of(
                clock.nowMs(),
                ByteBuffer.allocate(Long.BYTES).putLong(begun.number).array()));
        RecordBatchWriter.Batch parts = writer.finish(0, 0, 0);
        ByteBuf batch = PooledByteBufAllocator.DEFAULT
                .directBuffer(parts.bytes())
                .writeBytes(parts.head())
                .writeBytes(parts.body());
        parts.release();
        ShardCommand.Publish publish = ShardCommand.Publish.of(
                new Publisher(begun),
                topic.partitionId(0),
                batch,
                false,
                0,
                nowNs,
                nowNs + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MS),
                Durability.DUR_DEFAULT);
        if (!shards.get(topic.shard()).offer(publish)) {
            batch.release();
            failed("the broker's queue is full");
        }
    }

    private void offer(int shard, ShardCommand command) {
        if (!shards.get(shard).offer(command)) {
            member = null;
            failed("the broker's queue is full");
        }
    }

    /** Runs it on the canary's thread, unless that has ended. */
    private void here(Runnable task) {
        try {
            executor.execute(() -> safely(task));
        } catch (RejectedExecutionException e) {
            LOG.debug("event=canary_closed", e);
        }
    }

    private <T> Reply<T> here(Consumer<T> ok, Consumer<SpillwayException> refused) {
        return Reply.of(done -> here(() -> ok.accept(done)), why -> here(() -> refused.accept(why)));
    }

    private final class Publisher implements PublisherPort {
        private final Flight of;

        Publisher(Flight of) {
            this.of = of;
        }

        @Override
        public void appended(ShardCommand.Publish command, PublishOutcome outcome) {
            here(() -> of.waitsFor = "its delivery");
        }

        @Override
        public void refused(ShardCommand.Publish command, SpillwayException why) {
            here(() -> {
                if (flight == of) {
                    failed("its publish was refused: " + why);
                }
            });
        }
    }

    /** The consumer, from one subscription to its end. */
    private final class Member extends SelfSubscriber {
        private final int topicId;
        private final int shard;
        private volatile boolean gone;

        Member(int topicId, int shard) {
            super(GROUP.hashCode());
            this.topicId = topicId;
            this.shard = shard;
        }

        @Override
        public boolean isGone() {
            return gone;
        }

        void leave() {
            gone = true;
            shards.get(shard).end(new ShardCommand.Unsubscribe(this, null));
        }

        @Override
        void delivered(AckItem item, long flown) {
            here(() -> {
                Flight its = flight != null && flight.number == flown ? flight : null;
                if (its != null) {
                    its.waitsFor = "its settlement";
                }
                offer(
                        shard,
                        new ShardCommand.Settle(
                                this,
                                List.of(item),
                                true,
                                here(
                                        errors -> settled(its, errors.isEmpty() ? "" : errors.toString()),
                                        why -> settled(its, why.toString()))));
            });
        }

        private void settled(@Nullable Flight of, String problem) {
            if (of == null || flight != of) {
                return;
            }
            if (!problem.isEmpty()) {
                failed("its settlement was refused: " + problem);
                return;
            }
            long nowNs = clock.nanoTime();
            took.add(nowNs - of.startNs);
            lastGoodNs.set(nowNs);
            flight = null;
        }

        @Override
        public void ended(SpillwayException why) {
            here(() -> lost(why));
        }

        private void lost(SpillwayException why) {
            if (member == this) {
                member = null;
                failed("its subscription has ended: " + why);
            }
        }
    }

    /** Ends it; what the shards still say is not heard. */
    @Override
    public void close() {
        here(() -> {
            if (member != null) {
                member.leave();
                member = null;
            }
        });
        executor.shutdown();
    }
}

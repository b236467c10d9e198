package io.spillway.broker.admin;

import io.spillway.broker.base.Clock;
import io.spillway.broker.session.Census;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last hour, in memory: of the broker every 5 s, of each topic every 10 s. It is bounded: 720 points of 9 figures, and for at
 * most {@value #MAX_TOPICS} topics 360 points of 4 figures, at most 6 MiB. Topics are looked at every 5 s, and sooner when
 * somebody looks at them, but never so often that it took more than a twentieth of the time. Confined to the admin thread.
 */
final class Samples {
    static final int TICK_SECONDS = 5;
    static final int POINTS = 3_600 / TICK_SECONDS;
    /** Ticks between two points of a topic. */
    static final int TOPIC_TICKS = 2;

    static final int TOPIC_POINTS = POINTS / TOPIC_TICKS;
    static final int MAX_TOPICS = 1_024;

    private static final Logger LOG = LoggerFactory.getLogger(Samples.class);
    private static final long FRESH_NS = 1_500_000_000L;
    private static final int TIMES_IDLE = 20;
    private static final double NS_PER_SECOND = 1e9;
    private static final List<String> NAMES = List.of(
            "published",
            "published_bytes",
            "delivered",
            "delivered_bytes",
            "settled",
            "redelivered",
            "dead_letters",
            "backlog",
            "in_flight");

    final Series broker = new Series(NAMES, POINTS);

    private final Census census;
    private final Supplier<Traffic> traffic;
    private final Clock clock;
    private final Executor thread;
    private final Map<String, TopicFigures> topics = new LinkedHashMap<>();
    private CompletableFuture<Samples> looking = CompletableFuture.completedFuture(this);
    private Traffic last = Traffic.NONE;
    private long lastNs;
    private long lastMs;
    private long seenNs;
    private long seenMs;
    private long tookNs;
    private long ticks;
    private int remembered;

    Samples(Census census, Supplier<Traffic> traffic, Clock clock, Executor thread) {
        this.census = census;
        this.traffic = traffic;
        this.clock = clock;
        this.thread = thread;
        last = traffic.get();
        lastNs = clock.nanoTime();
        seenNs = lastNs - FRESH_NS;
    }

    /** Every {@link #TICK_SECONDS}. */
    void tick() {
        look().whenComplete((done, failure) -> thread.execute(this::remember));
    }

    private void remember() {
        Traffic now = traffic.get();
        long nowNs = clock.nanoTime();
        double seconds = Math.max(1, nowNs - lastNs) / NS_PER_SECOND;
        broker.add(
                (now.publishedRecords() - last.publishedRecords()) / seconds,
                (now.publishedBytes() - last.publishedBytes()) / seconds,
                (now.deliveredRecords() - last.deliveredRecords()) / seconds,
                (now.deliveredBytes() - last.deliveredBytes()) / seconds,
                (now.settledRecords() - last.settledRecords()) / seconds,
                (now.redeliveredRecords() - last.redeliveredRecords()) / seconds,
                (now.deadLetters() - last.deadLetters()) / seconds,
                topics.values().stream().mapToLong(TopicFigures::backlog).sum(),
                topics.values().stream().mapToLong(TopicFigures::inFlight).sum());
        last = now;
        lastNs = nowNs;
        lastMs = clock.nowMs();
        if (ticks++ % TOPIC_TICKS == 0) {
            topics.values().forEach(TopicFigures::remember);
        }
    }

    /** The topics, as they were at most a moment ago. */
    CompletableFuture<Samples> fresh() {
        boolean isFresh = clock.nanoTime() - seenNs < Math.max(FRESH_NS, TIMES_IDLE * tookNs);
        return isFresh || !looking.isDone() ? looking : look();
    }

    private CompletableFuture<Samples> look() {
        if (!looking.isDone()) {
            return looking;
        }
        long beganNs = clock.nanoTime();
        CompletableFuture<Samples> done = new CompletableFuture<>();
        looking = done;
        census.all()
                .whenComplete((found, failure) -> thread.execute(() -> {
                    seenNs = clock.nanoTime();
                    tookNs = seenNs - beganNs;
                    if (failure == null) {
                        see(found);
                    } else {
                        LOG.debug("event=census_failed why=\"{}\"", failure.toString());
                    }
                    done.complete(this);
                }));
        return done;
    }

    private void see(List<Census.Topic> found) {
        seenMs = clock.nowMs();
        Map<String, TopicFigures> before = new LinkedHashMap<>(topics);
        topics.clear();
        for (Census.Topic topic : found) {
            TopicFigures known = before.remove(topic.spec().name());
            if (known == null) {
                boolean isRemembered = remembered < MAX_TOPICS;
                remembered += isRemembered ? 1 : 0;
                known = new TopicFigures(topic, seenNs, isRemembered ? TOPIC_POINTS : 0);
            } else {
                known.see(topic, seenNs);
            }
            topics.put(topic.spec().name(), known);
        }
        remembered -= (int)
                before.values().stream().filter(gone -> gone.series != null).count();
    }

    Collection<TopicFigures> topics() {
        return new ArrayList<>(topics.values());
    }

    /** Null when there is none, or it was not looked at yet. */
    @Nullable
    TopicFigures find(String topic) {
        return topics.get(topic);
    }

    /** When the last point was taken. */
    long lastMs() {
        return lastMs;
    }

    /** When the topics were looked at last. */
    long seenMs() {
        return seenMs;
    }
}

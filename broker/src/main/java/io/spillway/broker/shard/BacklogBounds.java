package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicConfig.Backlog;
import io.spillway.broker.diagnose.TopicFacts;
import io.spillway.broker.log.BatchCursor;
import io.spillway.protocol.Code;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps topics within the bounds of their backlog. A publish costs two additions: the backlog is measured again only when
 * what was measured last and appended since reaches a bound, at most once a millisecond, and now and then by the tick. So
 * a topic that refuses overshoots its bound by less than one batch; one that drops, by what comes within a tick. A group
 * that is created or moved back counts at the next measurement of the tick. Confined to the shard thread.
 */
final class BacklogBounds {
    private static final Logger LOG = LoggerFactory.getLogger(BacklogBounds.class);
    /** How old a measurement may become. */
    private static final long MEASURE_MS = 100;

    private static final int RETRY_AFTER_MS = 200;
    private static final long LOG_EVERY_MS = 10_000;
    /** Dropping goes on to this share below the bound, so that not every tick has to drop. */
    private static final int SLACK = 32;

    private final ShardState state;
    private final Trimming trimming;
    private final ShardCounters counters;

    BacklogBounds(ShardState state, Trimming trimming, ShardCounters counters) {
        this.state = state;
        this.trimming = trimming;
        this.counters = counters;
    }

    /** Throws QUEUE_FULL when the topic has reached a bound and refuses more, or cannot drop what it would have to. */
    void admit(TopicState topic, long nowMs) {
        Backlog bound = topic.spec.config().backlog();
        if (!bound.isBounded()) {
            return;
        }
        TopicBacklog backlog = topic.backlog;
        if (backlog.measuredMs != nowMs
                && (backlog.measuredMs == TopicBacklog.NEVER || isFull(backlog, bound, nowMs))) {
            measure(topic, bound, nowMs);
        }
        if ((!bound.dropsOldest() || backlog.isHeld) && isFull(backlog, bound, nowMs)) {
            counters.backlogRefused.increment();
            throw full(topic, bound, nowMs);
        }
    }

    void appended(TopicState topic, int bytes, int records, long nowMs) {
        if (topic.spec.config().backlog().isBounded()) {
            topic.backlog.appended(bytes, records, nowMs);
        }
    }

    /** Measures a topic that was not measured for a while, and drops what is too much. */
    int tick(TopicState topic, long nowMs) {
        Backlog bound = topic.spec.config().backlog();
        if (!bound.isBounded() || !topic.spec.standing().isOpen()) {
            return 0;
        }
        TopicBacklog backlog = topic.backlog;
        boolean full = isFull(backlog, bound, nowMs);
        if ((full && bound.dropsOldest()) || nowMs - backlog.measuredMs >= MEASURE_MS) {
            measure(topic, bound, nowMs);
            full = isFull(backlog, bound, nowMs);
        }
        return full && bound.dropsOldest() ? drop(topic, bound, nowMs) : 0;
    }

    /** Whether a bound is reached, so that no more fits, or for a topic that drops, exceeded. */
    private static boolean isFull(TopicBacklog backlog, Backlog bound, long nowMs) {
        int beyond = bound.dropsOldest() ? 1 : 0;
        return (bound.bytes() >= 0 && backlog.bytes - beyond >= bound.bytes())
                || (bound.records() >= 0 && backlog.records - beyond >= bound.records())
                || (bound.ms() >= 0 && backlog.oldestMs < nowMs - bound.ms());
    }

    private void measure(TopicState topic, Backlog bound, long nowMs) {
        TopicBacklog backlog = topic.backlog;
        backlog.bytes = 0;
        backlog.records = 0;
        backlog.oldestMs = Long.MAX_VALUE;
        backlog.group = "";
        backlog.measuredMs = nowMs;
        for (Group group : topic.groups.values()) {
            measure(backlog, bound, topic, group);
        }
        if (topic.groups.isEmpty()) {
            for (Partition partition : topic.partitions) {
                long start = state.log.startOffset(partition.id);
                backlog.bytes += state.log.bytes(partition.id);
                backlog.records += partition.endOffset - start;
                backlog.oldestMs = Math.min(backlog.oldestMs, oldestMs(partition, start, bound));
            }
        }
    }

    /** The slowest group is another one for each bound. */
    private void measure(TopicBacklog backlog, Backlog bound, TopicState topic, Group group) {
        long bytes = 0;
        long records = 0;
        for (Partition partition : topic.partitions) {
            Group.Place place = group.places[partition.index];
            long from = Math.max(place.state.cursor(), state.log.startOffset(partition.id));
            records += Math.max(0, partition.endOffset - from - place.state.settledAbove());
            bytes += bound.bytes() < 0 ? 0 : state.log.bytesFrom(partition.id, from);
            backlog.oldestMs = Math.min(backlog.oldestMs, oldestMs(partition, from, bound));
        }
        backlog.bytes = Math.max(backlog.bytes, bytes);
        if (records >= backlog.records) {
            backlog.records = records;
            backlog.group = group.name();
        }
    }

    private long oldestMs(Partition partition, long from, Backlog bound) {
        return bound.ms() < 0 || from >= partition.endOffset ? Long.MAX_VALUE : state.log.timeAt(partition.id, from);
    }

    /** The bound that keeps the topic from taking more, or null. */
    TopicFacts.@Nullable Full reached(TopicState topic, long nowMs) {
        Backlog bound = topic.spec.config().backlog();
        boolean stops = bound.isBounded() && (!bound.dropsOldest() || topic.backlog.isHeld);
        return stops && isFull(topic.backlog, bound, nowMs) ? reached(topic.backlog, bound, nowMs) : null;
    }

    private static TopicFacts.Full reached(TopicBacklog backlog, Backlog bound, long nowMs) {
        if (bound.records() >= 0 && backlog.records >= bound.records()) {
            return new TopicFacts.Full("backlog.records", bound.records(), backlog.records, backlog.group);
        }
        return bound.bytes() >= 0 && backlog.bytes >= bound.bytes()
                ? new TopicFacts.Full("backlog.bytes", bound.bytes(), backlog.bytes, backlog.group)
                : new TopicFacts.Full("backlog.ms", bound.ms(), nowMs - backlog.oldestMs, backlog.group);
    }

    private SpillwayException full(TopicState topic, Backlog bound, long nowMs) {
        TopicBacklog backlog = topic.backlog;
        TopicFacts.Full reached = reached(backlog, bound, nowMs);
        String key = reached.bound();
        long limit = reached.limit();
        long actual = reached.actual();
        String whose = backlog.group.isEmpty() ? "what is stored" : "what group " + backlog.group + " has not settled";
        if (nowMs >= backlog.nextLogMs) {
            backlog.nextLogMs = nowMs + LOG_EVERY_MS;
            LOG.warn(
                    "event=backlog_full topic={} bound={} limit={} actual={} group={} why=\"the topic has reached that bound\""
                            + " next=\"spillway diagnose topic {}\"",
                    topic.spec.name(),
                    key,
                    limit,
                    actual,
                    backlog.group,
                    topic.spec.name());
        }
        return new SpillwayException(
                        Code.QUEUE_FULL,
                        "topic " + topic.spec.name() + " is full",
                        whose + " is " + actual + " by " + key + ", the bound is " + limit
                                + (bound.dropsOldest() ? ", and a replay needs the oldest records" : ""),
                        "send again after the stated time; consume faster or raise the bound",
                        RETRY_AFTER_MS,
                        null)
                .with("reason", "CONSUMER_LAG")
                .with("scope", "topic:" + topic.spec.name())
                .with("bound", key)
                .with("limit", Long.toString(limit))
                .with("actual", Long.toString(actual))
                .with("group", backlog.group);
    }

    /** Lets the oldest batches of all partitions go, by their append times, until what is left is within the bounds. */
    private int drop(TopicState topic, Backlog bound, long nowMs) {
        TopicBacklog backlog = topic.backlog;
        long bytes = bound.bytes() < 0 ? 0 : backlog.bytes - (bound.bytes() - bound.bytes() / SLACK);
        long records = bound.records() < 0 ? 0 : backlog.records - (bound.records() - bound.records() / SLACK);
        long untilMs = bound.ms() < 0 ? Long.MIN_VALUE : nowMs - bound.ms();
        BatchCursor[] cursors = new BatchCursor[topic.partitions.length];
        long[] upTo = new long[topic.partitions.length];
        Arrays.fill(upTo, -1);
        for (Partition partition : topic.partitions) {
            BatchCursor cursor = state.log.cursor(partition.id);
            cursors[partition.index] = cursor;
            cursor.seek(oldestUnsettled(topic, partition));
        }
        backlog.isHeld = false;
        int oldest;
        while ((oldest = oldest(topic, cursors)) >= 0
                && (bytes > 0 || records > 0 || cursors[oldest].appendTimeMs() < untilMs)) {
            BatchCursor cursor = cursors[oldest];
            bytes -= cursor.bytes();
            records -= cursor.recordCount();
            upTo[oldest] = cursor.endOffset();
            cursor.next();
        }
        backlog.isHeld = oldest < 0 && (bytes > 0 || records > 0);
        return apply(topic, upTo, nowMs);
    }

    private long oldestUnsettled(TopicState topic, Partition partition) {
        long start = state.log.startOffset(partition.id);
        long oldest = topic.groups.isEmpty() ? start : Long.MAX_VALUE;
        for (Group group : topic.groups.values()) {
            oldest = Math.min(oldest, group.places[partition.index].state.cursor());
        }
        return Math.max(start, oldest);
    }

    /** The partition whose next batch is the oldest that may go, or -1. */
    private int oldest(TopicState topic, BatchCursor[] cursors) {
        int oldest = -1;
        for (int i = 0; i < cursors.length; i++) {
            BatchCursor cursor = cursors[i];
            if (cursor.valid()
                    && cursor.endOffset() <= trimming.holdFrom(topic.partitions[i])
                    && (oldest < 0 || cursor.appendTimeMs() < cursors[oldest].appendTimeMs())) {
                oldest = i;
            }
        }
        return oldest;
    }

    private int apply(TopicState topic, long[] upTo, long nowMs) {
        TopicBacklog backlog = topic.backlog;
        long before = backlog.dropped;
        int trimmed = 0;
        for (int i = 0; i < upTo.length; i++) {
            if (upTo[i] >= 0) {
                Partition partition = topic.partitions[i];
                backlog.dropped += upTo[i] - oldestUnsettled(topic, partition);
                trimming.drop(partition, upTo[i]);
                trimmed++;
            }
        }
        if (trimmed == 0) {
            return 0;
        }
        trimming.commit();
        counters.backlogDropped.add(backlog.dropped - before);
        measure(topic, topic.spec.config().backlog(), nowMs);
        if (nowMs >= backlog.nextLogMs) {
            backlog.nextLogMs = nowMs + LOG_EVERY_MS;
            LOG.warn(
                    "event=backlog_dropped topic={} records={} dropped_since_start={} backlog_records={} backlog_bytes={}"
                            + " why=\"the topic has reached a bound and drops the oldest\" next=\"spillway diagnose topic {}\"",
                    topic.spec.name(),
                    backlog.dropped - before,
                    backlog.dropped,
                    backlog.records,
                    backlog.bytes,
                    topic.spec.name());
        }
        return trimmed;
    }
}

package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.records.GroupSettled;
import io.spillway.broker.records.StateRecord;
import io.spillway.protocol.KeyHash;
import io.spillway.protocol.Limits;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.RecordView;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves records that a group gives up to the dead-letter topic of their topic: one entry holds the copy and the group's
 * settle, so that neither is ever without the other. A copy keeps key, value, headers, trace, tombstone flag and idempotency key,
 * which is not looked up, so that no copy is ever taken for a duplicate; it waits for no time and does not expire. Records wait
 * here while the dead-letter topic is being created or does not take them, or while the log is read-only. Confined to the
 * shard thread.
 */
final class DeadLetters {
    private static final String HEADER_PREFIX = "spillway-dlq-";
    private static final int CAUSE_HEADERS = 9;
    private static final int TRACE_ID_AT = 1;
    private static final int TRACE_ID_BYTES = 16;

    private static final Logger LOG = LoggerFactory.getLogger(DeadLetters.class);
    private static final int MAX_ERROR_CHARS = 1000;

    /** Creates the dead-letter topic of a topic of this shard, now or soon; the caller looks again later. */
    interface TopicCreator {
        void createDeadLetterTopic(TopicSpec origin);
    }

    /** What waits for one topic's dead-letter topic, and why it has to. */
    private static final class Queue {
        final ArrayDeque<DeadLetter> items = new ArrayDeque<>();
        String heldWhy = "";
    }

    private final ShardState state;
    private final Journal journal;
    private final ShardCounters counters;
    private final TopicCreator creator;
    private final DeadLetterEvents events = new DeadLetterEvents();
    private final Map<TopicState, Queue> waiting = new LinkedHashMap<>();
    private final ByteBuf buffer = PooledByteBufAllocator.DEFAULT.directBuffer(64 << 10);
    private final RecordView view = new RecordView();
    private final RecordBatchWriter writer =
            new RecordBatchWriter(PooledByteBufAllocator.DEFAULT, 2 * Limits.MAX_BATCH_BYTES);

    DeadLetters(ShardState state, Journal journal, ShardCounters counters, TopicCreator creator) {
        this.state = state;
        this.journal = journal;
        this.counters = counters;
        this.creator = creator;
    }

    void add(DeadLetter item, long nowMs) {
        Queue queue = waiting.computeIfAbsent(item.group().topic, topic -> new Queue());
        queue.items.add(item);
        if (queue.items.size() == 1) {
            move(item.group().topic, queue, nowMs);
        }
    }

    /** Gives the scratch memory back. */
    void close() {
        buffer.release();
    }

    /** Moves what waits, as far as it can. */
    int doWork(long nowMs) {
        int work = 0;
        for (Map.Entry<TopicState, Queue> entry : waiting.entrySet()) {
            work += move(entry.getKey(), entry.getValue(), nowMs);
        }
        waiting.values().removeIf(queue -> queue.items.isEmpty());
        return work;
    }

    /** Drops what waits of a place: its group was moved, so that its records are decided anew. */
    void forget(Group.Place place) {
        Queue queue = waiting.get(place.partition.topic);
        if (queue != null) {
            queue.items.removeIf(item -> item.place() == place);
        }
    }

    /** Why dead letters of the group have to wait; empty when none has to. */
    String heldWhy(Group group) {
        Queue queue = waiting.get(group.topic);
        if (queue == null || queue.items.stream().noneMatch(item -> item.group() == group)) {
            return "";
        }
        return queue.heldWhy;
    }

    private int move(TopicState topic, Queue queue, long nowMs) {
        int work = 0;
        DeadLetter next;
        while ((next = queue.items.peek()) != null) {
            if (state.groups.get(next.group().id) == next.group() && !move(next, queue, nowMs)) {
                return work;
            }
            queue.items.poll();
            work++;
        }
        if (!queue.heldWhy.isEmpty()) {
            queue.heldWhy = "";
            LOG.info("event=dead_letters_released topic={}", topic.spec.name());
        }
        return work;
    }

    private boolean move(DeadLetter item, Queue queue, long nowMs) {
        Partition target = target(item.group().topic.spec, queue);
        if (target == null || !state.log.writeState().writable()) {
            return false;
        }
        BatchCursor cursor = item.place().cursor;
        long offset = item.from();
        while (offset < item.to()) {
            if (!cursor.seek(offset) || cursor.baseOffset() >= item.to()) {
                settleOnly(item, offset, item.to());
                return true;
            }
            long end = Math.min(item.to(), cursor.endOffset());
            buffer.clear();
            if (cursor.baseOffset() > offset || !cursor.copyTo(buffer)) {
                settleOnly(item, offset, end);
            } else {
                copy(item, target, offset, end, nowMs);
            }
            offset = end;
        }
        return true;
    }

    /** Where the dead letters of a topic go; null while they cannot. */
    private @Nullable Partition target(TopicSpec origin, Queue queue) {
        String name = TopicNames.deadLetterTopic(origin.name());
        TopicSpec spec = state.catalog.get().find(name);
        TopicSpec closed = origin.standing().isOpen() ? spec : origin;
        if (closed != null && !closed.standing().isOpen()) {
            hold(queue, origin, closed.refusal().what(), closed.refusal().nextStep());
            return null;
        }
        if (spec == null) {
            creator.createDeadLetterTopic(origin);
            spec = state.catalog.get().find(name);
        }
        if (spec == null) {
            return null;
        }
        if (!spec.config().accepts().deadLetters()) {
            hold(
                    queue,
                    origin,
                    "topic " + name + " does not accept dead letters",
                    "spillway topic alter " + name + " --config accepts=dlq");
            return null;
        }
        if (spec.shard() != state.shard) {
            hold(
                    queue,
                    origin,
                    "topic " + name + " lies in another shard than " + origin.name(),
                    "delete topic " + name + "; the broker creates it where it belongs");
            return null;
        }
        return state.partition(spec.partitionId(0));
    }

    private static void hold(Queue queue, TopicSpec origin, String why, String next) {
        if (!queue.heldWhy.equals(why)) {
            queue.heldWhy = why;
            LOG.warn("event=dead_letters_held topic={} why=\"{}\" next=\"{}\"", origin.name(), why, next);
        }
    }

    private void settleOnly(DeadLetter item, long from, long to) {
        LOG.error(
                "event=dead_letter_unreadable topic={} group={} from={} to={} why=\"corrupt or missing on disk\" next=\"spillway log verify\"",
                item.place().partition,
                item.group().name(),
                from,
                to);
        journal.commit(List.of(settled(item, from, to)));
    }

    private static StateRecord settled(DeadLetter item, long from, long to) {
        return StateRecord.newBuilder()
                .setGroupSettled(GroupSettled.newBuilder()
                        .setGroupId(item.group().id)
                        .setPartitionId(item.place().partition.id)
                        .addBounds(from)
                        .addBounds(to)
                        .setDeadLettered(to - from))
                .build();
    }

    /** Copies the records [from, to) of the batch in the buffer, one entry each. */
    private void copy(DeadLetter item, Partition target, long from, long to, long nowMs) {
        long baseOffset = RecordBatch.baseOffset(buffer, 0);
        int count = RecordBatch.recordCount(buffer, 0);
        view.wrap(buffer, 0);
        for (int i = 0; i < count; i++) {
            boolean readable = readNext(item);
            long offset = baseOffset + i;
            if (offset < from || offset >= to) {
                continue;
            }
            if (readable) {
                write(item, offset);
            } else {
                writeUnread(item, offset);
            }
            long targetOffset = target.endOffset;
            append(item, target, offset, readable && view.hasDedupId(), nowMs);
            if (readable) {
                state.tracing.deadLettered(view, item, offset, target, targetOffset);
            }
            events.given(item, offset, readable ? view : null, nowMs);
        }
    }

    /** Moves to the next record; false when its parts do not fit, which nobody checked when the batch was published. */
    private boolean readNext(DeadLetter item) {
        try {
            return view.next();
        } catch (ProtocolException e) {
            LOG.warn(
                    "event=dead_letter_malformed topic={} why=\"{}\" next=\"look at its publisher\"",
                    item.place().partition,
                    e.getMessage());
            return false;
        }
    }

    private void write(DeadLetter item, long offset) {
        byte[] key = view.key();
        List<Map.Entry<String, byte[]>> headers = new ArrayList<>();
        view.headers((name, from, valueAt, valueBytes) -> {
            byte[] value = new byte[valueBytes];
            from.getBytes(valueAt, value);
            if (!name.startsWith(HEADER_PREFIX) && headers.size() < Limits.MAX_HEADERS - CAUSE_HEADERS) {
                headers.add(Map.entry(name, value));
            }
        });
        addCause(headers, item, offset);
        byte[] trace = view.trace();
        if (trace != null) {
            headers.add(header("trace", HexFormat.of().formatHex(trace, TRACE_ID_AT, TRACE_ID_AT + TRACE_ID_BYTES)));
        }
        writer.add(new RecordParts(
                view.timestampMs(),
                key,
                key == null ? 0 : KeyHash.of(key),
                headers,
                view.value(),
                view.dedupId(),
                trace,
                -1,
                -1,
                view.isTombstone()));
    }

    /** A record whose parts cannot be told apart: all its bytes are the value. */
    private void writeUnread(DeadLetter item, long offset) {
        byte[] bytes = new byte[view.recordBytes()];
        buffer.getBytes(view.recordAt(), bytes);
        List<Map.Entry<String, byte[]>> headers = new ArrayList<>();
        addCause(headers, item, offset);
        writer.add(new RecordParts(view.timestampMs(), null, 0, headers, bytes, null, null, -1, -1));
    }

    private void append(DeadLetter item, Partition target, long offset, boolean keyed, long nowMs) {
        RecordBatchWriter.Batch parts = writer.finish(0, 0, 0);
        CompositeByteBuf whole = PooledByteBufAllocator.DEFAULT.compositeBuffer(2);
        whole.addComponents(true, parts.head(), parts.body());
        ByteBuf batch = PooledByteBufAllocator.DEFAULT
                .directBuffer(whole.readableBytes())
                .writeBytes(whole);
        whole.release();
        try {
            Batches.admit(batch, 0);
            RecordBatch.stamp(batch, 0, target.endOffset, 0, nowMs);
            long sequence = journal.commit(List.of(settled(item, offset, offset + 1)), target, batch, keyed);
            showWhenDurable(target, sequence, target.endOffset);
        } finally {
            batch.release();
        }
        counters.deadLetters(item.cause()).increment();
    }

    private void showWhenDurable(Partition target, long sequence, long end) {
        if (!journal.holdsBack(target.topic)) {
            target.show(end);
            return;
        }
        journal.whenDurable(sequence, new Journal.Waiter() {
            @Override
            public void durable(long durableNs) {
                target.show(end);
            }

            @Override
            public void failed(SpillwayException why) {
                LOG.error("event=dead_letter_not_durable topic={} {}", target, why);
            }
        });
    }

    private static void addCause(List<Map.Entry<String, byte[]>> headers, DeadLetter item, long offset) {
        String error =
                item.error().length() > MAX_ERROR_CHARS ? item.error().substring(0, MAX_ERROR_CHARS) : item.error();
        headers.add(header("cause", item.cause().name()));
        headers.add(header("topic", item.group().topic.spec.name()));
        headers.add(header("partition", Integer.toString(item.place().partition.index)));
        headers.add(header("offset", Long.toString(offset)));
        headers.add(header("group", item.group().name()));
        headers.add(header("attempts", Integer.toString(item.attempts())));
        headers.add(header("failures", Integer.toString(item.failures())));
        headers.add(header("error", error));
    }

    private static Map.Entry<String, byte[]> header(String name, String value) {
        return Map.entry(HEADER_PREFIX + name, value.getBytes(StandardCharsets.UTF_8));
    }
}

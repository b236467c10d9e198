package io.spillway.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordView;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.GroupAdmin;
import io.spillway.protocol.v1.GroupAdminOk;
import io.spillway.protocol.v1.GroupList;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.TopicAdmin;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What a {@link FakeBroker} stores: batches by partition, producers' sequences, and what was settled. */
final class FakeTopics {
    static final long APPEND_TIME_MS = 1_700_000_000_000L;

    final Map<String, List<FakePartition>> topics = new HashMap<>();
    final List<FakeSession.Subscriber> subscribers = new ArrayList<>();
    /** Settlements as they came: "outcome partition first-last". */
    final List<String> settlements = new ArrayList<>();

    /** The same, whole. */
    final List<AckItem> settled = new ArrayList<>();
    /** Answers to the next publishes carry these errors of single records. */
    final Queue<ItemError> itemErrors = new ArrayDeque<>();

    /** Administration that was asked for, and how groups answer it. */
    final List<TopicAdmin> topicRequests = new ArrayList<>();

    final List<GroupAdmin> groupRequests = new ArrayList<>();
    GroupAdminOk groupAnswer = GroupAdminOk.getDefaultInstance();
    GroupList groups = GroupList.getDefaultInstance();

    /** The role of whoever subscribes. */
    int role;
    /** What deliveries say of the broker's clock, and of the records' failed deliveries. */
    long brokerMs;

    int failures;

    long nextProducerId = 77;
    long nextFence = 1;
    long creditBatches = 1_000_000;
    long creditBytes = 1L << 40;
    int maxInFlight = 32;
    int leaseMs = 30_000;
    /** The next deliveries arrive with a flipped bit. */
    int corruptDeliveries;
    /** Settlements with these fences are refused with LEASE_LOST. */
    long leasesLostUpToFence;

    static final class FakePartition {
        final List<Stored> batches = new ArrayList<>();
        final Map<Long, Sequence> producers = new HashMap<>();
        long endOffset;

        int records() {
            return batches.stream().mapToInt(Stored::count).sum();
        }
    }

    record Stored(long baseOffset, int count, byte[] bytes) {}

    /** What is known of one producer. */
    static final class Sequence {
        int epoch;
        long next;
        final TreeMap<Long, Stored> batches = new TreeMap<>();
    }

    void create(String topic, int partitions) {
        List<FakePartition> made = new ArrayList<>();
        for (int i = 0; i < partitions; i++) {
            made.add(new FakePartition());
        }
        topics.put(topic, made);
    }

    /** Loses the newest batches of a partition, as a power failure does with MAPPED. */
    void lose(String topic, int partition, int batches) {
        FakePartition p = partition(topic, partition);
        for (int i = 0; i < batches; i++) {
            Stored lost = p.batches.remove(p.batches.size() - 1);
            p.endOffset = lost.baseOffset();
            p.producers.values().forEach(sequence -> {
                sequence.batches.values().remove(lost);
                sequence.next = sequence.batches.isEmpty()
                        ? 0
                        : sequence.batches.lastKey()
                                + sequence.batches.lastEntry().getValue().count();
            });
        }
    }

    FakePartition partition(String topic, int partition) {
        return topics.getOrDefault(topic, List.of()).get(partition);
    }

    @Nullable
    FakePartition find(String topic, int partition) {
        List<FakePartition> all = topics.get(topic);
        return all == null || partition >= all.size() ? null : all.get(partition);
    }

    /** The values in a partition, in order. */
    List<String> values(String topic, int partition) {
        return texts(topic, partition, RecordView::value);
    }

    /** The idempotency keys in a partition, in order. */
    List<String> dedupIds(String topic, int partition) {
        return texts(topic, partition, RecordView::dedupId);
    }

    private List<String> texts(String topic, int partition, Function<RecordView, byte @Nullable []> part) {
        List<String> texts = new ArrayList<>();
        for (Stored stored : partition(topic, partition).batches) {
            RecordView view = new RecordView().wrap(Unpooled.wrappedBuffer(stored.bytes()), 0);
            while (view.next()) {
                byte[] bytes = part.apply(view);
                texts.add(bytes == null ? "none" : new String(bytes, StandardCharsets.UTF_8));
            }
        }
        return texts;
    }

    Stored append(FakePartition partition, ByteBuf batch) {
        byte[] bytes = new byte[batch.readableBytes()];
        batch.getBytes(batch.readerIndex(), bytes);
        ByteBuf stamped = Unpooled.wrappedBuffer(bytes);
        RecordBatch.stamp(stamped, 0, partition.endOffset, 1, APPEND_TIME_MS);
        Stored stored = new Stored(partition.endOffset, RecordBatch.recordCount(stamped, 0), bytes);
        partition.batches.add(stored);
        partition.endOffset += stored.count();
        return stored;
    }

    void forget(FakeSession session) {
        subscribers.removeIf(subscriber -> subscriber.session() == session);
    }

    void deliver() {
        List.copyOf(subscribers).forEach(FakeSession.Subscriber::deliver);
    }
}

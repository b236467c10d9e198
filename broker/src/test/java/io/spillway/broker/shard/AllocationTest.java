package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.KeyHash;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.Deliver;
import io.spillway.protocol.v1.Durability;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.Segment;
import io.spillway.protocol.v1.Start;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a shard allocates for a batch does not depend on how many records it has. The JVM counts exactly, whatever else the machine does; the least of
 * several batches leaves out what happens now and then, such as a new segment.
 */
@ExtendWith(UnwatchedBuffers.class)
class AllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int FEW = 20;
    private static final int MANY = 420;
    private static final int BATCHES = 30;
    /** One object for a record would be 16. */
    private static final double MOST_BYTES = 1;

    @TempDir
    Path directory;

    private ShardFixture shard;

    @BeforeEach
    void open() {
        shard = new ShardFixture(directory.resolve("shard"));
        shard.createTopic("orders", 1, Map.of());
    }

    @AfterEach
    void close() {
        shard.close();
    }

    /** Hears that its batch was appended. */
    private static final class Sender implements PublisherPort {
        boolean answered;

        @Override
        public void appended(ShardCommand.Publish command, PublishOutcome outcome) {
            answered = true;
        }

        @Override
        public void refused(ShardCommand.Publish command, SpillwayException why) {
            throw why;
        }
    }

    /** Takes what it is sent and keeps where it ends. */
    private static final class Taker implements SubscriberPort {
        long taken;
        long fence;

        @Override
        public int identity() {
            return 1;
        }

        @Override
        public boolean isGone() {
            return false;
        }

        @Override
        public boolean writable() {
            return true;
        }

        @Override
        public void deliver(Deliver header, ByteBuf payload) {
            int at = payload.readerIndex();
            for (Segment segment : header.getSegmentsList()) {
                taken = segment.getBaseOffset() + RecordBatch.recordCount(payload, at);
                fence = segment.getFence();
                at += segment.getBytes();
            }
            payload.release();
        }

        @Override
        public void gained(long memberId) {}

        @Override
        public void relieved(long memberId, List<Integer> slots, int drainMs) {}

        @Override
        public void ended(SpillwayException why) {
            throw why;
        }
    }

    @Test
    void aRecordThatIsPublishedAllocatesNothing() {
        assertNothingForARecord(this::publish, false);
    }

    @Test
    void aRecordWithAKeyAllocatesNothing() {
        assertNothingForARecord(this::publish, true);
    }

    @Test
    void aRecordThatIsDeliveredAndAckedAllocatesNothing() {
        Taker taker = new Taker();
        Start earliest =
                Start.newBuilder().setKind(GroupAdministration.START_EARLIEST).build();
        shard.<ShardCommand.Subscribed>ask(reply -> new ShardCommand.SubscribeGroup(
                shard.topicId("orders"), "g", Group.SHARED, earliest, 0, 0, Map.of(), "", false, taker, reply));
        shard.mailbox().offer(new ShardCommand.Grant(taker, Long.MAX_VALUE / 2, Long.MAX_VALUE / 2, false));

        assertNothingForARecord(
                batch -> {
                    long from = taker.taken;
                    publish(batch);
                    shard.until(() -> taker.taken > from, "it is delivered");
                    AckItem ack = AckItem.newBuilder()
                            .setFirst(from)
                            .setLast(taker.taken - 1)
                            .setFence(taker.fence)
                            .build();
                    assertThat(shard.<List<ItemError>>ask(
                                    reply -> new ShardCommand.Settle(taker, List.of(ack), true, reply)))
                            .isEmpty();
                },
                false);
    }

    /** What is done with a batch; it takes the buffer over. */
    private interface Work {
        void with(ByteBuf batch);
    }

    private void publish(ByteBuf batch) {
        Sender sender = new Sender();
        boolean keyed = Batches.admit(batch, batch.readerIndex());
        int partition = shard.state().catalog.get().get("orders").partitionId(0);
        shard.mailbox()
                .offer(ShardCommand.Publish.of(
                        sender, partition, batch, keyed, 1, shard.clock.nanoTime(), 0, Durability.DUR_DEFAULT));
        shard.until(() -> sender.answered, "the batch is appended");
    }

    private void assertNothingForARecord(Work work, boolean withKeys) {
        leastBytes(work, MANY, withKeys); // classes are loaded
        long few = leastBytes(work, FEW, withKeys);
        long many = leastBytes(work, MANY, withKeys);
        double each = (many - few) / (double) (MANY - FEW);
        assertThat(each)
                .as("bytes for a record: %d for a batch of %d, %d for one of %d", few, FEW, many, MANY)
                .isLessThan(MOST_BYTES);
    }

    private long leastBytes(Work work, int records, boolean withKeys) {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < BATCHES; i++) {
            ByteBuf batch = batch(records, withKeys);
            long before = THREADS.getCurrentThreadAllocatedBytes();
            work.with(batch);
            least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
        }
        return least;
    }

    private ByteBuf batch(int records, boolean withKeys) {
        RecordBatchWriter writer = new RecordBatchWriter(UnpooledByteBufAllocator.DEFAULT, 1 << 20);
        for (int i = 0; i < records; i++) {
            byte[] key = {(byte) i, (byte) (i >> 8)};
            writer.add(
                    withKeys
                            ? new RecordParts(0, key, KeyHash.of(key), List.of(), new byte[100], null, null, -1, -1)
                            : RecordParts.of(0, new byte[100]));
        }
        RecordBatchWriter.Batch parts = writer.finish(0, 0, 0);
        ByteBuf batch = UnpooledByteBufAllocator.DEFAULT.directBuffer(parts.bytes());
        batch.writeBytes(parts.head()).writeBytes(parts.body());
        parts.release();
        return batch;
    }
}

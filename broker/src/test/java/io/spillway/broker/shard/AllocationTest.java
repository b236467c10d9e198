package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.KeyHash;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.Deliver;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.Segment;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
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

    /** Takes what it is sent and keeps where it ends. */
    private static final class Taker extends QuietMember {
        long taken;
        long fence;

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
        shard.subscribe(taker, "orders", "g", Group.SHARED, 30_000, false, Map.of());
        shard.begin(taker);

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
        shard.publish("orders", 0, batch);
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

    private static ByteBuf batch(int records, boolean withKeys) {
        List<RecordParts> parts = new ArrayList<>();
        for (int i = 0; i < records; i++) {
            byte[] key = {(byte) i, (byte) (i >> 8)};
            parts.add(
                    withKeys
                            ? new RecordParts(0, key, KeyHash.of(key), List.of(), new byte[100], null, null, -1, -1)
                            : RecordParts.of(0, new byte[100]));
        }
        return ShardFixture.batch(parts);
    }
}

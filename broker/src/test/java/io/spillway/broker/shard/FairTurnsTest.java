package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.flow.FlowKey;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.Durability;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What waits before a shard goes on in fair turns, whoever floods it. */
class FairTurnsTest {
    private static final int FLOOD = 4_000;

    @TempDir
    Path directory;

    private ShardFixture shard;
    private TopicSpec topic;

    @BeforeEach
    void open() {
        shard = new ShardFixture(directory.resolve("shard"));
        topic = shard.createTopic("orders", 2, Map.of());
    }

    @AfterEach
    void close() {
        shard.close();
    }

    /** A publisher of one principal, and the order in which its publishes were appended. */
    private final class Publisher implements PublisherPort {
        private final FlowKey flow;
        private final int partition;
        final List<Integer> appended = new ArrayList<>();

        Publisher(String domain, String principal, int partition) {
            flow = new FlowKey(domain, principal);
            this.partition = partition;
        }

        @Override
        public FlowKey flow() {
            return flow;
        }

        void publish(int publishes, int valueBytes) {
            for (int i = 0; i < publishes; i++) {
                assertThat(shard.mailbox()
                                .offer(ShardCommand.Publish.of(
                                        this,
                                        topic.partitionId(partition),
                                        batch(valueBytes),
                                        false,
                                        i,
                                        shard.clock.nanoTime(),
                                        0,
                                        Durability.DUR_MAPPED)))
                        .isTrue();
            }
        }

        private ByteBuf batch(int valueBytes) {
            RecordBatchWriter writer = new RecordBatchWriter(UnpooledByteBufAllocator.DEFAULT, 1 << 20);
            writer.add(RecordParts.of(shard.clock.nowMs(), new byte[valueBytes]));
            RecordBatchWriter.Batch parts = writer.finish(0, 0, 0);
            ByteBuf batch = UnpooledByteBufAllocator.DEFAULT.directBuffer(parts.bytes());
            batch.writeBytes(parts.head()).writeBytes(parts.body());
            parts.release();
            return batch;
        }

        @Override
        public void appended(ShardCommand.Publish command, PublishOutcome outcome) {
            appended.add(command.correlation());
        }

        @Override
        public void refused(ShardCommand.Publish command, SpillwayException why) {
            throw why;
        }
    }

    @Test
    void aFloodOfOneDomainDoesNotDelayAnother() {
        Publisher flood = new Publisher("rust", "a", 0);
        Publisher other = new Publisher("go", "b", 0);
        flood.publish(FLOOD, 100);
        other.publish(20, 100);

        shard.step();
        shard.step();

        assertThat(other.appended).hasSize(20).isSorted();
        assertThat(flood.appended).hasSizeLessThan(FLOOD / 4);
        shard.until(() -> flood.appended.size() == FLOOD, "the flood is appended, too");
        assertThat(flood.appended).isSorted();
    }

    @Test
    void manyPrincipalsGetNoMoreThanTheirDomain() {
        List<Publisher> flood = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            flood.add(new Publisher("rust", "p" + i, i % 2));
            flood.get(i).publish(400, 1_000);
        }
        Publisher other = new Publisher("go", "b", 0);
        other.publish(1_000, 1_000);

        for (int turn = 0; turn < 6; turn++) {
            shard.step();
        }

        int flooded = flood.stream().mapToInt(each -> each.appended.size()).sum();
        // The first turn took what came first; from then on the two domains share.
        assertThat(other.appended.size()).isBetween(500, 780);
        assertThat(flooded).isBetween(700, 1_040);
    }

    @Test
    void partitionsOfAFloodShareItsTurns() {
        Publisher first = new Publisher("rust", "a", 0);
        Publisher second = new Publisher("rust", "a", 1);
        first.publish(FLOOD, 100);
        second.publish(20, 100);

        shard.step();
        shard.step();
        shard.step();
        shard.step();
        shard.step();

        assertThat(second.appended).hasSize(20);
        assertThat(first.appended).hasSizeLessThan(FLOOD / 2);
    }
}

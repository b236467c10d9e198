package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.log.BatchCursor;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordView;
import io.spillway.protocol.Seeded;
import io.spillway.protocol.v1.Durability;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random lives of a cluster of three: publishes with idempotency keys, tried again until they are acked; elections, old
 * leaders that hear late, kills in the middle of anything. No acked record is lost or moved, no key is stored twice, and
 * all nodes hold the same.
 */
@ExtendWith(SampledBuffers.class)
class AgreementModelTest {
    private static final int STEPS = 3_000;
    private static final int KEYS = 400;

    @TempDir(factory = MemoryDirectory.class)
    Path directory;

    /** A key that is to be stored, by as many tries as it takes. */
    private static final class Wanted {
        final String key;
        SteppedShard.@Nullable Sent sent;
        int tries;

        Wanted(String key) {
            this.key = key;
        }
    }

    @Seeded(runs = 20)
    void losesNothingAndStoresNothingTwice(RandomGenerator random) {
        SimulatedCluster cluster = new SimulatedCluster(directory, random);
        cluster.elect(0);
        cluster.settle();
        TopicSpec topic = create(cluster);
        List<Wanted> open = new ArrayList<>();
        Map<String, Long> acked = new HashMap<>();
        int nextKey = 0;
        for (int i = 0; i < STEPS; i++) {
            if (open.size() < 20 && nextKey < KEYS && random.nextInt(3) == 0) {
                open.add(new Wanted("key-" + nextKey++));
            }
            AgreedNode leader = cluster.leader();
            if (!open.isEmpty() && leader != null) {
                send(cluster, leader, topic, open.get(random.nextInt(open.size())));
            }
            disturb(cluster, random);
            cluster.step();
            collect(open, acked);
        }
        revive(cluster);
        cluster.settle();
        for (int i = 0; !open.isEmpty() && i < 50; i++) {
            AgreedNode leader = Objects.requireNonNull(cluster.leader(), "a leader");
            open.forEach(wanted -> send(cluster, leader, topic, wanted));
            cluster.settle();
            collect(open, acked);
        }
        assertThat(open).as("publishes that were never acked").isEmpty();

        Map<String, Long> stored = stored(cluster.nodes.get(0), topic);
        assertThat(stored).as("what is stored, once each").containsExactlyInAnyOrderEntriesOf(acked);
        for (AgreedNode node : cluster.nodes) {
            assertThat(stored(node, topic)).as("node %d", node.id).isEqualTo(stored);
        }
        cluster.close();
    }

    @Test
    void anEntryOfWhichAKillLeftAPartIsTakenUpToItsEnd() {
        SimulatedCluster cluster = new SimulatedCluster(directory, new Random(1));
        cluster.elect(0);
        cluster.settle();
        TopicSpec topic = create(cluster);
        cluster.kill(2);
        AgreedNode leader = Objects.requireNonNull(cluster.leader(), "a leader");
        send(cluster, leader, topic, new Wanted("key-0"));
        send(cluster, leader, topic, new Wanted("key-1"));
        cluster.settle();

        cluster.tearNewest(2);
        cluster.start(2);
        cluster.settle();

        assertThat(stored(cluster.nodes.get(2), topic))
                .isEqualTo(stored(leader, topic))
                .hasSize(2);
        cluster.close();
    }

    private static TopicSpec create(SimulatedCluster cluster) {
        SteppedShard.Answer<TopicSpec> answer = new SteppedShard.Answer<>();
        AgreedNode leader = Objects.requireNonNull(cluster.leader(), "a leader");
        leader.mailbox.offer(new ShardCommand.CreateTopic("orders", 1, Map.of(), answer));
        cluster.settle();
        return answer.result();
    }

    private static void send(SimulatedCluster cluster, AgreedNode to, TopicSpec topic, Wanted wanted) {
        SteppedShard.Sent before = wanted.sent;
        if (before != null && !before.isAnswered() && wanted.tries % 4 != 0) {
            wanted.tries++;
            return;
        }
        ByteBuf batch =
                SteppedShard.batch(List.of(new KeyedRecord(wanted.key, wanted.key, -1).parts(cluster.clock.nowMs)));
        SteppedShard.Sent sent = new SteppedShard.Sent();
        wanted.sent = sent;
        wanted.tries++;
        to.mailbox.offer(ShardCommand.Publish.of(
                sent, topic.partitionId(0), batch, true, 0, cluster.clock.nanoTime(), 0, Durability.DUR_DEFAULT));
    }

    private static void collect(List<Wanted> open, Map<String, Long> acked) {
        open.removeIf(wanted -> {
            SteppedShard.Sent sent = wanted.sent;
            if (sent == null || !sent.isAnswered()) {
                return false;
            }
            PublishOutcome outcome = sent.outcome;
            if (outcome == null || !outcome.errors().isEmpty()) {
                wanted.sent = null;
                return false;
            }
            assertThat(outcome.reached()).isEqualTo(Durability.DUR_QUORUM);
            long offset = outcome.keyResults().isEmpty()
                    ? outcome.baseOffset()
                    : outcome.keyResults().get(0).getOffset();
            assertThat(acked.put(wanted.key, offset)).isNull();
            return true;
        });
    }

    private static void disturb(SimulatedCluster cluster, RandomGenerator random) {
        AgreedNode node = cluster.nodes.get(random.nextInt(3));
        switch (random.nextInt(60)) {
            case 0 -> {
                if (node.up) {
                    cluster.elect(node.id);
                }
            }
            case 1 -> {
                if (node.up && cluster.leader() != node) {
                    cluster.depose(node);
                }
            }
            case 2 -> {
                if (node.up) {
                    cluster.kill(node.id);
                }
            }
            case 3, 4 -> {
                if (!node.up) {
                    cluster.start(node.id);
                }
            }
            default -> {}
        }
        if (cluster.leader() == null && random.nextInt(40) == 0 && node.up) {
            cluster.elect(node.id);
        }
    }

    private static void revive(SimulatedCluster cluster) {
        for (AgreedNode node : cluster.nodes) {
            if (!node.up) {
                cluster.start(node.id);
            }
        }
        cluster.elect(1);
    }

    private static Map<String, Long> stored(AgreedNode node, TopicSpec topic) {
        Map<String, Long> found = new HashMap<>();
        Set<Long> offsets = new HashSet<>();
        BatchCursor cursor = node.state.log.cursor(topic.partitionId(0));
        ByteBuf buffer = Unpooled.buffer();
        for (boolean has = cursor.seek(0); has; has = cursor.next()) {
            buffer.clear();
            assertThat(cursor.copyTo(buffer)).isTrue();
            RecordView view = new RecordView();
            view.wrap(buffer, 0);
            long offset = RecordBatch.baseOffset(buffer, 0);
            while (view.next()) {
                String key = buffer.toString(view.dedupAt(), view.dedupBytes(), StandardCharsets.UTF_8);
                assertThat(found.put(key, offset))
                        .as("a second record of %s", key)
                        .isNull();
                assertThat(offsets.add(offset)).isTrue();
                offset++;
            }
        }
        return found;
    }
}

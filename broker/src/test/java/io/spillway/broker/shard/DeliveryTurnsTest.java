package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.flow.FlowKey;
import io.spillway.protocol.v1.Deliver;
import io.spillway.protocol.v1.Start;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Consumers of one failure domain do not starve those of another. */
@Timeout(60)
class DeliveryTurnsTest {
    private static final int RECORD_BYTES = 100_000;
    private static final long MIB = 1 << 20;

    private ShardFixture shard;

    @BeforeEach
    void open(@TempDir Path directory) {
        shard = new ShardFixture(directory.resolve("shard"));
    }

    @AfterEach
    void close() {
        shard.close();
    }

    /** Counts what it is sent. */
    private static final class Counter extends QuietMember {
        final FlowKey flow;
        long bytes;

        Counter(String domain, String principal) {
            flow = new FlowKey(domain, principal);
        }

        @Override
        public FlowKey flow() {
            return flow;
        }

        @Override
        public void deliver(Deliver header, ByteBuf payload) {
            bytes += payload.readableBytes();
            payload.release();
        }
    }

    private void fill(String topic, int records) {
        shard.createTopic(topic, Map.of());
        String value = "x".repeat(RECORD_BYTES);
        for (int i = 0; i < records; i++) {
            shard.publish(topic, value);
        }
    }

    private Counter read(String topic, String domain, String principal) {
        Counter counter = new Counter(domain, principal);
        Start earliest = Start.newBuilder().setKind(1).build();
        shard.ask((Reply<ShardCommand.Subscribed> reply) -> new ShardCommand.SubscribeStream(
                shard.topicId(topic), List.of(), earliest, List.of(), null, counter, reply));
        return counter;
    }

    private Counter consume(String topic, String domain, String principal) {
        Counter counter = new Counter(domain, principal);
        Start earliest = Start.newBuilder().setKind(1).build();
        shard.ask((Reply<ShardCommand.Subscribed> reply) -> new ShardCommand.SubscribeGroup(
                shard.topicId(topic), "g", 0, earliest, 60_000, 0, Map.of(), "", false, counter, reply));
        return counter;
    }

    private void begin(Counter counter) {
        shard.mailbox().offer(new ShardCommand.Grant(counter, Long.MAX_VALUE / 2, Long.MAX_VALUE / 2, false));
    }

    private static long sum(List<Counter> counters) {
        return counters.stream().mapToLong(counter -> counter.bytes).sum();
    }

    @Test
    void manyThatCatchUpDoNotStarveOneOfAnotherDomain() {
        fill("history", 100);
        fill("orders", 200);
        List<Counter> many = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            many.add(read("history", "rust", "analytics"));
        }
        Counter one = consume("orders", "go", "billing");
        many.forEach(this::begin);
        begin(one);

        for (int i = 0; i < 8; i++) {
            shard.step();
        }

        System.out.println("of " + (sum(many) + one.bytes) / MIB + " MiB, to the one " + one.bytes / MIB);
        assertThat(one.bytes * 100 / (sum(many) + one.bytes))
                .as("percent to the one")
                .isBetween(35L, 65L);
    }

    @Test
    void withinADomainPrincipalsHaveTheirTurns() {
        fill("history", 100);
        fill("orders", 200);
        List<Counter> many = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            many.add(read("history", "go", "analytics"));
        }
        Counter one = read("orders", "go", "billing");
        many.forEach(this::begin);
        begin(one);

        for (int i = 0; i < 8; i++) {
            shard.step();
        }

        assertThat(one.bytes * 100 / (sum(many) + one.bytes))
                .as("percent to the one")
                .isBetween(35L, 65L);
    }

    @Test
    void aTurnEndsAlsoWhenThereIsMoreToGiveThanFits() {
        fill("history", 100);
        List<Counter> many = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            many.add(read("history", "rust", "analytics"));
        }
        many.forEach(this::begin);

        shard.step();

        assertThat(sum(many)).as("bytes of one turn").isBetween(1L, 8 * MIB);
    }

    @Test
    void everybodyGetsEverythingInTheEnd() {
        fill("history", 50);
        List<Counter> many = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            many.add(read("history", i % 2 == 0 ? "rust" : "go", "p" + i % 3));
        }
        Counter member = consume("history", "java", "p");
        many.add(member);
        many.forEach(this::begin);

        shard.until(
                () -> many.stream().allMatch(counter -> counter.bytes >= 50L * RECORD_BYTES),
                "everybody has everything");
    }
}

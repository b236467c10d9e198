package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.protocol.v1.AckItem;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** What tests of groups begin with: a shard with the topic "orders", and how members settle. */
abstract class OnOrders {
    private static final int NACK = 1;
    private static final int TERM = 3;

    ShardFixture shard;

    @BeforeEach
    void open(@TempDir Path directory) {
        shard = new ShardFixture(directory.resolve("shard"));
        shard.createTopic("orders", Map.of());
    }

    @AfterEach
    void close() {
        shard.close();
    }

    static AckItem.Builder accept() {
        return AckItem.newBuilder();
    }

    static AckItem.Builder nack(String why) {
        return AckItem.newBuilder().setOutcome(NACK).setDetail(why);
    }

    static AckItem.Builder term(int reason) {
        return AckItem.newBuilder().setOutcome(TERM).setReason(reason).setDetail("never");
    }

    /** The only record a member has got since the last time. */
    static TestMember.Delivered only(TestMember member) {
        List<TestMember.Delivered> taken = member.take();
        assertThat(taken).hasSize(1);
        return taken.get(0);
    }

    /** Publishes so many records, each in a batch of its own. */
    void publishEach(int records) {
        for (int i = 0; i < records; i++) {
            shard.publish("orders", "v");
        }
        shard.pass(50);
    }
}

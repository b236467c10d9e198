package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Start;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An ending passes what waits in a shard's queue, the beginning of its own subscription, too. */
class LeavingMembersTest {
    private static final Start EARLIEST =
            Start.newBuilder().setKind(GroupAdministration.START_EARLIEST).build();

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

    @Test
    void aMemberThatLeftBeforeItJoinedHoldsNothing() {
        TestMember left = leftBefore();
        assertRefused(reply -> new ShardCommand.SubscribeGroup(
                shard.topicId("orders"), "g", Group.SHARED, EARLIEST, 0, 0, Map.of(), "", false, left, reply));
        TestMember stays = shard.join("orders", "g", Map.of());
        shard.publish("orders", "a", "b", "c");

        assertThat(stays.received).extracting(TestMember.Delivered::value).containsExactly("a", "b", "c");
        assertThat(shard.group("orders", "g").getMembers()).isOne();
    }

    @Test
    void aReaderThatLeftBeforeItBeganIsSentNothing() {
        TestMember left = leftBefore();
        assertRefused(reply -> new ShardCommand.SubscribeStream(
                shard.topicId("orders"), List.of(), EARLIEST, List.of(), null, left, reply));
        shard.mailbox().offer(new ShardCommand.Grant(left, 100, 1 << 20, false));
        shard.publish("orders", "a");

        assertThat(left.received).isEmpty();
        assertThat(shard.state().topic(shard.topicId("orders")).readers).isEmpty();
    }

    private TestMember leftBefore() {
        TestMember left = new TestMember();
        left.gone = true;
        shard.disconnect(left);
        return left;
    }

    private void assertRefused(Function<Reply<ShardCommand.Subscribed>, ShardCommand> subscribe) {
        assertThatExceptionOfType(SpillwayException.class)
                .isThrownBy(() -> shard.ask(subscribe))
                .extracting(SpillwayException::code)
                .isEqualTo(Code.WRONG_STATE);
    }
}

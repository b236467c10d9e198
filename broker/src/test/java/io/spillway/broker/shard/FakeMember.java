package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.Deliver;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.Segment;
import io.spillway.protocol.v1.Start;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A member of a SHARED group that takes everything and settles when it is told to. */
final class FakeMember extends QuietMember {
    /** Whole batches, in the order they came. */
    record Delivery(int partition, long from, long to, long fence) {}

    private final SteppedShard shard;
    final List<Delivery> held = new ArrayList<>();

    @Nullable
    SpillwayException ended;

    private FakeMember(SteppedShard shard) {
        this.shard = shard;
    }

    /** Joins from the earliest record on; {@code credit} false = it takes nothing. */
    static FakeMember join(SteppedShard shard, TopicSpec topic, String group, boolean credit) {
        FakeMember member = new FakeMember(shard);
        shard.<ShardCommand.Subscribed>ask(reply -> subscribe(topic, group, member, reply));
        if (credit) {
            shard.mailbox.offer(new ShardCommand.Grant(member, Long.MAX_VALUE / 2, Long.MAX_VALUE / 2, false));
            shard.run();
        }
        return member;
    }

    private static ShardCommand subscribe(
            TopicSpec topic, String group, FakeMember member, Reply<ShardCommand.Subscribed> reply) {
        Start earliest =
                Start.newBuilder().setKind(GroupAdministration.START_EARLIEST).build();
        return new ShardCommand.SubscribeGroup(
                topic.topicId(), group, Group.SHARED, earliest, 0, 0, Map.of(), "fake", false, member, reply);
    }

    @Override
    public void deliver(Deliver header, ByteBuf payload) {
        int at = payload.readerIndex();
        for (Segment segment : header.getSegmentsList()) {
            long base = segment.getBaseOffset();
            held.add(new Delivery(
                    segment.getPartition(), base, base + RecordBatch.recordCount(payload, at), segment.getFence()));
            at += segment.getBytes();
        }
        payload.release();
    }

    @Override
    public void ended(SpillwayException why) {
        ended = why;
    }

    /** Acks the oldest batches it holds. */
    void ack(int batches) {
        List<AckItem> items = new ArrayList<>();
        for (Delivery delivery : held.subList(0, batches)) {
            items.add(AckItem.newBuilder()
                    .setPartition(delivery.partition)
                    .setFirst(delivery.from)
                    .setLast(delivery.to - 1)
                    .setFence(delivery.fence)
                    .build());
        }
        held.subList(0, batches).clear();
        SteppedShard.Answer<List<ItemError>> answer = new SteppedShard.Answer<>();
        shard.mailbox.offer(new ShardCommand.Settle(this, items, true, answer));
        shard.pass(20);
        if (!answer.result().isEmpty()) {
            throw new AssertionError("refused: " + answer.result());
        }
    }
}

package io.spillway.broker.session;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.flow.FlowKey;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.broker.shard.SubscriberPort;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Deliver;
import io.spillway.protocol.v1.Handoff;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A subscription's end in the broker: writes deliveries. Called on the shard thread, {@code onWritable} by transport. */
final class SubscriptionHandle implements SubscriberPort {
    /**
     * Whose subscription it is, and to what.
     *
     * @param onlyReads the connection stays when another node leads
     */
    record Owner(String topic, int identity, FlowKey flow, boolean onlyReads) {}

    private final Connection connection;
    private final Outbox outbox;
    private final Mailbox mailbox;
    private final int channel;
    private final Owner owner;
    private final Consumer<SubscriptionHandle> forget;
    private volatile boolean gone;

    /**
     * @param forget called on the connection's event loop when the broker ends the subscription
     */
    SubscriptionHandle(
            Connection connection,
            Outbox outbox,
            Mailbox mailbox,
            int channel,
            Owner owner,
            Consumer<SubscriptionHandle> forget) {
        this.connection = connection;
        this.outbox = outbox;
        this.mailbox = mailbox;
        this.channel = channel;
        this.owner = owner;
        this.forget = forget;
    }

    String topic() {
        return owner.topic;
    }

    Mailbox mailbox() {
        return mailbox;
    }

    @Override
    public int identity() {
        return owner.identity;
    }

    @Override
    public FlowKey flow() {
        return owner.flow;
    }

    @Override
    public boolean isGone() {
        return gone;
    }

    @Override
    public boolean writable() {
        return connection.writable();
    }

    @Override
    public void deliver(Deliver header, ByteBuf payload) {
        outbox.sendPayload(FrameKind.DELIVER, channel, header, payload);
    }

    @Override
    public void gained(long memberId) {
        outbox.send(
                FrameKind.HANDOFF,
                channel,
                Handoff.newBuilder().setGained(true).setMemberEpoch(memberId).build());
    }

    @Override
    public void relieved(long memberId, List<Integer> slots, int drainMs) {
        outbox.send(
                FrameKind.HANDOFF,
                channel,
                Handoff.newBuilder()
                        .addAllSlots(slots)
                        .setDrainMs(drainMs)
                        .setMemberEpoch(memberId)
                        .build());
    }

    @Override
    public void ended(SpillwayException why) {
        outbox.end(FrameKind.SUBSCRIBE, channel, 0, owner.onlyReads ? FollowerReads.stay(why) : why, this::forget);
    }

    void forget() {
        forget.accept(this);
    }

    /** @param reply null = nobody waits for it */
    void unsubscribe(@Nullable Reply<Boolean> reply) {
        gone = true;
        mailbox.end(new ShardCommand.Unsubscribe(this, reply));
    }

    void onWritable() {
        mailbox.end(new ShardCommand.Writable(this));
    }
}

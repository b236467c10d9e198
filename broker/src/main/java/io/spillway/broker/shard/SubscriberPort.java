package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.flow.FlowKey;
import io.spillway.protocol.v1.Deliver;
import java.util.List;

/** The way to one subscription handle. Called on the shard thread; must not block. */
public interface SubscriberPort {
    /** Tells it from others, also when it was away: a hash of its process and its name in it. */
    int identity();

    /** Whose load it is. */
    default FlowKey flow() {
        return FlowKey.BROKER;
    }

    /**
     * Whether its {@link ShardCommand.Unsubscribe} is under way or was there. Endings pass what waits for its turn, so one can be
     * here before the subscription it ends; that one must not begin any more. Thread-safe.
     */
    boolean isGone();

    /** Whether the connection takes more; after a false the shard is sent {@link ShardCommand.Writable}. */
    boolean writable();

    /** Sends the segments; takes over the payload. */
    void deliver(Deliver header, ByteBuf payload);

    /** This member stood by and is active from now on. */
    void gained(long memberId);

    /**
     * Others take over from this member, because it is not well.
     *
     * @param slots of a KEY_ORDERED group: what it had; of an EXCLUSIVE group: none
     * @param drainMs for how long what it holds stays its own; 0 = what it still held is lost as of now
     */
    void relieved(long memberId, List<Integer> slots, int drainMs);

    /** The broker ends the subscription. */
    void ended(SpillwayException why);
}

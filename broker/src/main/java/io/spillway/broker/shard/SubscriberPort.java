package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.v1.Deliver;

/** The way to one subscription handle. Called on the shard thread; must not block. */
public interface SubscriberPort {
    /** Whether the connection takes more; after a false the shard is sent {@link ShardCommand.Writable}. */
    boolean writable();

    /** Sends the segments; takes over the payload. */
    void deliver(Deliver header, ByteBuf payload);

    /** This member of an EXCLUSIVE group stood by and is active from now on. */
    void gained(long memberId);

    /** The broker ends the subscription. */
    void ended(SpillwayException why);
}

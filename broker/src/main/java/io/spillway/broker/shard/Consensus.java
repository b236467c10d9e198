package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.records.Agreed;
import io.spillway.broker.replication.RaftNode;
import io.spillway.protocol.v1.Durability;

/**
 * The cluster as one shard sees it. What the cluster agrees on comes back through the shard's mailbox, as
 * {@link ShardCommand.Agreement}s. Called by the shard thread.
 */
public interface Consensus {
    /** Most bytes of an entry. */
    int MAX_ENTRY_BYTES = RaftNode.MAX_ENTRY_BYTES;

    /**
     * Proposes an entry; its bytes are copied. Entries are agreed on in the order of the calls, or refused by a
     * {@link ShardCommand.Refused}; after one was refused, none of the same session counts that was proposed behind it.
     */
    void propose(ByteBuf entry, long session);

    /** What a committed entry has reached: QUORUM, or SYNCED while this node is the only voter. */
    Durability reached();

    /** Everything up to this entry is in the shard's files, synced. */
    void durable(Agreed upTo);

    /** The shard has begun to lead, or does not lead any more; what it held for clients is gone then. */
    void leads(boolean leading);

    /**
     * The log cannot be read where something was agreed on, or does not take what was. The shard takes up nothing more until
     * the log is replaced by another node's ({@link ShardCommand.Replace}); called again when it is not.
     */
    void damaged(String why);
}

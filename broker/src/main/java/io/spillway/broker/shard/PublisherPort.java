package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.flow.FlowKey;

/** The way back to one publisher handle. Called on the shard thread; must not block. */
public interface PublisherPort {
    void appended(ShardCommand.Publish command, PublishOutcome outcome);

    void refused(ShardCommand.Publish command, SpillwayException why);

    /** Whose load its publishes are. */
    default FlowKey flow() {
        return FlowKey.BROKER;
    }

    /** For how long its principal is to wait until it owes nothing of its quotas, in ms. */
    default int debtMs() {
        return 0;
    }

    /** Whether it may write into the reserve of the disk, as what helps to free the disk must. */
    default boolean usesReserve() {
        return false;
    }
}

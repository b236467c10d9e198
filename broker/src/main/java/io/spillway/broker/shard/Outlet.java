package io.spillway.broker.shard;

import io.spillway.broker.flow.FlowKey;

/** Where records leave the shard, in turns: a group, or a reader without one. Confined to the shard thread. */
abstract class Outlet {
    /** Whether it waits for its turn. */
    boolean waits;

    public abstract TopicState topic();

    final int topicId() {
        return topic().spec.topicId();
    }

    /** Whose load it is. */
    abstract FlowKey flow();

    /** Whether nobody is served by it any more. */
    abstract boolean isGone();
}

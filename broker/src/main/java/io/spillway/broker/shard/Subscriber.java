package io.spillway.broker.shard;

/** Whoever takes deliveries: a member of a group or a stream reader. Confined to the shard thread. */
sealed interface Subscriber permits GroupMember, StreamReader {
    TopicState topic();

    SubscriberPort port();

    void grant(long maxBatches, long maxBytes, boolean paused);

    /** Holds deliveries back until {@link #unblock}, because the connection takes no more. */
    void block();

    void unblock();
}

package io.spillway.client;

import java.time.Duration;
import java.util.function.Consumer;

/** Settings of a {@link Subscription}. Not thread-safe. */
public interface SubscriptionBuilder {
    /** Joins this group, which is created when it does not exist. Default: no group, a reader of its own. */
    SubscriptionBuilder group(String name);

    /**
     * Where to begin: for a reader, default latest; for a group only when it is new, default earliest. A group that
     * exists goes on where it is; {@link Admin#seekGroup} moves it.
     */
    SubscriptionBuilder start(StartPosition position);

    /** How long a message is leased. 1 s to 12 h, default: the broker's, 30 s. */
    SubscriptionBuilder leaseTime(Duration lease);

    /** Messages that may be leased to this member at a time. 1 to 1,000,000, default: the broker's, 10,000. */
    SubscriptionBuilder maxUnacked(int messages);

    /** Failed deliveries after which a message is dead-lettered. Default 0: as the group has it. */
    SubscriptionBuilder maxDeliveries(int deliveries);

    /** Reads only these partitions. Default: all. */
    SubscriptionBuilder partitions(int... indexes);

    /** Bytes of batches the broker may send ahead. 1 MiB to 1 GiB, default 8 MiB. */
    SubscriptionBuilder creditBytes(long bytes);

    /** What the broker's views call this consumer. Default: the client's name. */
    SubscriptionBuilder name(String consumerName);

    /** Hears of settlements that came too late, on the client's network thread: must not block. Default: nobody. */
    SubscriptionBuilder onLostLeases(Consumer<LostLeases> listener);

    /** Opens it, to be polled. Throws TOPIC_NOT_FOUND, INVALID_ARGUMENT, or DEADLINE_EXCEEDED after the request timeout. */
    Subscription open();

    /** Opens it and handles its messages on threads of its own, {@code spillway-client-handler-N}. Throws as {@link #open}. */
    Subscription start(MessageHandler handler, int concurrency);
}

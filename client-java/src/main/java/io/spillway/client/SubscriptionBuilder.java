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

    /**
     * How the group shares the records. Default {@link GroupMode#SHARED}. A group that exists must have this mode, else
     * WRONG_STATE.
     */
    SubscriptionBuilder mode(GroupMode mode);

    /**
     * Which records the group wants, for instance {@code region = 'eu' && !has(test)}; what it does not want counts as
     * settled. At most 1,024 characters and 64 tests; docs/protocol.md has the language. Default: as the group has it, all when
     * it is new. A group that exists must have this filter, else WRONG_STATE; {@link Admin#alterGroup} changes it. One that
     * cannot be read is refused with INVALID_ARGUMENT and the place.
     */
    SubscriptionBuilder filter(String expression);

    /**
     * What a failed message waits when its nack names no delay, and when its lease ran out: the first of these after the
     * first failure, and so on, the last again and again. 1 to 32 waits of 0 to 7 days. Default: as the group has it, 0
     * when it is new.
     */
    SubscriptionBuilder retryBackoff(Duration... waits);

    /** The same, doubling from {@code min}, at least 1 ms, to {@code max}, at most 7 days. */
    SubscriptionBuilder retryBackoffBetween(Duration min, Duration max);

    /** The share of that wait that is random, 0 to 100. Default: as the group has it, 20 when it is new. */
    SubscriptionBuilder retryJitterPercent(int percent);

    /**
     * Messages that all members of the group together hold unsettled, 0 to 100,000,000; 0 = no bound. Default: as the
     * group has it, no bound when it is new. {@link #maxUnacked} bounds this member.
     */
    SubscriptionBuilder maxInFlight(int messages);

    /**
     * Any setting of the group, by the name and with the values of docs/protocol.md. Taken when the group is new; one that
     * exists keeps its own, which {@link Admin#alterGroup} changes.
     */
    SubscriptionBuilder groupSetting(String name, String value);

    /**
     * Hears, each time that changes, whether the broker delivers to this member: {@link Subscription#isActive}. Of use in
     * {@link GroupMode#EXCLUSIVE}, and to a {@link #standby}. On the client's network thread: must not block. Default: nobody.
     */
    SubscriptionBuilder onActive(Consumer<Boolean> listener);

    /**
     * Stands by in a group in mode {@link GroupMode#KEY_ORDERED} or {@link GroupMode#EXCLUSIVE}: takes over from a member that is not
     * well, or is gone, until it is back or another comes. {@link #onActive} hears of it. Default: not.
     */
    SubscriptionBuilder standby();

    /** How long a message is leased. 1 s to 12 h, default: the broker's, 30 s. */
    SubscriptionBuilder leaseTime(Duration lease);

    /** Messages that may be leased to this member at a time. 1 to 1,000,000, default: the broker's, 10,000. */
    SubscriptionBuilder maxUnacked(int messages);

    /**
     * Failed deliveries after which a message is dead-lettered, up to 1,000. Default 0: as the group has it, the broker's when
     * it is new; the setting max.deliveries 0 is never.
     */
    SubscriptionBuilder maxDeliveries(int deliveries);

    /** Reads only these partitions. Default: all. */
    SubscriptionBuilder partitions(int... indexes);

    /**
     * From which node of a cluster a reader without a group reads. Default {@link ReadFrom#LEADER}. The client's zone is that of
     * {@link ClientBuilder#zone}.
     */
    SubscriptionBuilder readFrom(ReadFrom node);

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

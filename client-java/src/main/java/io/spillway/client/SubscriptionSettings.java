package io.spillway.client;

import java.util.List;
import java.util.function.Consumer;

/**
 * What a subscription is set to; {@link SubscriptionBuilder} says what each means.
 *
 * @param group empty for a reader without a group
 * @param leaseMs 0 = the broker's default
 * @param maxUnacked 0 = the broker's default
 * @param partitions empty = all
 */
record SubscriptionSettings(
        String topic,
        String group,
        StartPosition start,
        int leaseMs,
        int maxUnacked,
        int maxDeliveries,
        List<Integer> partitions,
        long creditBytes,
        String consumerName,
        Consumer<LostLeases> onLostLeases) {

    boolean isStream() {
        return group.isEmpty();
    }

    @Override
    public String toString() {
        return isStream() ? "the reader of " + topic : "the subscription of group " + group + " to " + topic;
    }
}

package io.spillway.client;

import io.spillway.protocol.v1.Subscribe;
import java.util.List;
import java.util.function.Consumer;

/**
 * What a subscription is set to; {@link SubscriptionBuilder} says what each means.
 *
 * @param group empty for a reader without a group
 * @param leaseMs 0 = the broker's default
 * @param maxUnacked 0 = the broker's default
 * @param partitions empty = all
 * @param standby it takes records only when others are not well, or gone
 * @param onActive hears whether the broker delivers to it, each time that changes
 */
record SubscriptionSettings(
        String topic,
        String group,
        StartPosition start,
        GroupTerms terms,
        int leaseMs,
        int maxUnacked,
        int maxDeliveries,
        List<Integer> partitions,
        ReadFrom readFrom,
        long creditBytes,
        String consumerName,
        boolean standby,
        Consumer<LostLeases> onLostLeases,
        Consumer<Boolean> onActive) {

    private static final int MODE_STREAM = 3;
    private static final int ROLE_STANDBY = 1;

    /** What is asked of the broker, but for credit and a reader's place. */
    Subscribe.Builder request() {
        return Subscribe.newBuilder()
                .setTopic(topic)
                .addAllPartitions(partitions)
                .setGroup(group)
                .setMode(isStream() ? MODE_STREAM : terms.mode().wire())
                .setFilter(terms.filter())
                .putAllGroupConfig(terms.config())
                .setStart(start.wire())
                .setLeaseMs(leaseMs)
                .setMaxUnacked(maxUnacked)
                .setMaxDeliveries(maxDeliveries)
                .setRole(standby ? ROLE_STANDBY : 0)
                .setConsumerName(consumerName);
    }

    boolean isStream() {
        return group.isEmpty();
    }

    @Override
    public String toString() {
        return isStream() ? "the reader of " + topic : "the subscription of group " + group + " to " + topic;
    }
}

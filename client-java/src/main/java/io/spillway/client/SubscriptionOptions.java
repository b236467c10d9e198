package io.spillway.client;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The settings of a subscription being built. Not thread-safe. */
final class SubscriptionOptions implements SubscriptionBuilder {
    private static final Duration MAX_LEASE = Duration.ofHours(12);

    private final String topic;
    private final Function<SubscriptionSettings, ConnectedSubscription> opener;
    private String group = "";
    private @Nullable StartPosition start;
    private int leaseMs;
    private int maxUnacked;
    private int maxDeliveries;
    private List<Integer> partitions = List.of();
    private long creditBytes = 8 << 20;
    private String consumerName;
    private Consumer<LostLeases> onLostLeases = lost -> {};

    SubscriptionOptions(
            String topic, String consumerName, Function<SubscriptionSettings, ConnectedSubscription> opener) {
        this.topic = topic;
        this.consumerName = consumerName;
        this.opener = opener;
    }

    @Override
    public SubscriptionBuilder group(String name) {
        group = Arguments.notEmpty("the group's name", name);
        return this;
    }

    @Override
    public SubscriptionBuilder start(StartPosition position) {
        start = position;
        return this;
    }

    @Override
    public SubscriptionBuilder leaseTime(Duration lease) {
        leaseMs = (int) Arguments.between("leaseTime", lease, Duration.ofSeconds(1), MAX_LEASE)
                .toMillis();
        return this;
    }

    @Override
    public SubscriptionBuilder maxUnacked(int messages) {
        maxUnacked = (int) Arguments.between("maxUnacked", messages, 1, 1_000_000);
        return this;
    }

    @Override
    public SubscriptionBuilder maxDeliveries(int deliveries) {
        maxDeliveries = (int) Arguments.between("maxDeliveries", deliveries, 0, 1_000_000);
        return this;
    }

    @Override
    public SubscriptionBuilder partitions(int... indexes) {
        for (int index : indexes) {
            Arguments.between("partition", index, 0, Integer.MAX_VALUE);
        }
        partitions = Arrays.stream(indexes).distinct().sorted().boxed().toList();
        return this;
    }

    @Override
    public SubscriptionBuilder creditBytes(long bytes) {
        creditBytes = Arguments.between("creditBytes", bytes, 1 << 20, 1 << 30);
        return this;
    }

    @Override
    public SubscriptionBuilder name(String name) {
        consumerName = Arguments.notEmpty("the consumer's name", name);
        return this;
    }

    @Override
    public SubscriptionBuilder onLostLeases(Consumer<LostLeases> listener) {
        onLostLeases = listener;
        return this;
    }

    @Override
    public Subscription open() {
        return opener.apply(settings());
    }

    @Override
    public Subscription start(MessageHandler handler, int concurrency) {
        Arguments.between("concurrency", concurrency, 1, 1_024);
        ConnectedSubscription subscription = opener.apply(settings());
        subscription.handle(handler, concurrency);
        return subscription;
    }

    private SubscriptionSettings settings() {
        StartPosition from = start;
        if (from == null) {
            from = group.isEmpty() ? StartPosition.latest() : StartPosition.group();
        }
        if (group.isEmpty() && from.kind() == StartPosition.GROUP) {
            throw Arguments.invalid("the reader of " + topic + " is to start where its group is", "it has no group");
        }
        List<Integer> read = partitions;
        if (group.isEmpty() && from.kind() == StartPosition.OFFSET) {
            read = List.of(from.partition());
            if (!partitions.isEmpty() && !partitions.equals(read)) {
                throw Arguments.invalid(
                        "the reader of " + topic + " is to start at " + from + " and to read partitions " + partitions,
                        "an offset is a place in one partition");
            }
        }
        return new SubscriptionSettings(
                topic, group, from, leaseMs, maxUnacked, maxDeliveries, read, creditBytes, consumerName, onLostLeases);
    }
}

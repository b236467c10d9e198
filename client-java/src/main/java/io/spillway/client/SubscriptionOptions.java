package io.spillway.client;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The settings of a subscription being built. Not thread-safe. */
final class SubscriptionOptions implements SubscriptionBuilder {
    private static final Duration MAX_LEASE = Duration.ofHours(12);
    private static final Duration MAX_BACKOFF = Duration.ofDays(7);
    private static final int MAX_WAITS = 32;
    private static final int MAX_FILTER_CHARS = 1_024;
    private static final int MAX_IN_FLIGHT = 100_000_000;

    private final String topic;
    private final Function<SubscriptionSettings, ConnectedSubscription> opener;
    private String group = "";
    private @Nullable StartPosition start;
    private @Nullable GroupMode mode;
    private String filter = "";
    private final Map<String, String> groupConfig = new TreeMap<>();
    private int leaseMs;
    private int maxUnacked;
    private int maxDeliveries;
    private List<Integer> partitions = List.of();
    private ReadFrom readFrom = ReadFrom.LEADER;
    private long creditBytes = 8 << 20;
    private String consumerName;
    private Consumer<LostLeases> onLostLeases = lost -> {};
    private Consumer<Boolean> onActive = active -> {};
    private boolean standby;

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
    public SubscriptionBuilder mode(GroupMode groupMode) {
        mode = groupMode;
        return this;
    }

    @Override
    public SubscriptionBuilder filter(String expression) {
        Arguments.between("the length of the filter", expression.length(), 1, MAX_FILTER_CHARS);
        filter = Arguments.notEmpty("the filter", expression);
        return this;
    }

    @Override
    public SubscriptionBuilder retryBackoff(Duration... waits) {
        Arguments.between("the number of waits of retryBackoff", waits.length, 1, MAX_WAITS);
        for (Duration wait : waits) {
            Arguments.between("retryBackoff", wait, Duration.ZERO, MAX_BACKOFF);
        }
        return groupSetting(
                GroupTerms.BACKOFF,
                Arrays.stream(waits).map(wait -> Long.toString(wait.toMillis())).collect(Collectors.joining(",")));
    }

    @Override
    public SubscriptionBuilder retryBackoffBetween(Duration min, Duration max) {
        Arguments.between("the least retry backoff", min, Duration.ofMillis(1), MAX_BACKOFF);
        Arguments.between("the longest retry backoff", max, min, MAX_BACKOFF);
        return groupSetting(GroupTerms.BACKOFF, min.toMillis() + ".." + max.toMillis());
    }

    @Override
    public SubscriptionBuilder retryJitterPercent(int percent) {
        return groupSetting(GroupTerms.JITTER, Long.toString(Arguments.between("retryJitterPercent", percent, 0, 100)));
    }

    @Override
    public SubscriptionBuilder maxInFlight(int messages) {
        return groupSetting(
                GroupTerms.MAX_IN_FLIGHT, Long.toString(Arguments.between("maxInFlight", messages, 0, MAX_IN_FLIGHT)));
    }

    @Override
    public SubscriptionBuilder groupSetting(String name, String value) {
        groupConfig.put(Arguments.notEmpty("the name of a group's setting", name), value);
        return this;
    }

    @Override
    public SubscriptionBuilder onActive(Consumer<Boolean> listener) {
        onActive = listener;
        return this;
    }

    @Override
    public SubscriptionBuilder standby() {
        standby = true;
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
        maxDeliveries = (int) Arguments.between("maxDeliveries", deliveries, 0, 1_000);
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
    public SubscriptionBuilder readFrom(ReadFrom node) {
        readFrom = node;
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
        if (group.isEmpty() && (mode != null || !filter.isEmpty() || !groupConfig.isEmpty())) {
            throw Arguments.invalid(
                    "the reader of " + topic + " is given a mode, a filter or settings of a group", "it has no group");
        }
        if (standby && (mode == null || mode == GroupMode.SHARED)) {
            throw Arguments.invalid(
                    "a subscription to " + topic + " is to stand by",
                    "it needs a group in mode KEY_ORDERED or EXCLUSIVE, whose members have a part that another can take over");
        }
        if (!group.isEmpty() && readFrom == ReadFrom.NEAREST) {
            throw Arguments.invalid(
                    "group " + group + " is to read from the nearest node",
                    "the leader shares the records among a group's members");
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
        GroupTerms terms = new GroupTerms(mode == null ? GroupMode.SHARED : mode, filter, Map.copyOf(groupConfig));
        return new SubscriptionSettings(
                topic,
                group,
                from,
                terms,
                leaseMs,
                maxUnacked,
                maxDeliveries,
                read,
                readFrom,
                creditBytes,
                consumerName,
                standby,
                onLostLeases,
                onActive);
    }
}

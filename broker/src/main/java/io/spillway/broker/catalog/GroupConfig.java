package io.spillway.broker.catalog;

import io.spillway.broker.filter.Filter;
import io.spillway.broker.records.GroupCreated;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a group delivers, retries and gives up.
 *
 * @param maxDeliveries failures after which a record is dead-lettered, 0 to 1,000; 0 = never
 * @param poisonMembers different members it failed with after which a record is dead-lettered, 0 to 16; 0 = never
 * @param maxInFlight records all members together hold unsettled, 0 = no bound
 * @param filter which records the group wants, in the language of filters; empty = all
 */
public record GroupConfig(
        int maxDeliveries, int poisonMembers, Retry retry, int maxInFlight, String filter, Breaker breaker) {
    public static final String MAX_DELIVERIES = "max.deliveries";
    public static final String POISON_MEMBERS = "poison.members";
    public static final String RETRY_BACKOFF_MS = "retry.backoff.ms";
    public static final String RETRY_JITTER_PERCENT = "retry.jitter.percent";
    public static final String MAX_INFLIGHT = "max.inflight";
    public static final String FILTER = "filter";
    public static final String BREAKER_PERCENT = "dlq.breaker.percent";
    public static final String BREAKER_MIN = "dlq.breaker.min";
    public static final String BREAKER_WINDOW_MS = "dlq.breaker.window.ms";
    public static final List<String> KEYS = List.of(
            MAX_DELIVERIES,
            POISON_MEMBERS,
            RETRY_BACKOFF_MS,
            RETRY_JITTER_PERCENT,
            MAX_INFLIGHT,
            FILTER,
            BREAKER_PERCENT,
            BREAKER_MIN,
            BREAKER_WINDOW_MS);

    public static final GroupConfig DEFAULT =
            new GroupConfig(0, 3, new Retry(RetryBackoff.NONE, 20), 0, "", new Breaker(50, 20, 60_000));

    private static final ConfigValues VALUES = new ConfigValues("group");
    private static final int MOST_POISON_MEMBERS = 16;
    private static final long MAX_WINDOW_MS = 24L * 3600 * 1000;

    /**
     * What a failed record waits when its nack names no delay and when its lease ran out.
     *
     * @param jitterPercent the share of the wait that is random, 0 to 100
     */
    public record Retry(RetryBackoff backoff, int jitterPercent) {}

    /**
     * When a group pauses instead of draining its topic into the dead letters.
     *
     * @param percent of the outcomes; beyond it the group pauses, 0 = never; 0 to 99
     * @param min outcomes within the window before that is judged, 1 to 1,000,000
     * @param windowMs the window, 1,000 to a day
     */
    public record Breaker(int percent, int min, long windowMs) {}

    /** The settings a record of the log holds, also one from before there were more than one. */
    public static GroupConfig ofRecord(GroupCreated record) {
        return DEFAULT.withMaxDeliveries(record.getMaxDeliveries()).with(record.getConfigMap());
    }

    public GroupConfig withMaxDeliveries(int changed) {
        return new GroupConfig(changed, poisonMembers, retry, maxInFlight, filter, breaker);
    }

    private GroupConfig withPoisonMembers(int changed) {
        return new GroupConfig(maxDeliveries, changed, retry, maxInFlight, filter, breaker);
    }

    private GroupConfig withRetry(RetryBackoff backoff, int jitterPercent) {
        return new GroupConfig(
                maxDeliveries, poisonMembers, new Retry(backoff, jitterPercent), maxInFlight, filter, breaker);
    }

    private GroupConfig withMaxInFlight(int changed) {
        return new GroupConfig(maxDeliveries, poisonMembers, retry, changed, filter, breaker);
    }

    private GroupConfig withFilter(String changed) {
        return new GroupConfig(maxDeliveries, poisonMembers, retry, maxInFlight, changed, breaker);
    }

    private GroupConfig withBreaker(int percent, int min, long windowMs) {
        return new GroupConfig(
                maxDeliveries, poisonMembers, retry, maxInFlight, filter, new Breaker(percent, min, windowMs));
    }

    /** This configuration with the given keys changed. Throws INVALID_ARGUMENT naming key, value and what is allowed. */
    public GroupConfig with(Map<String, String> changes) {
        GroupConfig config = this;
        for (Map.Entry<String, String> change : changes.entrySet()) {
            config = config.with(change.getKey(), change.getValue());
        }
        return config;
    }

    private GroupConfig with(String key, String value) {
        return switch (key) {
            case MAX_DELIVERIES -> withMaxDeliveries((int) VALUES.number(key, value, 0, 1_000));
            case POISON_MEMBERS -> withPoisonMembers((int) VALUES.number(key, value, 0, MOST_POISON_MEMBERS));
            case RETRY_BACKOFF_MS -> withRetry(RetryBackoff.parse(key, value, VALUES), retry.jitterPercent);
            case RETRY_JITTER_PERCENT -> withRetry(retry.backoff, (int) VALUES.number(key, value, 0, 100));
            case MAX_INFLIGHT -> withMaxInFlight((int) VALUES.number(key, value, 0, Integer.MAX_VALUE));
            case FILTER -> withFilter(value.isEmpty() ? "" : Filter.parse(value).text());
            case BREAKER_PERCENT -> withBreaker((int) VALUES.number(key, value, 0, 99), breaker.min, breaker.windowMs);
            case BREAKER_MIN ->
                withBreaker(breaker.percent, (int) VALUES.number(key, value, 1, 1_000_000), breaker.windowMs);
            case BREAKER_WINDOW_MS ->
                withBreaker(breaker.percent, breaker.min, VALUES.number(key, value, 1_000, MAX_WINDOW_MS));
            default -> throw VALUES.unknown(key, KEYS);
        };
    }

    public Map<String, String> toMap() {
        Map<String, String> map = new LinkedHashMap<>();
        map.put(MAX_DELIVERIES, Integer.toString(maxDeliveries));
        map.put(POISON_MEMBERS, Integer.toString(poisonMembers));
        map.put(RETRY_BACKOFF_MS, retry.backoff.toString());
        map.put(RETRY_JITTER_PERCENT, Integer.toString(retry.jitterPercent));
        map.put(MAX_INFLIGHT, Integer.toString(maxInFlight));
        map.put(FILTER, filter);
        map.put(BREAKER_PERCENT, Integer.toString(breaker.percent));
        map.put(BREAKER_MIN, Integer.toString(breaker.min));
        map.put(BREAKER_WINDOW_MS, Long.toString(breaker.windowMs));
        return map;
    }
}

package io.spillway.broker.catalog;

import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/**
 * What a record waits between two deliveries after it failed: a list of delays, the last of them repeated, or one that
 * doubles with each failure up to a bound.
 *
 * @param delaysMs of the first failure, the second, ...; 1 to {@link #MAX_DELAYS} of 0 to {@link #MAX_DELAY_MS}; of a
 *     doubling one only the first
 * @param maxDelayMs where doubling ends; -1 = a list
 */
public record RetryBackoff(List<Long> delaysMs, long maxDelayMs) {
    public static final int MAX_DELAYS = 32;
    public static final long MAX_DELAY_MS = 7L * 24 * 3600 * 1000;
    static final RetryBackoff NONE = new RetryBackoff(List.of(0L), -1);

    private static final String RANGE = "..";
    private static final int PERCENT = 100;

    public RetryBackoff {
        delaysMs = List.copyOf(delaysMs);
    }

    static RetryBackoff parse(String key, String value, ConfigValues values) {
        String allowed = "a delay in ms from 0 to " + MAX_DELAY_MS + ", a list of up to " + MAX_DELAYS
                + " such as 100,1000,5000, or a doubling range such as 100..60000";
        try {
            int range = value.indexOf(RANGE);
            if (range >= 0) {
                long min = Long.parseLong(value.substring(0, range));
                long max = Long.parseLong(value.substring(range + RANGE.length()));
                if (min >= 1 && max >= min && max <= MAX_DELAY_MS) {
                    return new RetryBackoff(List.of(min), max);
                }
                throw values.invalid(key, value, allowed);
            }
            List<Long> delays =
                    Arrays.stream(value.split(",", -1)).map(Long::parseLong).toList();
            if (delays.size() <= MAX_DELAYS && delays.stream().allMatch(ms -> ms >= 0 && ms <= MAX_DELAY_MS)) {
                return new RetryBackoff(delays, -1);
            }
        } catch (NumberFormatException e) {
            throw values.invalid(key, value, allowed);
        }
        throw values.invalid(key, value, allowed);
    }

    /** The wait after the n-th failure, n from 1, without anything random. */
    public long delayMs(int failures) {
        if (maxDelayMs < 0) {
            return delaysMs.get(Math.min(failures, delaysMs.size()) - 1);
        }
        long first = delaysMs.get(0);
        int doublings = failures - 1;
        return doublings >= Long.numberOfLeadingZeros(first) - 1
                ? maxDelayMs
                : Math.min(maxDelayMs, first << doublings);
    }

    /** The wait after the n-th failure, of which up to a percentage is left out at random. */
    public long delayMs(int failures, int jitterPercent, RandomGenerator random) {
        long whole = delayMs(failures);
        long part = whole * jitterPercent / PERCENT;
        return part == 0 ? whole : whole - random.nextLong(part + 1);
    }

    /** As it is set. */
    @Override
    public String toString() {
        return maxDelayMs < 0
                ? delaysMs.stream().map(String::valueOf).collect(Collectors.joining(","))
                : delaysMs.get(0) + RANGE + maxDelayMs;
    }
}

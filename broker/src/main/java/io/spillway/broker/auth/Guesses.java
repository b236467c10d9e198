package io.spillway.broker.auth;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * Lets whoever fails with passwords wait: a user at an address after some failures, the whole address after {@value
 * #ADDRESS_TIMES} times as many with whatever users; a second at first, twice as long with each more, a minute at most. At
 * other addresses nobody waits for it, and who was let in at an address before does not wait there for what others do. Each
 * {@value #FORGIVEN_MS} ms without another failure forgive one. What is remembered is bounded, and the names in it are those
 * of principals, not of any length. Thread-safe.
 */
final class Guesses {
    private static final int ADDRESS_TIMES = 10;
    private static final long FORGIVEN_MS = 300_000;
    private static final long FIRST_WAIT_MS = 1_000;
    private static final long LONGEST_WAIT_MS = 60_000;
    /** As many doublings as the longest wait needs. */
    private static final int DOUBLINGS = 6;

    private static final int MOST_REMEMBERED = 8_192;

    private final int free;
    private final Map<Place, Failures> users = bounded();
    private final Map<String, Failures> addresses = bounded();
    private final Map<Place, Boolean> letIn = bounded();
    private final LongAdder refused = new LongAdder();

    /** A user at an address. */
    private record Place(String address, String user) {
        static Place of(String address, String user) {
            return new Place(address, Principals.isValid(user) ? user : "");
        }
    }

    private static final class Failures {
        private int count;
        private long lastMs;

        private int count(long nowMs) {
            return (int) Math.max(0, count - Math.max(0, nowMs - lastMs) / FORGIVEN_MS);
        }

        void add(int most, long nowMs) {
            count = Math.min(most, count(nowMs) + 1);
            lastMs = nowMs;
        }

        /** How long is still to be waited after the last one. */
        long waitMs(int freeOfCharge, long nowMs) {
            int beyond = count(nowMs) - freeOfCharge;
            if (beyond < 0) {
                return 0;
            }
            long whole = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS << Math.min(beyond, DOUBLINGS));
            return Math.max(0, whole - Math.max(0, nowMs - lastMs));
        }
    }

    /** @param free failures of a user at an address before the first wait; 0 = nobody waits */
    Guesses(int free) {
        this.free = free;
    }

    /** The least recently used goes first. */
    private static <K, V> Map<K, V> bounded() {
        return new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1;

            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > MOST_REMEMBERED;
            }
        };
    }

    /** How long the user has to wait there before another try, in ms; 0 = not at all. What has to wait is counted. */
    int waitMs(String address, String user, long nowMs) {
        long waitMs = wait(address, Place.of(address, user), nowMs);
        if (waitMs > 0) {
            refused.increment();
        }
        return (int) waitMs;
    }

    private synchronized long wait(String address, Place place, long nowMs) {
        if (free == 0) {
            return 0;
        }
        Failures own = users.get(place);
        Failures all = letIn.containsKey(place) ? null : addresses.get(address);
        return Math.max(
                own == null ? 0 : own.waitMs(free, nowMs), all == null ? 0 : all.waitMs(ADDRESS_TIMES * free, nowMs));
    }

    synchronized void failed(String address, String user, long nowMs) {
        if (free > 0) {
            users.computeIfAbsent(Place.of(address, user), key -> new Failures())
                    .add(free + DOUBLINGS, nowMs);
            addresses.computeIfAbsent(address, key -> new Failures()).add(ADDRESS_TIMES * free + DOUBLINGS, nowMs);
        }
    }

    synchronized void succeeded(String address, String user) {
        if (free > 0) {
            Place place = Place.of(address, user);
            users.remove(place);
            letIn.put(place, true);
        }
    }

    /** Tries that were refused unseen. */
    long refused() {
        return refused.sum();
    }
}

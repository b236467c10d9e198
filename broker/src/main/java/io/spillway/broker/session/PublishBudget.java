package io.spillway.broker.session;

import io.spillway.broker.base.Published;
import io.spillway.broker.flow.PressureSignal;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory that publishes may take while they wait in the broker. A failure domain may have four times what is still free
 * (dynamic thresholds, Choudhury and Hahne 1998): alone it gets four fifths of all, two that surge get four ninths each,
 * and whatever one takes there is always room left for another. As long as there is room at all it gets a fifth, or with
 * five domains and more its equal part less one, whatever the others have taken. Thread-safe.
 */
final class PublishBudget {
    private static final int TIMES_FREE = 4;
    /** Of all, what a domain gets whatever others take, while there are fewer domains than that. */
    private static final int SURE_PART = 5;

    private static final long USED_UP_PM = 1_000;

    /** Bytes that are taken, and the fewest that were in an interval. */
    private static final class Taken {
        private final AtomicLong now = new AtomicLong();
        private final AtomicLong fewest = new AtomicLong();

        long bytes() {
            return now.get();
        }

        long take(long bytes) {
            return now.addAndGet(bytes);
        }

        void give(long bytes) {
            long left = now.addAndGet(-bytes);
            if (left < fewest.get()) {
                fewest.accumulateAndGet(left, Math::min);
            }
        }

        /** The fewest since this was last asked. */
        long endInterval() {
            long bytes = now.get();
            return Math.min(bytes, fewest.getAndSet(bytes));
        }
    }

    /** One domain's part; forgotten when the last session of the domain ends. */
    static final class Part {
        private final Taken taken = new Taken();
        /** How the domain stands. */
        final Published<PressureSignal> signal = new Published<>(PressureSignal.NONE);

        int sessions;
    }

    private final long limitBytes;
    private final Taken taken = new Taken();
    private final Map<String, Part> parts = new ConcurrentHashMap<>();

    PublishBudget(long limitBytes) {
        this.limitBytes = limitBytes;
    }

    /** The end of a session that asks for room. */
    final class Share {
        private final String domain;
        private final Part part;

        private Share(String domain, Part part) {
            this.domain = domain;
            this.part = part;
        }

        /** Takes room for so many bytes, or does nothing and returns false. */
        boolean take(int wanted) {
            long all = taken.take(wanted);
            long own = part.taken.take(wanted);
            boolean isTooMuch = own > sureBytes() && own - wanted > TIMES_FREE * (limitBytes - (all - wanted));
            if (isTooMuch || all > limitBytes) {
                give(wanted);
                return false;
            }
            return true;
        }

        void give(int bytes) {
            part.taken.give(bytes);
            taken.give(bytes);
        }

        /** How its domain stands. */
        PressureSignal signal() {
            return part.signal.get();
        }

        boolean isOf(Part asked) {
            return part == asked;
        }

        /** Bytes that wait of this domain. */
        long domainBytes() {
            return part.taken.bytes();
        }

        /** The session ends; what it has taken may still be given back. */
        void close() {
            parts.computeIfPresent(domain, (name, known) -> --known.sessions == 0 ? null : known);
        }
    }

    Share open(String domain) {
        Part part = parts.compute(domain, (name, known) -> {
            Part mine = known == null ? new Part() : known;
            mine.sessions++;
            return mine;
        });
        return new Share(domain, part);
    }

    /** The domains that have sessions. */
    Map<String, Part> parts() {
        return Collections.unmodifiableMap(parts);
    }

    private long sureBytes() {
        return limitBytes / Math.max(SURE_PART, parts.size() + 1);
    }

    /**
     * How much each domain had of what it may have in all of the interval that ends, per mille; at 1000 it is refused. Who
     * sends as fast as it can fills its part again and again, and what is gone a moment later is no pressure. For one thread.
     */
    Map<String, Long> endInterval() {
        long freeBytes = Math.max(0, limitBytes - taken.endInterval());
        long mayBytes = freeBytes == 0 ? 0 : Math.max(sureBytes(), TIMES_FREE * freeBytes);
        Map<String, Long> usedPm = new HashMap<>();
        parts.forEach((domain, part) -> {
            long bytes = part.taken.endInterval();
            usedPm.put(domain, mayBytes == 0 ? USED_UP_PM : Math.min(USED_UP_PM, bytes * USED_UP_PM / mayBytes));
        });
        return usedPm;
    }

    /** Bytes of publishes that wait. */
    long bytes() {
        return taken.bytes();
    }
}

package io.spillway.broker.session;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory that publishes may take while they wait in the broker. A failure domain may have four times what is still free
 * (dynamic thresholds, Choudhury and Hahne 1998): alone it gets four fifths of all, two that surge get four ninths each,
 * and whatever one takes there is always room left for another. Thread-safe.
 */
final class PublishBudget {
    private static final int TIMES_FREE = 4;

    /** One domain's part; forgotten when the last session of the domain ends. */
    private static final class Part {
        final AtomicLong bytes = new AtomicLong();
        int sessions;
    }

    private final long limitBytes;
    private final AtomicLong bytes = new AtomicLong();
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
            long all = bytes.addAndGet(wanted);
            long own = part.bytes.addAndGet(wanted);
            if (own - wanted > TIMES_FREE * (limitBytes - (all - wanted)) || all > limitBytes) {
                give(wanted);
                return false;
            }
            return true;
        }

        void give(int taken) {
            part.bytes.addAndGet(-taken);
            bytes.addAndGet(-taken);
        }

        /** Bytes that wait of this domain. */
        long domainBytes() {
            return part.bytes.get();
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

    /** Bytes of publishes that wait. */
    long bytes() {
        return bytes.get();
    }
}

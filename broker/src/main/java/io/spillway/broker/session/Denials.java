package io.spillway.broker.session;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.audit.AuditEntry;
import io.spillway.broker.base.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was refused to whom. Each is counted; a burst, then two a second are written to the audit and the log, and how many more
 * there were with the next one. Thread-safe.
 */
public final class Denials {
    private static final Logger LOG = LoggerFactory.getLogger(Denials.class);
    private static final long BURST = 200;
    private static final long INTERVAL_MS = 500;
    private static final int MOST_SHOWN = 256;
    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cntrl}\"\\u2028\\u2029]");

    private final Audit audit;
    private final Clock clock;
    private final AtomicLong paidUntilMs = new AtomicLong();

    private final AtomicLong untold = new AtomicLong();
    private final LongAdder denied = new LongAdder();
    private final LongAdder unknown = new LongAdder();

    Denials(Audit audit, Clock clock) {
        this.audit = audit;
        this.clock = clock;
    }

    /** Somebody known may not do something. */
    void denied(String who, String operation, String topic, String group, String why) {
        denied.increment();
        tell(new AuditEntry(shown(who), "denied." + operation, shown(topic), shown(group), "", detail()), shown(why));
    }

    /** Somebody did not prove who he is. */
    public void unknown(String who, String why) {
        unknown.increment();
        tell(new AuditEntry(shown(who), "denied.login", "", "", "", detail()), shown(why));
    }

    /** What strangers call themselves and others, so that it makes no line of its own in a log, and no long one. */
    static String shown(String text) {
        String clean = UNPRINTABLE.matcher(text).replaceAll("?");
        return clean.length() > MOST_SHOWN ? clean.substring(0, MOST_SHOWN) + "..." : clean;
    }

    private Map<String, String> detail() {
        Map<String, String> detail = new LinkedHashMap<>();
        long before = untold.get();
        if (before > 0) {
            detail.put("more_before", Long.toString(before));
        }
        return detail;
    }

    /** A burst, then a trickle: the audit keeps everything for ever, and must not be filled by who is refused. */
    boolean mayTell() {
        long nowMs = clock.nowMs();
        while (true) {
            long before = paidUntilMs.get();
            long after = Math.max(before, nowMs) + INTERVAL_MS;
            if (after - nowMs > BURST * INTERVAL_MS) {
                return false;
            }
            if (paidUntilMs.compareAndSet(before, after)) {
                return true;
            }
        }
    }

    private void tell(AuditEntry entry, String why) {
        if (!mayTell()) {
            untold.incrementAndGet();
            return;
        }
        untold.set(0);
        LOG.warn(
                "event=denied what={} who=\"{}\" topic={} group={} why=\"{}\" next=\"spillway audit tells more\"",
                entry.operation(),
                entry.who(),
                entry.topic(),
                entry.group(),
                why);
        audit.note(entry, AuditEntry.Phase.FAILED, why);
    }

    /** Requests that were refused because of a rule. */
    public long denied() {
        return denied.sum();
    }

    /** Logins that were refused. */
    public long unknown() {
        return unknown.sum();
    }
}

package io.spillway.broker.session;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.audit.AuditEntry;
import io.spillway.broker.base.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was refused to whom. Each is counted; so many a second are written to the audit and the log, and how many more there were
 * with the next one. Thread-safe.
 */
public final class Denials {
    private static final Logger LOG = LoggerFactory.getLogger(Denials.class);
    private static final int MOST_A_SECOND = 10;
    private static final int MS_PER_SECOND = 1_000;
    private static final int COUNT_BITS = 20;
    private static final long COUNT_MASK = (1L << COUNT_BITS) - 1;

    private final Audit audit;
    private final Clock clock;
    /** The second, and how many came in it. */
    private final AtomicLong window = new AtomicLong();

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
        tell(new AuditEntry(who, "denied." + operation, topic, group, "", detail()), why);
    }

    /** Somebody did not prove who he is. */
    public void unknown(String who, String why) {
        unknown.increment();
        tell(new AuditEntry(who, "denied.login", "", "", "", detail()), why);
    }

    private Map<String, String> detail() {
        Map<String, String> detail = new LinkedHashMap<>();
        long before = untold.get();
        if (before > 0) {
            detail.put("more_before", Long.toString(before));
        }
        return detail;
    }

    private void tell(AuditEntry entry, String why) {
        long second = clock.nowMs() / MS_PER_SECOND;
        long now = window.updateAndGet(before -> before >>> COUNT_BITS == second && (before & COUNT_MASK) < COUNT_MASK
                ? before + 1
                : (second << COUNT_BITS) + 1);
        if ((now & COUNT_MASK) > MOST_A_SECOND) {
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

package io.spillway.broker.cli;

import io.spillway.client.Admin;
import io.spillway.client.GroupDescription;
import io.spillway.client.Message;
import io.spillway.client.Subscription;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * The end of the log, as it was when a member joined its group: reached once all before it is settled, also what other
 * members hold. Not thread-safe.
 */
final class GroupEnd implements LogEnd {
    private static final long CHECK_EVERY_NS = 1_000_000_000;

    private final Admin admin;
    private final Subscription subscription;
    private final String group;
    private final Duration timeout;
    private final Map<Integer, Long> ends = new HashMap<>();
    private long checkedNs;

    GroupEnd(Admin admin, Subscription subscription, String group, Duration timeout) {
        this.admin = admin;
        this.subscription = subscription;
        this.group = group;
        this.timeout = timeout;
        for (GroupDescription.Partition p : describe()) {
            ends.put(p.partition(), p.endOffset());
        }
        checkedNs = System.nanoTime();
    }

    @Override
    public boolean covers(Message message) {
        return true;
    }

    /** Asks the broker when no message came, and every second on a log that never falls silent. */
    @Override
    public boolean reached(long idleNs) {
        long nowNs = System.nanoTime();
        if (idleNs == 0 && nowNs - checkedNs < CHECK_EVERY_NS) {
            return false;
        }
        checkedNs = nowNs;
        subscription.flushAcks(timeout);
        for (GroupDescription.Partition p : describe()) {
            if (p.backlog() > 0 && p.cursor() < ends.getOrDefault(p.partition(), 0L)) {
                return false;
            }
        }
        return true;
    }

    private Iterable<GroupDescription.Partition> describe() {
        return admin.describeGroup(subscription.topic(), group).partitions();
    }
}

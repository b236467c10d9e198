package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.flow.CreditControl;
import io.spillway.broker.flow.FairQueue;
import io.spillway.broker.flow.ShedThreshold;
import io.spillway.protocol.Code;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the wait of publishes for their turn short, each failure domain's by itself. First by credit: how much each
 * publisher may have unanswered follows the wait. Where that is not enough, because there are too many publishers for it, what
 * has waited too long is refused before any work, least important first, and of what comes only the more important is let in
 * until the wait is short again. Knows nothing of domains that are at ease. Confined to the shard thread.
 */
final class Admission {
    /** A wait that is worth holding senders back, unless syncs are slow. */
    static final long TARGET_NS = 20_000_000;

    /**
     * Of targets, from where on publishes are refused because of their wait. A closed loop at full speed has a queue, too;
     * it is to shrink by credit.
     */
    private static final int REFUSED_FROM = 5;

    /** What has waited for so many times that is refused. */
    private static final int TIMES_TOO_LONG = 2;

    private static final int INTERVALS_TO_BE_SURE = 2;
    private static final int MIN_BATCH_BYTES = 16 << 10;
    private static final long ACTIVE_MS = 1_000;
    private static final int RETRY_AFTER_MS = 400;
    private static final int NS_PER_MS = 1_000_000;

    /** A failure domain whose publishes wait, or did lately. */
    private static final class Domain {
        private final CreditControl credit;
        private Set<PublisherPort> active = newActive();
        private Set<PublisherPort> activeBefore = newActive();
        private long activeSinceMs;
        /** Of what was taken in this interval, or waits still. */
        private long longestNs;

        private int intervalsTooLong;
        private @Nullable ShedThreshold threshold;
        private boolean tooLongInPeriod;

        Domain(long ceilingBytes) {
            credit = new CreditControl(ceilingBytes);
        }

        private static Set<PublisherPort> newActive() {
            return Collections.newSetFromMap(new IdentityHashMap<>());
        }

        boolean isTooLong() {
            return intervalsTooLong >= INTERVALS_TO_BE_SURE;
        }

        int publishers() {
            return Math.max(1, Math.max(active.size(), activeBefore.size()));
        }

        void forgetInactive(long nowMs) {
            if (nowMs - activeSinceMs >= ACTIVE_MS) {
                activeSinceMs = nowMs;
                activeBefore = active;
                active = newActive();
            }
        }

        boolean isAtEase() {
            return credit.isFull() && intervalsTooLong == 0 && threshold == null;
        }
    }

    private final FairQueue<ShardCommand.Publish> waiting;
    private final long ceilingBytes;
    private final ToIntFunction<ShardCommand.Publish> classOf;
    private final RefusedPublish refused;
    private final Map<String, Domain> domains = new HashMap<>();
    private long targetNs = TARGET_NS;
    private Map<String, Long> windows = Map.of();

    /** Where a publish goes that is refused, which is released then. */
    interface RefusedPublish {
        void refuse(ShardCommand.Publish publish, SpillwayException why);
    }

    /**
     * @param waiting in turns of failure domains, first of all
     * @param ceilingBytes how much publishers may have on their way at most
     * @param classOf how much a publish matters
     */
    Admission(
            FairQueue<ShardCommand.Publish> waiting,
            long ceilingBytes,
            ToIntFunction<ShardCommand.Publish> classOf,
            RefusedPublish refused) {
        this.waiting = waiting;
        this.ceilingBytes = ceilingBytes;
        this.classOf = classOf;
        this.refused = refused;
    }

    /** Whether a publish that came may wait for its turn; else it has been refused. */
    boolean admits(ShardCommand.Publish publish, long nowMs) {
        if (domains.isEmpty()) {
            return true;
        }
        Domain domain = domains.get(publish.port().flow().domain());
        if (domain == null) {
            return true;
        }
        domain.active.add(publish.port());
        ShedThreshold threshold = domain.threshold;
        String principal = publish.port().flow().principal();
        if (threshold == null || threshold.admits(classOf.applyAsInt(publish), principal, nowMs)) {
            return true;
        }
        refused.refuse(
                publish,
                refusal(
                        publish,
                        "others wait for more than " + tooLongMs() + " ms, and what matters less is not let in"));
        return false;
    }

    /**
     * Ten milliseconds are over.
     *
     * @param syncP50Ms half of the newest syncs took at most so long
     */
    void tick(Waits waits, int syncP50Ms, long nowMs, long nowNs) {
        targetNs = Math.max(TARGET_NS, 2L * syncP50Ms * NS_PER_MS);
        waits.longest(this::look);
        if (waiting.size() > 0) {
            waiting.names(name -> look(String.valueOf(name), oldestNs(name, nowNs)));
        }
        if (domains.isEmpty()) {
            windows = Map.of();
            return;
        }
        Map<String, Long> now = new HashMap<>();
        domains.forEach((name, domain) -> {
            domain.forgetInactive(nowMs);
            domain.credit.tick(domain.longestNs, targetNs, (long) MIN_BATCH_BYTES * domain.publishers(), nowNs);
            domain.longestNs = 0;
            if (!domain.credit.isFull()) {
                now.put(name, domain.credit.bytes() / domain.publishers());
            }
        });
        domains.values().removeIf(Domain::isAtEase);
        windows = Map.copyOf(now);
    }

    private void look(String name, long waitedNs) {
        Domain domain = domains.get(name);
        if (domain == null && waitedNs >= targetNs) {
            domain = new Domain(ceilingBytes);
            domains.put(name, domain);
        }
        if (domain != null) {
            domain.longestNs = Math.max(domain.longestNs, waitedNs);
        }
    }

    private long oldestNs(Object name, long nowNs) {
        long[] oldest = {0};
        waiting.heads(name, publish -> oldest[0] = Math.max(oldest[0], nowNs - publish.receivedNs()));
        return oldest[0];
    }

    /** By failure domain, how many bytes each publisher may have unanswered; those that are not named, as many as ever. */
    Map<String, Long> windows() {
        return windows;
    }

    private long tooLongMs() {
        return REFUSED_FROM * TIMES_TOO_LONG * targetNs / NS_PER_MS;
    }

    /**
     * A tenth of a second is over.
     *
     * @param waitedMs the best turn's wait of each domain in it
     */
    void endInterval(Map<String, Integer> waitedMs, long nowMs, long nowNs) {
        domains.forEach((name, domain) -> {
            boolean tooLong = waitedMs.getOrDefault(name, 0) * (long) NS_PER_MS > REFUSED_FROM * targetNs;
            domain.intervalsTooLong = tooLong ? domain.intervalsTooLong + 1 : 0;
            if (domain.isTooLong()) {
                refuseOverdue(name, nowNs);
            }
            move(domain, nowMs);
        });
    }

    private static void move(Domain domain, long nowMs) {
        domain.tooLongInPeriod |= domain.isTooLong();
        if (domain.threshold == null && domain.isTooLong()) {
            domain.threshold = new ShedThreshold();
            domain.threshold.endPeriod(true, nowMs);
        }
        ShedThreshold threshold = domain.threshold;
        if (threshold != null && threshold.isPeriodOver(nowMs)) {
            threshold.endPeriod(domain.tooLongInPeriod, nowMs);
            domain.tooLongInPeriod = false;
            domain.threshold = threshold.isOpen() && !domain.isTooLong() ? null : threshold;
        }
    }

    /** Those of one class and one principal that have waited too long. */
    private static final class Overdue {
        private final int shedClass;
        private final int debtMs;
        private final Set<ShardCommand.Publish> publishes = Collections.newSetFromMap(new IdentityHashMap<>());
        private long bytes;

        Overdue(int shedClass, int debtMs) {
            this.shedClass = shedClass;
            this.debtMs = debtMs;
        }

        void add(ShardCommand.Publish publish) {
            publishes.add(publish);
            bytes += publish.bytes();
        }
    }

    /** Half of what has waited too long: what matters least, and of that those first who owe most, or wait with most. */
    private void refuseOverdue(String name, long nowNs) {
        Map<String, Overdue> byRank = new HashMap<>();
        long tooLongNs = tooLongMs() * NS_PER_MS;
        waiting.forEach(name, publish -> {
            int shedClass = classOf.applyAsInt(publish);
            if (shedClass > 0 && nowNs - publish.receivedNs() > tooLongNs) {
                byRank.computeIfAbsent(
                                shedClass + publish.port().flow().principal(),
                                unknown -> new Overdue(shedClass, publish.port().debtMs()))
                        .add(publish);
            }
        });
        List<Overdue> ranked = new ArrayList<>(byRank.values());
        ranked.sort(Comparator.<Overdue>comparingInt(each -> -each.shedClass)
                .thenComparingInt(each -> -each.debtMs)
                .thenComparingLong(each -> -each.bytes));
        long left = (ranked.stream().mapToLong(each -> each.bytes).sum() + 1) / 2;
        Set<ShardCommand.Publish> out = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Overdue rank : ranked) {
            if (left <= 0) {
                break;
            }
            left -= rank.bytes;
            out.addAll(rank.publishes);
        }
        refuse(name, out::contains, nowNs);
    }

    private void refuse(String name, Predicate<ShardCommand.Publish> which, long nowNs) {
        waiting.remove(name, publish -> {
            if (!which.test(publish)) {
                return false;
            }
            refused.refuse(
                    publish,
                    refusal(
                            publish,
                            "it waited for " + (nowNs - publish.receivedNs()) / NS_PER_MS
                                    + " ms for its turn, over the " + tooLongMs() + " ms that are too long"));
            return true;
        });
    }

    private SpillwayException refusal(ShardCommand.Publish publish, String why) {
        return new SpillwayException(
                        Code.OVERLOADED,
                        "a batch of class " + classOf.applyAsInt(publish) + " was refused before any work",
                        why,
                        "send again after the stated time, and slower",
                        RETRY_AFTER_MS,
                        null)
                .with("reason", "QUEUE_DELAY")
                .with("scope", "domain:" + publish.port().flow().domain())
                .with("shed_class", Integer.toString(classOf.applyAsInt(publish)));
    }
}

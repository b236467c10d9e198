package io.spillway.broker.session;

import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.flow.Quota;
import io.spillway.broker.flow.Quotas;
import io.spillway.broker.session.Buckets.Charge;
import io.spillway.protocol.Code;

/**
 * What one publisher's batches are charged to, and what it owes. A batch is charged when it is taken, whatever that leaves
 * owing; the ack says how long to wait, and who owes more than that is refused. Charging is confined to the connection's
 * event loop, {@link #waitMs} is thread-safe.
 */
final class Charges {
    /** What a record counts for beside its bytes, so that tiny ones are not free. */
    private static final int RECORD_BYTES = 256;

    private final SessionContext context;
    private final Load load;
    private final String topic;
    private final Published<Charge[]> charges = new Published<>(new Charge[0]);
    private Quotas quotas = Quotas.NONE;
    private Object version;

    Charges(SessionContext context, Load load, String topic) {
        this.context = context;
        this.load = load;
        this.topic = topic;
        version = context.buckets.version();
    }

    /** Throws THROTTLED when too much is owed. */
    void requireCredit(long nowNs) {
        lookAgain(nowNs);
        for (Charge charge : charges.get()) {
            if (charge.waitMs(nowNs) >= Quota.MAX_WAIT_MS) {
                context.overQuota.increment();
                throw new SpillwayException(
                                Code.THROTTLED,
                                "a batch was refused before any work",
                                charge.scope() + " is over its quota of "
                                        + charge.quota().rate().perSecond() + " bytes a second by "
                                        + -charge.quota()
                                                .rate()
                                                .available(charge.state().get(), nowNs) + " bytes",
                                "send again after the stated time, and slower; see spillway quota show",
                                Quota.MAX_WAIT_MS,
                                null)
                        .with("reason", "QUOTA")
                        .with("scope", charge.scope());
            }
        }
    }

    private void lookAgain(long nowNs) {
        Quotas now = context.quotas();
        Object newest = context.buckets.version();
        if (now != quotas || newest != version) {
            quotas = now;
            version = newest;
            charges.set(context.buckets.of(now, load, topic, nowNs));
        }
    }

    void add(long nowNs, int bytes, int records) {
        for (Charge charge : charges.get()) {
            charge.add(nowNs, bytes + (long) RECORD_BYTES * records);
        }
    }

    /** How long the publisher is to wait until nothing is owed, in ms. */
    int waitMs() {
        Charge[] all = charges.get();
        if (all.length == 0) {
            return 0;
        }
        long nowNs = context.clock.nanoTime();
        int waitMs = 0;
        for (Charge charge : all) {
            waitMs = Math.max(waitMs, charge.waitMs(nowNs));
        }
        return waitMs;
    }
}

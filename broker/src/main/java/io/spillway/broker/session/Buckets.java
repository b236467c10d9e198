package io.spillway.broker.session;

import io.spillway.broker.base.Published;
import io.spillway.broker.diagnose.Surroundings;
import io.spillway.broker.flow.Quota;
import io.spillway.broker.flow.Quotas;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What has been published of each quota. A bucket outlives the connections that use it, so that nobody gets rid of debt by
 * connecting again. Thread-safe.
 */
final class Buckets {
    /** Beyond these, the ones that are full are forgotten. */
    private static final int MANY = 4_096;
    /** So long ago that any bucket is full. */
    private static final long LONG_AGO_NS = 1L << 60;

    /** One bucket: whose, how fast, and how full. */
    record Charge(String scope, Quota quota, AtomicLong state) {
        void add(long nowNs, long units) {
            long before;
            do {
                before = state.get();
            } while (!state.compareAndSet(before, quota.rate().charge(before, nowNs, units)));
        }

        int waitMs(long nowNs) {
            return quota.rate().waitMs(state.get(), nowNs);
        }
    }

    private static final Charge[] NOTHING = {};

    private final ConcurrentHashMap<String, Charge> byScope = new ConcurrentHashMap<>();
    /** Another one whenever buckets were forgotten, so that those who hold them look again. */
    private final Published<Object> version = new Published<>(new Object());

    Object version() {
        return version.get();
    }

    /** A connection's own. */
    static AtomicLong ofConnection(long nowNs) {
        return new AtomicLong(nowNs - LONG_AGO_NS);
    }

    /** What a publisher's batches are charged to. */
    Charge[] of(Quotas quotas, Load load, String topic, long nowNs) {
        if (quotas.isEmpty()) {
            return NOTHING;
        }
        if (byScope.size() > MANY) {
            forgetFull(nowNs);
        }
        List<Charge> charges = new ArrayList<>();
        String principal = load.key().principal();
        add(charges, quotas, Quota.Scope.PRINCIPAL, principal, nowNs);
        add(charges, quotas, Quota.Scope.TOPIC, topic, nowNs);
        add(charges, quotas, Quota.Scope.PRINCIPAL_TOPIC, principal + "/" + topic, nowNs);
        add(charges, quotas, Quota.Scope.DOMAIN, load.key().domain(), nowNs);
        Quota connection = quotas.of(Quota.Scope.CONNECTION, Quota.ANY);
        if (connection != null) {
            charges.add(new Charge(Quota.Scope.CONNECTION.text(), connection, load.connection()));
        }
        return charges.toArray(NOTHING);
    }

    private void add(List<Charge> charges, Quotas quotas, Quota.Scope scope, String name, long nowNs) {
        @Nullable Quota quota = quotas.of(scope, name);
        if (quota != null) {
            charges.add(byScope.compute(
                    scope.text() + ":" + name,
                    (key, known) -> new Charge(
                            key, quota, known == null ? new AtomicLong(nowNs - LONG_AGO_NS) : known.state())));
        }
    }

    /** Who owes something now, but for connections. */
    List<Surroundings.Debt> debts(long nowNs) {
        List<Surroundings.Debt> debts = new ArrayList<>();
        for (Charge charge : byScope.values()) {
            int waitMs = charge.waitMs(nowNs);
            if (waitMs > 0) {
                debts.add(new Surroundings.Debt(
                        charge.scope(),
                        -charge.quota().rate().available(charge.state().get(), nowNs),
                        charge.quota().rate().perSecond(),
                        waitMs,
                        waitMs >= Quota.MAX_WAIT_MS));
            }
        }
        return debts;
    }

    private void forgetFull(long nowNs) {
        byScope.values()
                .removeIf(charge -> charge.state().get() - charge.quota().rate().full(nowNs) <= 0);
        version.set(new Object());
    }
}

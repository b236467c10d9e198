package io.spillway.broker.session;

import io.spillway.broker.flow.FlowKey;
import io.spillway.protocol.v1.Hello;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Whose load a session is, and its part of the broker's memory. Thread-safe.
 *
 * @param key the failure domain is the label the client gives itself, its language by default
 * @param connection the bucket of the connection itself
 * @param violations what becomes of it when it sends without credit; confined to its event loop
 * @param hearsOfPressure whether it wants to be told of pressure
 */
record Load(
        FlowKey key,
        PublishBudget.Share memory,
        AtomicLong connection,
        CreditViolations violations,
        boolean hearsOfPressure) {
    private static final String UNKNOWN = "unknown";

    static Load of(
            Hello hello,
            String principal,
            PublishBudget budget,
            CreditViolations violations,
            boolean hearsOfPressure,
            long nowNs) {
        String domain = hello.getFailureDomain().isEmpty() ? hello.getLang() : hello.getFailureDomain();
        String known = domain.isEmpty() ? UNKNOWN : domain;
        return new Load(
                new FlowKey(known, principal),
                budget.open(known),
                Buckets.ofConnection(nowNs),
                violations,
                hearsOfPressure);
    }

    void close() {
        memory.close();
    }
}

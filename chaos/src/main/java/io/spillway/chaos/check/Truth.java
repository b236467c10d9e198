package io.spillway.chaos.check;

import io.spillway.chaos.history.Event;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/** What nodes say of their health. A node that gives no answer says nothing false. */
final class Truth {
    /** For so long a node may say that it is ready and leads after it has lost the majority. */
    static final long NO_MAJORITY_NS = 8_000_000_000L;
    /** For so long a node may say that it is ready and leads while clients reach it and nothing is acked. */
    static final long NO_ACK_NS = 12_000_000_000L;

    private Truth() {}

    static void noReadyLeaderIsWithoutMajority(Evidence evidence, Consumer<String> broken) {
        Map<String, Event.Health> since = new HashMap<>();
        for (Event.Health health : evidence.events(Event.Health.class)) {
            if (!health.ready() || !health.leads() || health.quorate()) {
                since.remove(health.who());
            } else {
                Event.Health first = since.putIfAbsent(health.who(), health);
                if (first != null && health.atNs() - first.atNs() > NO_MAJORITY_NS) {
                    broken.accept("from " + first + " to " + health);
                    since.put(health.who(), health);
                }
            }
        }
    }

    /** As long as somebody writes. */
    static void noReadyLeaderIsStuck(Evidence evidence, Consumer<String> broken) {
        Map<String, Event.Health> since = new HashMap<>();
        long lastInvokedNs = evidence.events(Event.Invoked.class).stream()
                .mapToLong(Event.Invoked::atNs)
                .max()
                .orElse(0);
        for (Event event : evidence.events()) {
            if (event.atNs() > lastInvokedNs) {
                return;
            }
            if (event instanceof Event.Acked) {
                since.clear();
            } else if (event instanceof Event.Health health) {
                if (!health.ready() || !health.leads() || !health.served()) {
                    since.remove(health.who());
                } else {
                    Event.Health first = since.putIfAbsent(health.who(), health);
                    if (first != null && health.atNs() - first.atNs() > NO_ACK_NS) {
                        broken.accept("from " + first + " to " + health);
                        since.put(health.who(), health);
                    }
                }
            }
        }
    }
}

package io.spillway.client;

import io.spillway.client.net.Clock;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.PressureState;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * What waits together after a refusal for load that concerns a topic, or what is published to it with one class: it stays in the
 * buffer rather than being sent and refused one by one. Confined to the network thread, but for {@link #letsOut} and
 * {@link #worst}.
 */
final class Holds {
    /** One batch is held back for longer the more often it is refused; the others are not. */
    private static final long MAX_HOLD_MS = 1_000;

    private static final int ANY_CLASS = Integer.MIN_VALUE;

    /** What is refused as well if it is sent before the time is over. */
    enum Reach {
        /** The broker did not say. */
        PARTITION,
        CLASS,
        TOPIC,
        /** Of the broker, the failure domain, the principal or the connection itself. */
        CONNECTION;

        static Reach of(Error refusal) {
            String scope = refusal.getMetadataOrDefault("scope", "");
            if (refusal.containsMetadata("shed_class")) {
                return CLASS;
            }
            if (scope.isEmpty()) {
                return PARTITION;
            }
            return scope.startsWith("topic:") || scope.startsWith("principal-topic:") ? TOPIC : CONNECTION;
        }
    }

    private record Held(String topic, int shedClass) {}

    private final Map<Held, KnownPressure> known = new ConcurrentHashMap<>();
    private final Clock clock;
    private final Consumer<Pressure> onChanged;

    Holds(Clock clock, Consumer<Pressure> onChanged) {
        this.clock = clock;
        this.onChanged = onChanged;
    }

    /** How long what was not refused itself waits. */
    static long holdMs(Error refusal, long waitMs) {
        return Math.min(waitMs, Math.max(MAX_HOLD_MS, Integer.toUnsignedLong(refusal.getRetryAfterMs())));
    }

    private static List<Held> of(ProducerContext producer) {
        return List.of(
                new Held(producer.topic(), ANY_CLASS),
                new Held(producer.topic(), producer.settings().shedClass()));
    }

    void refused(ProducerContext producer, Reach reach, Error error, long holdMs) {
        Held key = of(producer).get(reach == Reach.TOPIC ? 0 : 1);
        known.computeIfAbsent(key, held -> new KnownPressure(held.topic, clock, onChanged))
                .refused(error, holdMs);
    }

    /** Whether nothing of this topic has to wait. From any thread. */
    boolean letsOut(ProducerContext producer) {
        if (known.isEmpty()) {
            return true;
        }
        for (Held key : of(producer)) {
            KnownPressure held = known.get(key);
            if (held != null && !held.isGateOpen()) {
                return false;
            }
        }
        return true;
    }

    /** The worse of this and what is known of the topic. From any thread. */
    Pressure worst(Pressure than, ProducerContext producer) {
        Pressure worst = than;
        if (!known.isEmpty()) {
            for (Held key : of(producer)) {
                KnownPressure held = known.get(key);
                worst = held == null ? worst : worst.orWorse(held.now());
            }
        }
        return worst;
    }

    /** Something was stored that could have been refused as well. */
    void acked(ProducerContext producer) {
        if (!known.isEmpty()) {
            for (Held key : of(producer)) {
                KnownPressure held = known.get(key);
                if (held != null) {
                    held.acked(PressureState.P_NORMAL, 0);
                }
            }
        }
    }

    void tick() {
        if (!known.isEmpty()) {
            known.values().forEach(KnownPressure::tick);
            known.values().removeIf(KnownPressure::isOver);
        }
    }

    /** A new connection, to a broker that may be at ease. */
    void clear() {
        known.values().forEach(held -> held.connected(PressureState.P_NORMAL));
        known.clear();
    }
}

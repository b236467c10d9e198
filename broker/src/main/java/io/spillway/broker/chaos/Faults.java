package io.spillway.broker.chaos;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The faults that are injected into this node now. Whoever could be hit compares with {@link #NONE} first, which is all that
 * is there to be paid for while nobody rehearses. Thread-safe.
 */
public final class Faults {
    public static final Faults NONE = new Faults(List.of());

    private static final int ALL = 100;

    private final List<Injected> injected;

    /**
     * A fault, and how often it has hit.
     *
     * @param hits requests, syncs or calls; of a pause nothing is counted
     */
    public record Injected(Fault fault, LongAdder hits) {}

    private Faults(List<Injected> injected) {
        this.injected = List.copyOf(injected);
    }

    static Faults of(List<Injected> injected) {
        return injected.isEmpty() ? NONE : new Faults(injected);
    }

    /** The oldest first. */
    public List<Injected> all() {
        return injected;
    }

    /** The oldest first. */
    public List<Fault> list() {
        List<Fault> faults = new ArrayList<>(injected.size());
        injected.forEach(each -> faults.add(each.fault));
        return faults;
    }

    public boolean has(String id) {
        return injected.stream().anyMatch(each -> each.fault.id().equals(id));
    }

    /** The fault that hits this request, if one does; each request is drawn for anew. */
    public @Nullable Fault ofRequest(String topic, String principal, String domain, RandomGenerator random) {
        for (Injected each : injected) {
            boolean concerns = each.fault.kind().isOfRequests()
                    && each.fault.what().scope().hits(topic, principal, domain);
            if (concerns && isDrawn(each, random)) {
                return each.fault;
            }
        }
        return null;
    }

    /** The fault of a kind that hits this node now, if one does; each time is drawn for anew. */
    public @Nullable Fault ofNode(FaultKind kind, RandomGenerator random) {
        for (Injected each : injected) {
            if (each.fault.kind() == kind && isDrawn(each, random)) {
                return each.fault;
            }
        }
        return null;
    }

    private static boolean isDrawn(Injected each, RandomGenerator random) {
        int percent = each.fault.what().percent();
        boolean isHit = percent == ALL || random.nextInt(ALL) < percent;
        if (isHit) {
            each.hits.increment();
        }
        return isHit;
    }

    /** Why a group of a topic gets nothing, if it is a fault. A group is hit always or never; a reader has no name. */
    public @Nullable Fault pausing(String topic, String group) {
        for (Injected each : injected) {
            boolean concerns = each.fault.kind() == FaultKind.PAUSE_DISPATCH
                    && each.fault.what().scope().isOf(topic);
            if (concerns
                    && Math.floorMod(group.hashCode(), ALL) < each.fault.what().percent()) {
                return each.fault;
            }
        }
        return null;
    }

    /** Whether this node does not hear that one. */
    public boolean cuts(String peer) {
        for (Injected each : injected) {
            if (each.fault.kind() == FaultKind.PARTITION
                    && each.fault.what().scope().peers().contains(peer)) {
                each.hits.increment();
                return true;
            }
        }
        return false;
    }
}

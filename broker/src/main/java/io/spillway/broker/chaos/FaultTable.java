package io.spillway.broker.chaos;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.chaos.Faults.Injected;
import io.spillway.protocol.Code;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/** Begins and ends faults. Nothing of it is ever stored: a restart ends them all. Not thread-safe. */
public final class FaultTable {
    /** More would not be understood by anybody who looks. */
    public static final int MOST = 32;

    private final List<Injected> injected = new ArrayList<>();
    private final Map<FaultKind, LongAdder> endedHits;
    private Faults view = Faults.NONE;

    public FaultTable() {
        Map<FaultKind, LongAdder> hits = new EnumMap<>(FaultKind.class);
        for (FaultKind kind : FaultKind.values()) {
            hits.put(kind, new LongAdder());
        }
        endedHits = Collections.unmodifiableMap(hits);
    }

    /** Throws WRONG_STATE when there are too many. */
    public Faults add(Fault fault) {
        if (injected.size() >= MOST) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "the fault is not injected",
                    MOST + " are already",
                    "stop some: spillway chaos list, spillway chaos stop ID");
        }
        injected.add(new Injected(fault, new LongAdder()));
        return changed();
    }

    /** Those whose time is over, which have ended now. */
    public List<Injected> expire(long nowMs) {
        return end(injected.stream().filter(each -> each.fault().isOver(nowMs)).toList());
    }

    /** Those of that id, which have ended now; empty when there is none. */
    public List<Injected> remove(String id) {
        return end(
                injected.stream().filter(each -> each.fault().id().equals(id)).toList());
    }

    private List<Injected> end(List<Injected> ended) {
        if (!ended.isEmpty()) {
            injected.removeAll(ended);
            ended.forEach(each -> hits(each.fault().kind()).add(each.hits().sum()));
            changed();
        }
        return ended;
    }

    private Faults changed() {
        view = Faults.of(injected);
        return view;
    }

    public Faults view() {
        return view;
    }

    private LongAdder hits(FaultKind kind) {
        return Objects.requireNonNull(endedHits.get(kind));
    }

    /** Hits of a kind since the broker started, but for those of the faults in the view. From any thread. */
    public long endedHits(FaultKind kind) {
        return hits(kind).sum();
    }
}

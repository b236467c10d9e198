package io.spillway.broker.shard;

import io.spillway.broker.diagnose.Cause;
import io.spillway.broker.metrics.Histogram;
import io.spillway.protocol.v1.Durability;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/** What a shard counts. Written by the shard, read by the metrics. Thread-safe. */
public final class ShardCounters {
    public final LongAdder publishedBatches = new LongAdder();
    public final LongAdder publishedRecords = new LongAdder();
    public final LongAdder publishedBytes = new LongAdder();
    public final LongAdder duplicateBatches = new LongAdder();
    public final LongAdder duplicateKeys = new LongAdder();
    public final LongAdder keyConflicts = new LongAdder();
    public final LongAdder windowExceeded = new LongAdder();
    public final LongAdder keysInProgress = new LongAdder();
    public final LongAdder refusedPublishes = new LongAdder();
    public final LongAdder backlogRefused = new LongAdder();
    public final LongAdder backlogDropped = new LongAdder();
    public final LongAdder deliveredBatches = new LongAdder();
    public final LongAdder deliveredRecords = new LongAdder();
    public final LongAdder deliveredBytes = new LongAdder();
    public final LongAdder redeliveredFailed = new LongAdder();
    public final LongAdder redeliveredReturned = new LongAdder();
    public final LongAdder accepted = new LongAdder();
    /** Publishes refused because publishes waited for too long. */
    public final LongAdder shedByDelay = new LongAdder();

    public final LongAdder throttledByReplication = new LongAdder();
    public final LongAdder nacked = new LongAdder();
    public final LongAdder released = new LongAdder();
    public final LongAdder leasesExpired = new LongAdder();
    public final LongAdder leasesLost = new LongAdder();
    public final LongAdder handOffs = new LongAdder();
    public final LongAdder breakerTrips = new LongAdder();
    public final LongAdder corruptBatches = new LongAdder();
    public final LongAdder syncs = new LongAdder();
    public final LongAdder syncNanos = new LongAdder();
    public final Histogram syncTook = new Histogram();
    public final LongAdder snapshots = new LongAdder();
    private final Map<DeadLetter.Cause, LongAdder> deadLetters = new EnumMap<>(DeadLetter.Cause.class);
    private final Map<Durability, Histogram> ackTook = new EnumMap<>(Durability.class);
    private final Map<Cause, LongAdder> blockedMs = new EnumMap<>(Cause.class);

    /** What an ack can say that it reached. */
    public static final List<Durability> REACHED =
            List.of(Durability.DUR_MAPPED, Durability.DUR_SYNCED, Durability.DUR_QUORUM);

    ShardCounters() {
        for (DeadLetter.Cause cause : DeadLetter.Cause.values()) {
            deadLetters.put(cause, new LongAdder());
        }
        REACHED.forEach(reached -> ackTook.put(reached, new Histogram()));
        Cause.ofDispatch().forEach(cause -> blockedMs.put(cause, new LongAdder()));
    }

    /** Names of the causes of dead letters. */
    public static List<String> causes() {
        return Arrays.stream(DeadLetter.Cause.values()).map(Enum::name).toList();
    }

    public LongAdder deadLetters(String cause) {
        return deadLetters(DeadLetter.Cause.valueOf(cause));
    }

    LongAdder deadLetters(DeadLetter.Cause cause) {
        return Objects.requireNonNull(deadLetters.get(cause));
    }

    /** From the arrival of batches to their acks. */
    public Histogram ackTook(Durability reached) {
        return Objects.requireNonNull(ackTook.get(reached));
    }

    void acked(Durability reached, long us) {
        Histogram took = ackTook.get(reached);
        if (took != null) {
            took.add(us * 1_000);
        }
    }

    /** For how long groups were kept from delivering by this. */
    public LongAdder blockedMs(Cause cause) {
        return Objects.requireNonNull(blockedMs.get(cause));
    }

    boolean isOfDispatch(Cause cause) {
        return blockedMs.containsKey(cause);
    }
}

package io.spillway.broker.shard;

import java.util.concurrent.atomic.LongAdder;

/** What a shard counts. Written by the shard, read by the metrics. Thread-safe. */
public final class ShardCounters {
    public final LongAdder publishedBatches = new LongAdder();
    public final LongAdder publishedRecords = new LongAdder();
    public final LongAdder publishedBytes = new LongAdder();
    public final LongAdder duplicateBatches = new LongAdder();
    public final LongAdder duplicateKeys = new LongAdder();
    public final LongAdder keyConflicts = new LongAdder();
    public final LongAdder refusedPublishes = new LongAdder();
    public final LongAdder deliveredBatches = new LongAdder();
    public final LongAdder deliveredRecords = new LongAdder();
    public final LongAdder deliveredBytes = new LongAdder();
    public final LongAdder redeliveredRecords = new LongAdder();
    public final LongAdder accepted = new LongAdder();
    public final LongAdder nacked = new LongAdder();
    public final LongAdder released = new LongAdder();
    public final LongAdder leasesExpired = new LongAdder();
    public final LongAdder leasesLost = new LongAdder();
    public final LongAdder deadLetters = new LongAdder();
    public final LongAdder corruptBatches = new LongAdder();
    public final LongAdder syncs = new LongAdder();
    public final LongAdder syncNanos = new LongAdder();
    public final LongAdder snapshots = new LongAdder();
}

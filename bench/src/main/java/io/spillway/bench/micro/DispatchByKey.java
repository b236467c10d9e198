package io.spillway.bench.micro;

import io.spillway.broker.dispatch.KeySlots;
import io.spillway.broker.subscription.Lease;
import io.spillway.broker.subscription.Pick;
import io.spillway.broker.subscription.Selection;
import io.spillway.broker.subscription.SubscriptionState;
import io.spillway.protocol.KeyHash;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The bookkeeping of a KEY_ORDERED group: a batch arrives, what has its turn goes to each of four members, every record
 * is settled by itself. Per record.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class DispatchByKey {
    private static final int RECORDS = 128;
    private static final int MEMBERS = 4;
    private static final int WINDOW = 1 << 20;
    private static final int LEASE_MS = 30_000;

    @Param({"100", "100000"})
    int keys;

    private final KeySlots slots = new KeySlots();
    private final Pick pick = new Pick();
    private final Selection selection = new Selection();
    private final Selection none = new Selection();
    private final int[] hashes = new int[RECORDS];
    private final Random random = new Random(1);
    private long fence;
    private final SubscriptionState group =
            new SubscriptionState(0, SubscriptionState.MAX_SPAN, WINDOW, slots::ownerOf, () -> ++fence);

    @Setup
    public void join() {
        for (int i = 1; i <= MEMBERS; i++) {
            slots.join(i);
        }
    }

    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public long arrivesIsLeasedAndSettled() {
        long base = group.arrivalsFrom();
        for (int i = 0; i < RECORDS; i++) {
            hashes[i] = KeyHash.of(
                    Integer.toString(random.nextInt(keys)).getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        none.reset(base, RECORDS);
        group.arrive(base + RECORDS, at -> hashes[(int) (at - base)], none);
        boolean more = true;
        while (more) {
            more = false;
            for (int member = 1; member <= MEMBERS; member++) {
                more |= deliver(member, base);
            }
        }
        return group.cursor();
    }

    private boolean deliver(int member, long base) {
        if (!group.nextOf(member, 0, pick)) {
            return false;
        }
        selection.reset(base, RECORDS);
        group.claimOf(member, pick, RECORDS, selection);
        Lease lease = group.lease(selection, pick.attempt, pick.failures, member, LEASE_MS);
        lease.forEach(lease.from(), lease.to(), (from, to) -> {
            for (long at = from; at < to; at++) {
                group.settle(lease.fence(), at, at + 1, SubscriptionState.Outcome.ACCEPT);
                group.applySettled(at, at + 1);
            }
        });
        return true;
    }
}

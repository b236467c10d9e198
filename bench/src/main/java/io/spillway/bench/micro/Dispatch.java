package io.spillway.bench.micro;

import io.spillway.broker.dispatch.ConsumerSet;
import io.spillway.broker.dispatch.Member;
import io.spillway.broker.subscription.Lease;
import io.spillway.broker.subscription.Pick;
import io.spillway.broker.subscription.SubscriptionState;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** A group's bookkeeping: choose a member, lease it a batch, settle the batch, move the cursor. Per record. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class Dispatch {
    private static final int RECORDS = 128;
    private static final int MEMBERS = 4;
    private static final int WINDOW = 1 << 20;
    private static final int LEASE_MS = 30_000;
    private static final int BATCH_BYTES = 16 << 10;

    private final ConsumerSet members = new ConsumerSet();
    private final Pick pick = new Pick();
    private long fence;
    private final SubscriptionState group = new SubscriptionState(0, WINDOW, () -> ++fence);

    @Setup
    public void join() {
        for (int i = 1; i <= MEMBERS; i++) {
            members.add(i, WINDOW).grant(Long.MAX_VALUE, Long.MAX_VALUE);
        }
    }

    /** The batch is acked as one range, as clients do with what they settle together. */
    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public long ackedTogether() {
        Member member = Objects.requireNonNull(members.choose());
        Lease lease = lease(member);
        settle(member, lease, lease.from(), lease.to());
        return group.cursor();
    }

    /** Each record is acked by itself, last one first: what costs most. */
    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public long ackedBackwards() {
        Member member = Objects.requireNonNull(members.choose());
        Lease lease = lease(member);
        for (long offset = lease.to() - 1; offset >= lease.from(); offset--) {
            settle(member, lease, offset, offset + 1);
        }
        return group.cursor();
    }

    private Lease lease(Member member) {
        group.next(group.cursor() + RECORDS, 0, pick);
        Lease lease = group.lease(pick.from, pick.to, pick.attempt, pick.failures, member.id(), LEASE_MS);
        member.delivered((int) (pick.to - pick.from), BATCH_BYTES);
        return lease;
    }

    private void settle(Member member, Lease lease, long from, long to) {
        if (!group.settle(lease.fence(), from, to, SubscriptionState.Outcome.ACCEPT)) {
            throw new IllegalStateException("a lease was lost");
        }
        member.settled((int) (to - from));
        group.applySettled(from, to);
    }
}

package io.spillway.bench;

import io.spillway.broker.dispatch.KeySlots;
import io.spillway.broker.subscription.Lease;
import io.spillway.broker.subscription.Pick;
import io.spillway.broker.subscription.Selection;
import io.spillway.broker.subscription.SubscriptionState;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * What a group takes that has very many records out, and what an ack costs it: all are leased in batches of
 * {@value #BATCH}, then acked one by one in random order, so that for a long time hardly two neighbours are settled. The heap
 * is what is live after a collection, with everything out and with every second record acked; the last of several rounds
 * counts, the others warm up.
 */
public final class UnackedRecords {
    private static final int BATCH = 128;
    private static final int ROUNDS = 5;
    private static final int LEASE_MS = 30_000;
    private static final int MEMBER = 1;

    private final int records;
    private final boolean byKey;
    private final Random random = new Random(1);
    private final KeySlots slots = new KeySlots();
    private final Pick pick = new Pick();
    private final List<Lease> leases = new ArrayList<>();
    private long fence;

    private UnackedRecords(int records, boolean byKey) {
        this.records = records;
        this.byKey = byKey;
        slots.join(MEMBER);
    }

    /** Usage: RECORDS. */
    public static void main(String[] args) {
        int records = Integer.parseInt(args[0]);
        for (boolean byKey : new boolean[] {false, true}) {
            for (int round = 1; round <= ROUNDS; round++) {
                new UnackedRecords(records, byKey).run(round == ROUNDS ? System.out : null);
            }
        }
    }

    private void run(@Nullable PrintStream out) {
        long[] order = shuffled();
        long before = liveBytes();
        SubscriptionState group = new SubscriptionState(
                0, SubscriptionState.MAX_SPAN, 2 * records, byKey ? slots::ownerOf : null, () -> ++fence);
        for (long from = 0; from < records; from += BATCH) {
            leases.add(byKey ? leaseByKey(group, from) : lease(group, from));
        }
        long outBytes = liveBytes() - before;
        long startNs = System.nanoTime();
        ack(group, order, 0, records / 2);
        long halfNs = System.nanoTime() - startNs;
        long halfBytes = liveBytes() - before;
        startNs = System.nanoTime();
        ack(group, order, records / 2, records);
        long restNs = System.nanoTime() - startNs;
        if (group.cursor() != records) {
            throw new IllegalStateException("the cursor stands at " + group.cursor() + " of " + records);
        }
        if (out != null) {
            out.printf(
                    "%-11s  %,d out: %,d KiB live; every second acked: %,d KiB; an ack: %d ns, then %d ns%n",
                    byKey ? "KEY_ORDERED" : "SHARED",
                    records,
                    outBytes >> 10,
                    halfBytes >> 10,
                    halfNs / (records / 2),
                    restNs / (records / 2));
        }
    }

    private long[] shuffled() {
        long[] order = new long[records];
        for (int i = 0; i < records; i++) {
            int at = random.nextInt(i + 1);
            order[i] = order[at];
            order[at] = i;
        }
        return order;
    }

    private Lease lease(SubscriptionState group, long from) {
        if (!group.next(from + BATCH, 0, pick)) {
            throw new IllegalStateException("nothing can be leased at " + from);
        }
        return group.lease(pick.from, pick.to, pick.attempt, pick.failures, MEMBER, LEASE_MS);
    }

    /** Each record has a key of its own, so that all can be out at once. */
    private Lease leaseByKey(SubscriptionState group, long from) {
        Selection none = new Selection();
        none.reset(from, BATCH);
        group.arrive(from + BATCH, at -> (int) (at * 0x9E3779B1L) | 1, none);
        if (!group.nextOf(MEMBER, 0, pick)) {
            throw new IllegalStateException("nothing can be leased at " + from);
        }
        Selection selection = new Selection();
        selection.reset(from, BATCH);
        group.claimOf(MEMBER, pick, BATCH, selection);
        return group.lease(selection, pick.attempt, pick.failures, MEMBER, LEASE_MS);
    }

    private void ack(SubscriptionState group, long[] order, int from, int to) {
        for (int i = from; i < to; i++) {
            long offset = order[i];
            Lease lease = leases.get((int) (offset / BATCH));
            if (!group.settle(lease.fence(), offset, offset + 1, SubscriptionState.Outcome.ACCEPT)) {
                throw new IllegalStateException("record " + offset + " is not out");
            }
            group.applySettled(offset, offset + 1);
        }
    }

    private static long liveBytes() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}

package io.spillway.client;

import io.netty.buffer.ByteBufAllocator;
import io.spillway.client.net.Errors;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.PublishAck;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Records of one partition that an ack refused because another sending of their idempotency key is not durable yet. They wait
 * in a batch of their own for as long as the broker says, and are then sent under a new sequence, until their time is
 * over. Confined to the network thread.
 */
final class KeysInProgress {
    private static final long DEFAULT_WAIT_MS = 100;
    /** Less time than this is not worth another attempt. */
    private static final long MIN_ATTEMPT_MS = 50;

    private final ByteBufAllocator allocator;
    private final ArrayDeque<PendingBatch> waiting = new ArrayDeque<>(0);

    KeysInProgress(ByteBufAllocator allocator) {
        this.allocator = allocator;
    }

    /**
     * Takes such records out of their batch, if there is time for another attempt.
     *
     * @return the bytes of buffer that they keep
     */
    long takeFrom(PendingBatch batch, PublishAck ack, long nowNs) {
        if (batch.abandoned || ack.getErrorsCount() == 0) {
            return 0;
        }
        BitSet again = new BitSet();
        long waitMs = 0;
        for (ItemError refused : ack.getErrorsList()) {
            if (Errors.is(refused.getError(), Code.IDEMPOTENCY_IN_PROGRESS)) {
                int to = Math.min(batch.count(), refused.getIndex() + Math.max(1, refused.getCount()));
                again.set(Math.min(to, refused.getIndex()), to);
                waitMs = Math.max(
                        waitMs, Integer.toUnsignedLong(refused.getError().getRetryAfterMs()));
            }
        }
        waitMs = waitMs == 0 ? DEFAULT_WAIT_MS : waitMs;
        long leftMs = (batch.deadlineNs() - nowNs) / 1_000_000;
        if (again.isEmpty() || waitMs + MIN_ATTEMPT_MS > leftMs) {
            return 0;
        }
        PendingBatch later = batch.split(again, allocator);
        later.notBeforeNs = nowNs + waitMs * 1_000_000;
        waiting.add(later);
        return later.reservedBytes();
    }

    /** Those whose time has come. */
    List<PendingBatch> takeDue(long nowNs) {
        if (waiting.isEmpty()) {
            return List.of();
        }
        List<PendingBatch> due =
                waiting.stream().filter(batch -> batch.notBeforeNs - nowNs <= 0).toList();
        waiting.removeAll(due);
        return due;
    }

    List<PendingBatch> takeAll() {
        List<PendingBatch> all = List.copyOf(waiting);
        waiting.clear();
        return all;
    }

    List<PendingBatch> all() {
        return new ArrayList<>(waiting);
    }
}

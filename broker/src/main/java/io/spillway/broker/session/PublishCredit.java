package io.spillway.broker.session;

import io.spillway.protocol.Limits;
import io.spillway.protocol.v1.Credit;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * What one publisher may send: totals since it was opened, which never shrink. Bytes that may be unanswered are the
 * connection's window, or less while publishes of the failure domain wait too long for their turn; a batch as large as its
 * last one is always among them, and the largest there can be while nothing is unanswered, so that who begins never waits.
 * Taking is confined to the event loop, the rest is thread-safe.
 */
final class PublishCredit {
    private final SessionConfig config;
    private final String domain;
    private final Supplier<Map<String, Long>> windows;
    private final AtomicLong receivedBatches = new AtomicLong();
    private final AtomicLong receivedBytes = new AtomicLong();
    private final AtomicLong answeredBatches = new AtomicLong();
    private final AtomicLong answeredBytes = new AtomicLong();
    private final AtomicLong grantedBytes;
    private final AtomicLong toldBatches;

    /** @param windows by failure domain, bytes that may be unanswered, where that is less than the connection's window */
    PublishCredit(SessionConfig config, String domain, Supplier<Map<String, Long>> windows) {
        this.config = config;
        this.domain = domain;
        this.windows = windows;
        grantedBytes = new AtomicLong(windowBytes(Limits.MAX_BATCH_BYTES));
        toldBatches = new AtomicLong(config.windowBatches());
    }

    /** Whether another batch may come; one that begins within the credit may go beyond it. */
    boolean isLeft() {
        return receivedBatches.get() < answeredBatches.get() + config.windowBatches()
                && receivedBytes.get() < grantedBytes.get();
    }

    void received(int bytes) {
        // One writer: nothing is gained by a barrier.
        receivedBatches.lazySet(receivedBatches.get() + 1);
        receivedBytes.lazySet(receivedBytes.get() + bytes);
    }

    void answered(int bytes) {
        answeredBatches.incrementAndGet();
        answeredBytes.addAndGet(bytes);
    }

    /** As it is to be told with the answer to a batch of this size. */
    Credit after(int bytes) {
        long answered = answeredBytes.get();
        boolean isIdle = receivedBytes.get() <= answered;
        long window = windowBytes(isIdle ? Limits.MAX_BATCH_BYTES : bytes);
        return Credit.newBuilder()
                .setMaxBatches(toldBatches.accumulateAndGet(answeredBatches.get() + config.windowBatches(), Math::max))
                .setMaxBytes(grantedBytes.accumulateAndGet(answered + window, Math::max))
                .build();
    }

    /** Whether nothing is unanswered and less than a batch may be sent, so that no ack will tell of more. */
    boolean isStuck() {
        long received = receivedBytes.get();
        long leastBytes = Math.min(Limits.MAX_BATCH_BYTES, config.windowBytes());
        return received <= answeredBytes.get()
                && (grantedBytes.get() - received < leastBytes || toldBatches.get() <= receivedBatches.get());
    }

    private long windowBytes(int leastBytes) {
        Map<String, Long> narrow = windows.get();
        if (narrow.isEmpty()) {
            return config.windowBytes();
        }
        long own = narrow.getOrDefault(domain, config.windowBytes());
        return Math.min(config.windowBytes(), Math.max(own, leastBytes));
    }
}

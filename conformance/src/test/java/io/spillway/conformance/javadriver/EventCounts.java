package io.spillway.conformance.javadriver;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.client.ClientMetrics;
import io.spillway.client.SpillwayException;
import java.util.concurrent.atomic.AtomicLong;

/** What the metrics hook of one client has seen. Thread-safe. */
final class EventCounts implements ClientMetrics {
    private final AtomicLong connected = new AtomicLong();
    private final AtomicLong disconnected = new AtomicLong();
    private final AtomicLong batchesSent = new AtomicLong();
    private final AtomicLong batchesResent = new AtomicLong();
    private final AtomicLong batchesAcked = new AtomicLong();
    private final AtomicLong recordsFailed = new AtomicLong();
    private final AtomicLong throttled = new AtomicLong();
    private final AtomicLong batchesReceived = new AtomicLong();

    @Override
    public void onConnected(String endpoint) {
        connected.incrementAndGet();
    }

    @Override
    public void onDisconnected(String endpoint, SpillwayException cause) {
        disconnected.incrementAndGet();
    }

    @Override
    public void onBatchSent(String topic, int partition, int records, int bytes, int attempt) {
        batchesSent.incrementAndGet();
        if (attempt > 1) {
            batchesResent.incrementAndGet();
        }
    }

    @Override
    public void onBatchAcked(String topic, int partition, int records, long latencyNs) {
        batchesAcked.incrementAndGet();
    }

    @Override
    public void onPublishFailed(String topic, int partition, int records, SpillwayException error) {
        recordsFailed.addAndGet(records);
    }

    @Override
    public void onThrottled(String scope, long retryAfterMs) {
        throttled.incrementAndGet();
    }

    @Override
    public void onBatchReceived(String topic, int partition, int records, int bytes) {
        batchesReceived.incrementAndGet();
    }

    ObjectNode answer() {
        return Wire.object()
                .put("connected", connected.get())
                .put("disconnected", disconnected.get())
                .put("batches_sent", batchesSent.get())
                .put("batches_resent", batchesResent.get())
                .put("batches_acked", batchesAcked.get())
                .put("records_failed", recordsFailed.get())
                .put("throttled", throttled.get())
                .put("batches_received", batchesReceived.get());
    }
}

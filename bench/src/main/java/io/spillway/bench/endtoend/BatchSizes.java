package io.spillway.bench.endtoend;

import io.spillway.client.ClientMetrics;
import java.util.concurrent.atomic.LongAdder;

/** How many records a client puts in a batch, so that the baseline can append the same batches. Thread-safe. */
final class BatchSizes implements ClientMetrics {
    private final LongAdder batches = new LongAdder();
    private final LongAdder records = new LongAdder();

    @Override
    public void onBatchSent(String topic, int partition, int sentRecords, int bytes, int attempt) {
        batches.increment();
        records.add(sentRecords);
    }

    /** Records per batch since the last call, rounded; at least 1. */
    int averageAndReset() {
        long sentBatches = batches.sumThenReset();
        long sentRecords = records.sumThenReset();
        return sentBatches == 0 ? 1 : Math.max(1, (int) Math.round((double) sentRecords / sentBatches));
    }
}

package io.spillway.client;

import io.spillway.protocol.v1.Credit;

/**
 * What one open publisher handle may send: totals since it was opened, so that a grant that comes twice or late does no
 * harm. Confined to the network thread.
 */
final class PublishCredit {
    private final boolean bounded;
    private long maxBatches;
    private long maxBytes;
    private long batches;
    private long bytes;

    /** @param bounded false when the broker grants nothing at all, that is, does not use credit */
    PublishCredit(boolean bounded) {
        this.bounded = bounded;
    }

    void grant(Credit credit) {
        maxBatches = Math.max(maxBatches, credit.getMaxBatches());
        maxBytes = Math.max(maxBytes, credit.getMaxBytes());
    }

    boolean admits(int batchBytes) {
        return !bounded || (batches < maxBatches && bytes + batchBytes <= maxBytes);
    }

    void use(int batchBytes) {
        batches++;
        bytes += batchBytes;
    }

    @Override
    public String toString() {
        return batches + " of " + maxBatches + " batches and " + bytes + " of " + maxBytes + " bytes are used";
    }
}

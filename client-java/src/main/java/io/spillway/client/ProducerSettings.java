package io.spillway.client;

/** What a producer is set to; {@link ProducerBuilder} says what each means. */
record ProducerSettings(
        Durability durability,
        boolean allowDegraded,
        long lingerNs,
        int maxBatchBytes,
        long bufferBytes,
        long maxBlockNs,
        long deliveryTimeoutMs,
        String name,
        int shedClass) {
    /** The broker takes the topic's. */
    static final int TOPICS = -1;
}

package io.spillway.client;

import java.time.Duration;

/** Settings of a {@link Producer}. Not thread-safe. */
public interface ProducerBuilder {
    /** The least durability an ack stands for. Default: what the topic is configured for. */
    ProducerBuilder durability(Durability level);

    /** Whether less durability than asked for is an ack marked degraded rather than an error. Default false. */
    ProducerBuilder allowDegraded(boolean allow);

    /**
     * How long a record may wait for company. Default zero: records are sent at once while little is under way, and
     * gather while acks are awaited. At most 1 min.
     */
    ProducerBuilder linger(Duration wait);

    /** A batch is sent when it has this many bytes. 1 KiB to 1 MiB, default 64 KiB. */
    ProducerBuilder maxBatchBytes(int bytes);

    /** Bytes of records that may be without outcome. At least 1 KiB, default 32 MiB. */
    ProducerBuilder bufferBytes(long bytes);

    /** How long publish waits for space in the buffer; zero fails at once. Default 5 s. */
    ProducerBuilder maxBlock(Duration wait);

    /** From publish to outcome, all attempts together. 1 ms to 1 day, default 30 s. */
    ProducerBuilder deliveryTimeout(Duration timeout);

    /**
     * A name under which the broker remembers the producer. Opening it again fences the earlier one off: its publishes
     * fail with PRODUCER_FENCED. Default: none, every producer is its own.
     */
    ProducerBuilder name(String producerName);

    /**
     * How much its records matter to a broker that has to refuse some: 3 goes first, when it is busy, 2 when it is
     * overloaded; 1 and 0 are not refused by class. 0 to 3; default: the topic's, which is 2 unless it is set.
     */
    ProducerBuilder shedClass(int number);

    /** Opens it. Throws TOPIC_NOT_FOUND, DURABILITY_UNAVAILABLE, INVALID_ARGUMENT, or DEADLINE_EXCEEDED after the request timeout. */
    Producer open();
}

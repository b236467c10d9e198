package io.spillway.client;

import java.time.Duration;
import java.util.function.Function;

/** The settings of a producer being built. Not thread-safe. */
final class ProducerOptions implements ProducerBuilder {
    private final Function<ProducerSettings, Producer> opener;
    private Durability durability = Durability.DEFAULT;
    private boolean allowDegraded;
    private Duration linger = Duration.ZERO;
    private int maxBatchBytes = 64 << 10;
    private long bufferBytes = 32 << 20;
    private Duration maxBlock = Duration.ofSeconds(5);
    private Duration deliveryTimeout = Duration.ofSeconds(30);
    private String name = "";
    private int shedClass = ProducerSettings.TOPICS;

    ProducerOptions(Function<ProducerSettings, Producer> opener) {
        this.opener = opener;
    }

    @Override
    public ProducerBuilder durability(Durability level) {
        durability = level;
        return this;
    }

    @Override
    public ProducerBuilder allowDegraded(boolean allow) {
        allowDegraded = allow;
        return this;
    }

    @Override
    public ProducerBuilder linger(Duration wait) {
        linger = Arguments.between("linger", wait, Duration.ZERO, Duration.ofMinutes(1));
        return this;
    }

    @Override
    public ProducerBuilder maxBatchBytes(int bytes) {
        maxBatchBytes = (int) Arguments.between("maxBatchBytes", bytes, 1 << 10, 1 << 20);
        return this;
    }

    @Override
    public ProducerBuilder bufferBytes(long bytes) {
        bufferBytes = Arguments.between("bufferBytes", bytes, 1 << 10, 1L << 40);
        return this;
    }

    @Override
    public ProducerBuilder maxBlock(Duration wait) {
        maxBlock = Arguments.between("maxBlock", wait, Duration.ZERO, Duration.ofDays(1));
        return this;
    }

    @Override
    public ProducerBuilder deliveryTimeout(Duration timeout) {
        deliveryTimeout = Arguments.between("deliveryTimeout", timeout, Duration.ofMillis(1), Duration.ofDays(1));
        return this;
    }

    @Override
    public ProducerBuilder name(String producerName) {
        name = Arguments.notEmpty("the producer's name", producerName);
        return this;
    }

    @Override
    public ProducerBuilder shedClass(int number) {
        shedClass = (int) Arguments.between("shedClass", number, 0, 3);
        return this;
    }

    @Override
    public Producer open() {
        return opener.apply(new ProducerSettings(
                durability,
                allowDegraded,
                linger.toNanos(),
                maxBatchBytes,
                bufferBytes,
                maxBlock.toNanos(),
                deliveryTimeout.toMillis(),
                name,
                shedClass));
    }
}

package io.spillway.bench.endtoend;

import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.PublishAck;
import io.spillway.client.PublishCallback;
import io.spillway.client.SpillwayException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Publishes as fast as acks allow, one record again and again or each under a key of its own. Use once, on one thread. */
final class PublishLoad implements PublishCallback {
    private static final Duration FLUSH = Duration.ofSeconds(60);
    /** Records between two looks at the clock. */
    private static final int STRIDE = 256;

    /** How many records were acked, and in what time from the first publish to the last ack. */
    record Outcome(long records, double seconds) {
        double perSecond() {
            return records / seconds;
        }
    }

    private final Producer producer;
    private final Supplier<OutgoingRecord> source;
    /** Of the client's network thread until flush returns. */
    private long acked;

    private @Nullable SpillwayException failure;

    PublishLoad(Producer producer, byte[] value) {
        this.producer = producer;
        OutgoingRecord record = OutgoingRecord.of(value);
        source = () -> record;
    }

    /** Each record is made anew. */
    static PublishLoad ofNewRecords(Producer producer, byte[] value) {
        return new PublishLoad(producer, () -> OutgoingRecord.builder(value).build());
    }

    /** Each record is made anew and has an idempotency key that no other has. */
    static PublishLoad withKeys(Producer producer, byte[] value) {
        return new PublishLoad(producer, new UniqueKeys(value));
    }

    private PublishLoad(Producer producer, Supplier<OutgoingRecord> source) {
        this.producer = producer;
        this.source = source;
    }

    private static final class UniqueKeys implements Supplier<OutgoingRecord> {
        private static final int KEY_BYTES = 16;

        private final byte[] value;
        private long next;

        UniqueKeys(byte[] value) {
            this.value = value;
        }

        @Override
        public OutgoingRecord get() {
            byte[] key = new byte[KEY_BYTES];
            ByteBuffer.wrap(key).putLong(++next * 0x9e3779b97f4a7c15L).putLong(next);
            return OutgoingRecord.builder(value).idempotencyKey(key).build();
        }
    }

    Outcome forSeconds(int seconds) {
        return run(Long.MAX_VALUE, seconds * 1_000_000_000L);
    }

    Outcome records(long records) {
        return run(records, Long.MAX_VALUE);
    }

    private Outcome run(long records, long limitNs) {
        long startNs = System.nanoTime();
        long published = 0;
        while (published < records && System.nanoTime() - startNs < limitNs) {
            long until = Math.min(records, published + STRIDE);
            for (; published < until; published++) {
                producer.publish(source.get(), this);
            }
        }
        producer.flush(FLUSH);
        double seconds = (System.nanoTime() - startNs) / 1e9;
        if (failure != null) {
            throw failure;
        }
        if (acked != published) {
            throw new IllegalStateException(acked + " of " + published + " records were acked");
        }
        return new Outcome(published, seconds);
    }

    @Override
    public void onOutcome(@Nullable PublishAck ack, @Nullable SpillwayException error) {
        if (error != null) {
            failure = error;
        } else {
            acked++;
        }
    }
}

package io.spillway.bench.peers;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteBufferDeserializer;

/** A consumer of Kafka on a thread of its own, which commits after each poll. */
final class KafkaReading implements Peer.Consuming {
    private static final Duration POLL = Duration.ofMillis(100);

    /** A consumer of either kind of group. */
    interface Source extends AutoCloseable {
        ConsumerRecords<byte[], ByteBuffer> poll();

        void commit();

        /** Commits and waits for it. */
        @Override
        void close();
    }

    private final Source source;
    private final Consumer<ByteBuffer> show;
    private final Thread thread;
    private volatile boolean closed;

    KafkaReading(Source source, Consumer<ByteBuffer> show) {
        this.source = source;
        this.show = show;
        thread = new Thread(this::run);
        thread.start();
    }

    /** A classic group keeps an offset; there are no acks of single records. */
    static Source inGroup(Properties settings, String topic) {
        KafkaConsumer<byte[], ByteBuffer> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteBufferDeserializer());
        consumer.subscribe(List.of(topic));
        return new Source() {
            @Override
            public ConsumerRecords<byte[], ByteBuffer> poll() {
                return consumer.poll(POLL);
            }

            @Override
            public void commit() {
                consumer.commitAsync();
            }

            @Override
            public void close() {
                try (consumer) {
                    consumer.commitSync();
                }
            }
        };
    }

    /** What was polled is acked, each record by itself, with the commit. */
    static Source inShareGroup(Properties settings, String topic) {
        KafkaShareConsumer<byte[], ByteBuffer> consumer =
                new KafkaShareConsumer<>(settings, new ByteArrayDeserializer(), new ByteBufferDeserializer());
        consumer.subscribe(List.of(topic));
        return new Source() {
            @Override
            public ConsumerRecords<byte[], ByteBuffer> poll() {
                return consumer.poll(POLL);
            }

            @Override
            public void commit() {
                consumer.commitAsync();
            }

            @Override
            public void close() {
                try (consumer) {
                    consumer.commitSync();
                }
            }
        };
    }

    private void run() {
        try (source) {
            while (!closed) {
                ConsumerRecords<byte[], ByteBuffer> records = source.poll();
                for (ConsumerRecord<byte[], ByteBuffer> record : records) {
                    show.accept(record.value());
                }
                if (!records.isEmpty()) {
                    source.commit();
                }
            }
        }
    }

    @Override
    public void flush() throws InterruptedException {
        closed = true;
        thread.join();
    }

    @Override
    public void close() throws InterruptedException {
        flush();
    }
}

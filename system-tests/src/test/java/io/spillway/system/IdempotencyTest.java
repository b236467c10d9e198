package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.PublishAck;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import io.spillway.protocol.Code;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class IdempotencyTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    private static OutgoingRecord keyed(String key, String value) {
        return OutgoingRecord.builder(value.getBytes(StandardCharsets.UTF_8))
                .idempotencyKey(key)
                .build();
    }

    @Test
    void answersARepeatedKeyWithTheFirstResultAlsoAfterAKill() {
        try (BrokerProcess broker = BrokerProcess.start(directory.resolve("data"));
                SpillwayClient client = broker.client();
                SpillwayClient other = broker.client()) {
            client.admin().createTopic("orders", 3, Map.of());
            try (Producer producer = client.producer("orders").open();
                    Producer second = other.producer("orders").open()) {
                PublishAck first = producer.publishAndWait(keyed("a", "one"), SOON);
                producer.publishAndWait(keyed("b", "two"), SOON);

                repeats(second.publishAndWait(keyed("a", "one"), SOON), first);
                broker.kill9();
                broker.start();
                repeats(second.publishAndWait(keyed("a", "one"), SOON), first);
                assertThatThrownBy(() -> producer.publishAndWait(keyed("a", "other"), SOON))
                        .isInstanceOfSatisfying(
                                SpillwayException.class,
                                e -> assertThat(e.is(Code.IDEMPOTENCY_CONFLICT))
                                        .as("%s", e)
                                        .isTrue());
            }
            assertThat(client.admin().describeTopic("orders").records()).isEqualTo(2);
        }
    }

    private static void repeats(PublishAck ack, PublishAck first) {
        assertThat(ack.duplicate()).isTrue();
        assertThat(ack.partition()).isEqualTo(first.partition());
        assertThat(ack.offset()).isEqualTo(first.offset());
        assertThat(ack.appendTimeMs()).isEqualTo(first.appendTimeMs());
    }

    /** One batch of the largest size, every record of it refused or a duplicate: the answer still fits a frame. */
    @Test
    void answersForEveryRecordOfAFullBatch() {
        int records = 4_096;
        try (BrokerProcess broker = BrokerProcess.start(directory.resolve("data"));
                SpillwayClient client = broker.client()) {
            client.admin().createTopic("orders", 1, Map.of("durability", "mapped"));
            try (Producer producer = client.producer("orders")
                    .maxBatchBytes(1 << 20)
                    .linger(Duration.ofSeconds(1))
                    .open()) {
                List<PublishAck> first = publish(producer, records, "one").stream()
                        .map(CompletableFuture::join)
                        .toList();
                List<CompletableFuture<PublishAck>> same = publish(producer, records, "one");
                List<CompletableFuture<PublishAck>> other = publish(producer, records, "other");

                for (int i = 0; i < records; i++) {
                    repeats(same.get(i).join(), first.get(i));
                    assertThatThrownBy(other.get(i)::join)
                            .cause()
                            .isInstanceOfSatisfying(SpillwayException.class, e -> {
                                assertThat(e.is(Code.IDEMPOTENCY_CONFLICT)).isTrue();
                                assertThat(e.what()).contains("orders/0");
                                assertThat(e.nextStep()).isNotEmpty();
                            });
                    assertThat(other.get(i)
                                    .handle((ack, e) -> ((SpillwayException) e).details())
                                    .join())
                            .containsEntry(
                                    "first_offset", Long.toString(first.get(i).offset()));
                }
            }
        }
    }

    private static List<CompletableFuture<PublishAck>> publish(Producer producer, int records, String value) {
        List<CompletableFuture<PublishAck>> acks = new ArrayList<>();
        for (int i = 0; i < records; i++) {
            acks.add(producer.publish(keyed("k" + i, value)));
        }
        producer.flush(SOON);
        return acks;
    }

    @Test
    void storesOneOfManyCopiesSentAtOnce() {
        try (BrokerProcess broker = BrokerProcess.start(directory.resolve("data"));
                SpillwayClient client = broker.client();
                SpillwayClient other = broker.client()) {
            client.admin().createTopic("orders", 1, Map.of("durability", "mapped"));
            List<CompletableFuture<PublishAck>> acks = new ArrayList<>();
            try (Producer one = client.producer("orders").open();
                    Producer two = other.producer("orders").open()) {
                for (int i = 0; i < 5_000; i++) {
                    OutgoingRecord record = keyed("key-" + i % 1_000, "value-" + i % 1_000);
                    acks.add(one.publish(record));
                    acks.add(two.publish(record));
                }
                one.flush(SOON);
                two.flush(SOON);
            }

            Set<Long> offsets = new HashSet<>();
            long fresh = 0;
            for (CompletableFuture<PublishAck> ack : acks) {
                offsets.add(ack.join().offset());
                fresh += ack.join().duplicate() ? 0 : 1;
            }
            assertThat(client.admin().describeTopic("orders").records()).isEqualTo(1_000);
            assertThat(offsets).hasSize(1_000);
            assertThat(fresh).isEqualTo(1_000);
        }
    }
}

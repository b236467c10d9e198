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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
    void storesOneOfManyCopiesSentAtOnceOverManyConnections() {
        int connections = 16;
        int keys = 500;
        List<SpillwayClient> clients = new ArrayList<>();
        try (BrokerProcess broker = BrokerProcess.start(directory.resolve("data"))) {
            for (int i = 0; i < connections; i++) {
                clients.add(broker.client());
            }
            clients.get(0).admin().createTopic("orders", 3, Map.of());
            Map<String, List<CompletableFuture<PublishAck>>> byKey = new HashMap<>();
            List<Producer> producers = clients.stream()
                    .map(client -> client.producer("orders").open())
                    .toList();
            for (int round = 0; round < 2; round++) {
                for (int i = 0; i < keys; i++) {
                    for (Producer producer : producers) {
                        byKey.computeIfAbsent("key-" + i, key -> new ArrayList<>())
                                .add(producer.publish(keyed("key-" + i, "value-" + i)));
                    }
                }
            }
            producers.forEach(Producer::close);

            byKey.forEach((key, acks) -> {
                List<PublishAck> results =
                        acks.stream().map(CompletableFuture::join).toList();
                assertThat(results).as(key).hasSize(2 * connections);
                assertThat(results).as(key).filteredOn(ack -> !ack.duplicate()).hasSize(1);
                assertThat(results)
                        .as(key)
                        .extracting(PublishAck::partition)
                        .containsOnly(results.get(0).partition());
                assertThat(results)
                        .as(key)
                        .extracting(PublishAck::offset)
                        .containsOnly(results.get(0).offset());
                assertThat(results)
                        .as(key)
                        .extracting(PublishAck::appendTimeMs)
                        .containsOnly(results.get(0).appendTimeMs());
            });
            assertThat(clients.get(0).admin().describeTopic("orders").records()).isEqualTo(keys);
        } finally {
            clients.forEach(SpillwayClient::close);
        }
    }
}

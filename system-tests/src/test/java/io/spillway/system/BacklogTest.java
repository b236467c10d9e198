package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a publisher and a consumer see of a topic that bounds its backlog. */
@Timeout(120)
class BacklogTest {
    private static final int BOUND = 100;
    private static final int RECORDS = 500;

    @TempDir
    Path directory;

    @Test
    void aPublisherWaitsForTheConsumerAndLosesNothing() throws Exception {
        try (BrokerProcess broker = BrokerProcess.start(directory.resolve("data"));
                SpillwayClient client = broker.client()) {
            client.admin().createTopic("orders", 1, Map.of("backlog.records", Integer.toString(BOUND)));
            CompletableFuture<Void> published = CompletableFuture.runAsync(() -> publish(client));
            await("the topic to be full")
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> client.admin().describeTopic("orders").records() >= BOUND);
            assertThat(published).isNotDone();

            List<Long> consumed = new ArrayList<>();
            try (Subscription subscription = client.subscribe("orders")
                    .group("billing")
                    .start(StartPosition.earliest())
                    .open()) {
                while (consumed.size() < RECORDS) {
                    List<Message> some = subscription.poll(50, Duration.ofSeconds(30));
                    assertThat(some).as("after %d records", consumed.size()).isNotEmpty();
                    for (Message message : some) {
                        consumed.add(Numbers.numberOf(message.value()));
                        message.ack();
                    }
                }
            }

            published.join();
            assertThat(consumed).doesNotHaveDuplicates().hasSize(RECORDS);
        }
    }

    private static void publish(SpillwayClient client) {
        try (Producer producer = client.producer("orders").open()) {
            List<CompletableFuture<?>> acks = new ArrayList<>();
            for (int i = 0; i < RECORDS; i++) {
                acks.add(producer.publish(OutgoingRecord.of(Numbers.value(i))));
                if (i % 10 == 9) {
                    CompletableFuture.allOf(acks.toArray(CompletableFuture[]::new))
                            .join();
                    acks.clear();
                }
            }
        }
    }
}

package io.spillway.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.protocol.Code;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A producer against a broker that fails at random: whatever happens, an acked record is stored once, at its offset and in
 * order, and one that failed safely is not stored.
 */
@Timeout(120)
final class ProducerFaultsTest {
    private static final int RECORDS = 4_000;

    private final FakeBroker broker = new FakeBroker();

    @AfterEach
    void close() {
        broker.close();
    }

    /** Three that stay and one that is new each time; the report shows it. */
    static LongStream seeds() {
        return LongStream.of(1, 2, 8, new SplittableRandom().nextLong());
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void keepsItsPromises(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        broker.on(() -> {
            broker.topics.create("orders", 1);
            broker.topics.maxInFlight = 1 + random.nextInt(32);
            return null;
        });
        List<CompletableFuture<PublishAck>> acks = new ArrayList<>();
        try (SpillwayClient client =
                        SpillwayClient.builder().endpoints(broker.endpoint()).connect();
                Producer producer = client.producer("orders")
                        .maxBatchBytes(1 << 10)
                        .bufferBytes(8 << 10)
                        .maxBlock(Duration.ofSeconds(20))
                        .deliveryTimeout(Duration.ofSeconds(20))
                        .open()) {
            int cuts = 4; // each makes the next reconnect wait longer
            for (int i = 0; i < RECORDS; i++) {
                if (random.nextInt(100) == 0) {
                    refuse(random);
                }
                if (cuts > 0 && random.nextInt(RECORDS / 4) == 0) {
                    cuts--;
                    cut(random);
                }
                acks.add(producer.publish(OutgoingRecord.of(Integer.toString(i).getBytes(UTF_8))));
            }
            await().atMost(Duration.ofSeconds(60)).until(() -> acks.stream().allMatch(CompletableFuture::isDone));
        }

        check(acks, broker.on(() -> broker.topics.values("orders", 0)));
    }

    private void cut(SplittableRandom random) {
        if (random.nextBoolean()) {
            broker.cutConnections();
        } else {
            broker.on(() -> broker.cutsBeforeAck = 1);
        }
    }

    private void refuse(SplittableRandom random) {
        broker.on(() -> switch (random.nextInt(6)) {
            case 0 -> broker.publishRefusals.add(FakeBroker.error(Code.NOT_READY, 0));
            case 1 -> broker.publishRefusals.add(FakeBroker.error(Code.OVERLOADED, 20));
            case 2 -> broker.publishRefusals.add(FakeBroker.error(Code.INVALID_ARGUMENT, 0));
            case 3 -> broker.publishRefusals.add(FakeBroker.error(Code.INTERNAL, 0));
            case 4 -> broker.publishRefusalsAfterStoring.add(FakeBroker.error(Code.INTERNAL, 0));
            default ->
                broker.requestRefusals.isEmpty() && broker.requestRefusals.add(FakeBroker.error(Code.NOT_READY, 0));
        });
    }

    private static void check(List<CompletableFuture<PublishAck>> acks, List<String> stored) {
        int failures = 0;
        Set<String> all = new HashSet<>(stored);
        for (int i = 0; i < acks.size(); i++) {
            String value = Integer.toString(i);
            Throwable error = acks.get(i).handle((ack, thrown) -> thrown).join();
            if (error == null) {
                assertThat(stored.get((int) acks.get(i).join().offset())).isEqualTo(value);
            } else if (!((SpillwayException) error).outcomeUnknown()) {
                failures++;
                assertThat(all).as("stored").doesNotContain(value);
            }
        }
        assertThat(all).as("no record twice").hasSameSizeAs(stored);
        assertThat(stored.stream().map(Integer::valueOf).toList())
                .as("in order")
                .isSorted();
        assertThat(failures).as("failures").isLessThan(acks.size() / 4);
    }
}

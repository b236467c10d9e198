package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.broker.Broker;
import io.spillway.broker.BrokerConfig;
import io.spillway.client.Header;
import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.PublishAck;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import io.spillway.client.SubscriptionBuilder;
import io.spillway.system.otlp.OtlpReceiver;
import io.spillway.system.otlp.ReceivedSpan;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The broker's own spans, as a collector gets them. Each test has a trace of its own. */
@Timeout(60)
final class TracingTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String SENDER = "00f067aa0ba902b7";
    private static final String STATE = "vendor=a1,other=b2";

    private static final int INTERNAL = 1;
    private static final int SERVER = 2;

    @TempDir
    static Path directory;

    private static OtlpReceiver collector;
    private static Broker broker;
    private static SpillwayClient client;

    @BeforeAll
    static void start() throws Exception {
        collector = OtlpReceiver.start();
        broker = Broker.start(BrokerConfig.of(Map.of(
                "data-dir", directory.resolve("data").toString(),
                "node-id", "n1",
                "listen", "127.0.0.1:0",
                "http", "127.0.0.1:0",
                "shards", "1",
                "topics.default-durability", "mapped",
                "tracing.otlp-endpoint", "http://" + collector.address(),
                "tracing.export-timeout-ms", "1s",
                "tracing.queue-spans", "128")));
        client = SpillwayClient.builder()
                .endpoints("127.0.0.1:" + broker.wireAddress().getPort())
                .connect();
    }

    @AfterAll
    static void stop() {
        client.close();
        broker.close();
        collector.close();
    }

    private static String topic(TestInfo test) {
        String topic = test.getTestMethod().orElseThrow().getName();
        client.admin().createTopic(topic, 1, Map.of());
        return topic;
    }

    /** A trace id that no other test has. */
    private static String trace(TestInfo test) {
        return String.format(
                "4bf92f3577b34da6%016x", (long) test.getDisplayName().hashCode() & 0xffffffffL | 1);
    }

    private static String parent(String trace, String flags) {
        return "00-" + trace + "-" + SENDER + "-" + flags;
    }

    private static OutgoingRecord.Builder traced(String trace) {
        return OutgoingRecord.builder("value".getBytes(StandardCharsets.UTF_8)).traceparent(parent(trace, "01"));
    }

    private static PublishAck publish(String topic, OutgoingRecord record) {
        try (Producer producer = client.producer(topic).open()) {
            return producer.publishAndWait(record, SOON);
        }
    }

    private static SubscriptionBuilder group(String topic) {
        return client.subscribe(topic)
                .group("billing")
                .start(StartPosition.earliest())
                .name("worker1");
    }

    private static Message next(Subscription subscription) {
        return Objects.requireNonNull(subscription.poll(SOON), "no message came in time");
    }

    /** The spans of a name, once there are so many. */
    private static List<ReceivedSpan> spans(String trace, String name, int count) {
        await(count + " spans " + name)
                .atMost(SOON)
                .until(() -> collector.spans(trace, name).size() >= count);
        assertThat(collector.spans(trace, name)).as(name).hasSize(count);
        return collector.spans(trace, name);
    }

    private static ReceivedSpan span(String trace, String name) {
        return spans(trace, name, 1).get(0);
    }

    private static String counter(String line) throws Exception {
        URI metrics = URI.create("http://127.0.0.1:" + broker.httpAddress().getPort() + "/metrics");
        String all = HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(metrics).build(), BodyHandlers.ofString())
                .body();
        return all.lines()
                .filter(each -> each.startsWith(line + " "))
                .map(each -> each.substring(line.length() + 1))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void tellsOfARecordFromItsAppendToItsAck(TestInfo test) {
        String topic = topic(test);
        String trace = trace(test);
        OutgoingRecord record = traced(trace)
                .header("tracestate", STATE)
                .correlationId("order-7")
                .build();

        PublishAck ack = publish(topic, record);
        try (Subscription group = group(topic).open()) {
            next(group).ack();
            group.flushAcks(SOON);
        }

        ReceivedSpan append = span(trace, "append " + topic);
        ReceivedSpan deliver = span(trace, "deliver " + topic);
        ReceivedSpan settle = span(trace, "ack " + topic);
        assertThat(append.parentId()).isEqualTo(SENDER);
        assertThat(append.kind()).isEqualTo(SERVER);
        assertThat(append.traceState()).isEqualTo(STATE);
        assertThat(append.service()).isEqualTo("spillway");
        assertThat(append.instance()).isEqualTo("n1");
        assertThat(append.attributes())
                .containsEntry("messaging.system", "spillway")
                .containsEntry("messaging.operation.name", "append")
                .containsEntry("messaging.destination.name", topic)
                .containsEntry("messaging.destination.partition.id", "0")
                .containsEntry("messaging.message.id", "0:" + ack.offset())
                .containsEntry("messaging.message.body.size", "5")
                .containsEntry("messaging.message.conversation_id", "order-7")
                .containsEntry("spillway.durability", "MAPPED")
                .containsEntry("spillway.duplicate", "false");
        assertThat(deliver.parentId()).isEqualTo(SENDER);
        assertThat(deliver.kind()).isEqualTo(INTERNAL);
        assertThat(deliver.links()).containsExactly(append.spanId());
        assertThat(deliver.attributes())
                .containsEntry("messaging.consumer.group.name", "billing")
                .containsEntry("spillway.member", "worker1")
                .containsEntry("spillway.offset", Long.toString(ack.offset()))
                .containsEntry("spillway.attempt", "1");
        assertThat(settle.parentId()).isEqualTo(deliver.spanId());
        assertThat(settle.kind()).isEqualTo(SERVER);
        assertThat(settle.links()).containsExactly(SENDER);
        assertThat(settle.attributes())
                .containsEntry("messaging.operation.type", "settle")
                .containsEntry("messaging.consumer.group.name", "billing")
                .containsEntry("spillway.attempt", "1");
        assertThat(List.of(append, deliver, settle)).allSatisfy(span -> {
            assertThat(span.isError()).isFalse();
            assertThat(span.endNs()).isGreaterThanOrEqualTo(span.startNs());
        });
        assertThat(append.startNs()).isLessThanOrEqualTo(deliver.startNs());
        assertThat(deliver.startNs()).isLessThanOrEqualTo(settle.startNs());
        assertThat(collector.wrong()).isEmpty();
    }

    @Test
    void leavesTheContextOfARecordAsItCame(TestInfo test) {
        String topic = topic(test);
        String trace = trace(test);
        publish(topic, traced(trace).header("tracestate", STATE).build());

        try (Subscription group = group(topic).open();
                Subscription reader =
                        client.subscribe(topic).start(StartPosition.earliest()).open()) {
            for (Message message : List.of(next(group), next(reader))) {
                assertThat(message.traceparent()).isEqualTo(parent(trace, "01"));
                assertThat(message.headers())
                        .extracting(Header::name, Header::text)
                        .containsExactly(org.assertj.core.groups.Tuple.tuple("tracestate", STATE));
            }
        }
    }

    @Test
    void isSilentOfWhatNobodySamples(TestInfo test) {
        String topic = topic(test);
        String trace = trace(test);
        String other = trace.replaceAll("^4b", "5b");
        List<CompletableFuture<PublishAck>> acks = new ArrayList<>();
        try (Producer producer = client.producer(topic).open()) {
            acks.add(producer.publish(OutgoingRecord.builder(new byte[1])
                    .traceparent(parent(other, "00"))
                    .build()));
            acks.add(producer.publish(OutgoingRecord.of(new byte[1])));
            acks.add(producer.publish(traced(trace).build()));
            acks.forEach(CompletableFuture::join);
        }
        try (Subscription group = group(topic).open()) {
            acks.forEach(ack -> next(group).ack());
            group.flushAcks(SOON);
        }

        assertThat(span(trace, "append " + topic).attribute("messaging.message.id"))
                .isEqualTo("0:2");
        assertThat(span(trace, "deliver " + topic).attribute("messaging.message.id"))
                .isEqualTo("0:2");
        span(trace, "ack " + topic);
        assertThat(collector.spans())
                .filteredOn(span -> span.attribute("messaging.destination.name").equals(topic))
                .extracting(ReceivedSpan::traceId)
                .containsOnly(trace);
    }

    @Test
    void tellsOfFailuresUpToTheDeadLetterAndBeyond(TestInfo test) {
        String topic = topic(test);
        String trace = trace(test);
        publish(topic, traced(trace).build());
        try (Subscription group =
                group(topic).maxDeliveries(2).retryBackoff(Duration.ofMillis(1)).open()) {
            next(group).nack("no stock");
            next(group).nack("no stock");
            group.flushAcks(SOON);
        }
        try (Subscription given = group(topic + ".dlq").open()) {
            next(given).ack();
            given.flushAcks(SOON);
        }

        List<ReceivedSpan> deliveries = spans(trace, "deliver " + topic, 2);
        assertThat(deliveries)
                .extracting(span -> span.attribute("spillway.attempt"))
                .containsExactly("1", "2");
        assertThat(spans(trace, "nack " + topic, 2))
                .extracting(ReceivedSpan::parentId)
                .containsExactly(deliveries.get(0).spanId(), deliveries.get(1).spanId());
        ReceivedSpan dead = span(trace, "dead_letter " + topic);
        assertThat(dead.parentId()).isEqualTo(deliveries.get(1).spanId());
        assertThat(dead.isError()).isTrue();
        assertThat(dead.attributes())
                .containsEntry("error.type", "MAX_DELIVERIES")
                .containsEntry("spillway.dead_letter.topic", topic + ".dlq")
                .containsEntry("spillway.dead_letter.id", "0:0");
        assertThat(span(trace, "deliver " + topic + ".dlq").parentId()).isEqualTo(SENDER);
        span(trace, "ack " + topic + ".dlq");
    }

    @Test
    void tellsOfALeaseThatRanOut(TestInfo test) {
        String topic = topic(test);
        String trace = trace(test);
        publish(topic, traced(trace).build());
        try (Subscription group = group(topic).leaseTime(Duration.ofSeconds(1)).open()) {
            next(group);
            next(group).ack();
            group.flushAcks(SOON);
        }

        List<ReceivedSpan> deliveries = spans(trace, "deliver " + topic, 2);
        ReceivedSpan expiry = span(trace, "expire " + topic);
        assertThat(expiry.parentId()).isEqualTo(deliveries.get(0).spanId());
        assertThat(expiry.isError()).isTrue();
        assertThat(span(trace, "ack " + topic).parentId())
                .isEqualTo(deliveries.get(1).spanId());
    }

    @Test
    void tellsARepetitionFromItsFirstCopy(TestInfo test) {
        String topic = topic(test);
        String trace = trace(test);
        OutgoingRecord record = traced(trace).idempotencyKey("once").build();
        PublishAck first = publish(topic, record);
        PublishAck again = publish(topic, record);
        assertThat(again.duplicate()).isTrue();

        List<ReceivedSpan> appends = spans(trace, "append " + topic, 2);
        assertThat(appends)
                .extracting(
                        span -> span.attribute("spillway.duplicate"), span -> span.attribute("messaging.message.id"))
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("false", "0:" + first.offset()),
                        org.assertj.core.groups.Tuple.tuple("true", "0:" + first.offset()));
        assertThat(appends).extracting(ReceivedSpan::spanId).doesNotHaveDuplicates();
    }

    @Test
    void tellsOfARefusal(TestInfo test) {
        String topic = topic(test);
        String trace = trace(test);
        publish(topic, traced(trace).idempotencyKey("once").build());
        CompletableFuture<PublishAck> conflict;
        try (Producer producer = client.producer(topic).open()) {
            conflict = producer.publish(OutgoingRecord.builder(new byte[2])
                    .traceparent(parent(trace, "01"))
                    .idempotencyKey("once")
                    .build());
        }
        assertThat(conflict).isCompletedExceptionally();

        ReceivedSpan refused = spans(trace, "append " + topic, 2).get(1);
        assertThat(refused.isError()).isTrue();
        assertThat(refused.attribute("error.type")).isEqualTo("IDEMPOTENCY_CONFLICT");
        assertThat(refused.attributes()).doesNotContainKey("messaging.message.id");
    }

    @Test
    void goesOnWithoutItsCollectorAndCountsWhatIsLost(TestInfo test) throws Exception {
        String topic = topic(test);
        String trace = trace(test);
        String lost = trace.replaceAll("^4b", "6b");
        collector.answer(503);
        try (Producer producer = client.producer(topic).open()) {
            await("spans that do not fit into the queue").atMost(SOON).until(() -> {
                List<CompletableFuture<PublishAck>> acks = new ArrayList<>();
                for (int i = 0; i < 1_000; i++) {
                    acks.add(producer.publish(traced(lost).build()));
                }
                acks.forEach(CompletableFuture::join);
                return Double.parseDouble(counter("spillway_trace_spans_lost_total{why=\"queue\"}")) > 0;
            });
        } finally {
            await("an export that was given up")
                    .atMost(SOON)
                    .until(() -> Double.parseDouble(counter("spillway_trace_spans_lost_total{why=\"export\"}")) > 0);
            collector.answer(200);
        }

        await("spans again").atMost(SOON).until(() -> {
            publish(topic, traced(trace).build());
            return !collector.spans(trace, "append " + topic).isEmpty();
        });
        assertThat(Double.parseDouble(counter("spillway_trace_spans_exported_total")))
                .isPositive();
    }
}

package io.spillway.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.spillway.client.otel.Tracing;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Spans for OpenTelemetry. */
@Timeout(60)
final class TracingTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String OTHERS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    private final InMemorySpanExporter spans = InMemorySpanExporter.create();
    private final SdkTracerProvider provider = SdkTracerProvider.builder()
            .addSpanProcessor(SimpleSpanProcessor.create(spans))
            .build();
    private final Tracing tracing = new Tracing(provider);
    private final FakeBroker broker = new FakeBroker();
    private SpillwayClient client;
    private Producer producer;

    @BeforeEach
    void connect() {
        broker.on(() -> {
            broker.topics.create("orders", 1);
            return null;
        });
        client = SpillwayClient.builder().endpoints(broker.endpoint()).connect();
        producer = client.producer("orders").open();
    }

    @AfterEach
    void close() {
        client.close(Duration.ofSeconds(2));
        broker.close();
        provider.close();
    }

    private static OutgoingRecord.Builder record() {
        return OutgoingRecord.builder("one".getBytes(UTF_8));
    }

    private void consume(MessageHandler handler) {
        client.subscribe("orders").group("billing").start(tracing.handler("billing", handler), 1);
    }

    private List<SpanData> named(String name) {
        return spans.getFinishedSpanItems().stream()
                .filter(span -> span.getName().equals(name))
                .toList();
    }

    private SpanData span(String name) {
        await().atMost(LONG).until(() -> !named(name).isEmpty());
        return named(name).get(0);
    }

    private static String text(SpanData span, String key) {
        return String.valueOf(span.getAttributes().get(AttributeKey.stringKey(key)));
    }

    @Test
    void sendProcessAndAckAreOneTrace() {
        SpanContext caller = SpanContext.create(
                "4bf92f3577b34da6a3ce929d0e0e4736",
                "00f067aa0ba902b7",
                TraceFlags.getSampled(),
                TraceState.builder().put("vendor", "1").build());
        CompletableFuture<PublishAck> acked;
        try (Scope scope = Span.wrap(caller).makeCurrent()) {
            acked = tracing.publish(producer, record().correlationId("c-1"));
        }
        assertThat(acked).succeedsWithin(LONG);
        CompletableFuture<String> inHandler = new CompletableFuture<>();
        CompletableFuture<List<String>> headers = new CompletableFuture<>();
        consume(message -> {
            headers.complete(message.headers().stream().map(Header::text).toList());
            inHandler.complete(Span.current().getSpanContext().getSpanId());
        });

        SpanData process = span("process orders");
        SpanData send = span("send orders");
        SpanData ack = span("ack orders");
        assertThat(send.getParentSpanId()).isEqualTo(caller.getSpanId());
        assertThat(process.getParentSpanId()).isEqualTo(send.getSpanId());
        assertThat(ack.getParentSpanId()).isEqualTo(process.getSpanId());
        assertThat(ack.getTraceId()).isEqualTo(caller.getTraceId());
        assertThat(process.getLinks())
                .singleElement()
                .satisfies(link -> assertThat(link.getSpanContext().getSpanId()).isEqualTo(send.getSpanId()));
        assertThat(inHandler).isCompletedWithValue(process.getSpanId());
        assertThat(headers.join()).contains("vendor=1");
        assertThat(List.of(send, process, ack))
                .allSatisfy(span -> {
                    assertThat(text(span, "messaging.system")).isEqualTo("spillway");
                    assertThat(text(span, "messaging.destination.name")).isEqualTo("orders");
                    assertThat(text(span, "messaging.message.id")).isEqualTo("0:0");
                })
                .extracting(span -> text(span, "messaging.operation.type"))
                .containsExactly("send", "process", "settle");
        assertThat(List.of(send.getKind(), process.getKind(), ack.getKind()))
                .containsExactly(SpanKind.PRODUCER, SpanKind.CONSUMER, SpanKind.CLIENT);
        assertThat(text(process, "messaging.consumer.group.name")).isEqualTo("billing");
        assertThat(text(process, "messaging.message.conversation_id")).isEqualTo("c-1");
    }

    @Test
    void aHandlerThatFailsMarksItsSpanAndSettlesNothing() {
        assertThat(tracing.publish(producer, record())).succeedsWithin(LONG);
        consume(message -> {
            throw new IllegalStateException("no paper");
        });

        SpanData process = span("process orders");
        assertThat(process.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(process.getStatus().getDescription()).contains("no paper");
        assertThat(text(process, "error.type")).isEqualTo(IllegalStateException.class.getName());
        assertThat(named("ack orders")).isEmpty();
    }

    @Test
    void whatIsRefusedIsAnErrorOfItsSpan() {
        OutgoingRecord.Builder far = record().partition(7);
        assertThatThrownBy(() -> tracing.publish(producer, far).join()).hasMessageContaining("partition");

        assertThat(span("send orders").getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(text(span("send orders"), "error.type")).isEqualTo("INVALID_ARGUMENT");
    }

    @Test
    void aRecordKeepsTheContextItHas() {
        assertThat(tracing.publish(producer, record().traceparent(OTHERS))).succeedsWithin(LONG);
        CompletableFuture<String> context = new CompletableFuture<>();
        consume(message -> context.complete(message.traceparent()));

        assertThat(context).succeedsWithin(LONG).isEqualTo(OTHERS);
        assertThat(span("process orders").getParentSpanId()).isEqualTo("00f067aa0ba902b7");
    }
}

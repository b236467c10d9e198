package io.spillway.client.otel;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.spillway.client.Header;
import io.spillway.client.Message;
import io.spillway.client.MessageHandler;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.PublishAck;
import io.spillway.client.SpillwayException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Traces publishing and consuming with OpenTelemetry, by its conventions for messaging. A record carries the context of the
 * span that sent it, to consumers in whatever language. Thread-safe.
 */
public final class Tracing {
    private static final W3CTraceContextPropagator CONTEXT = W3CTraceContextPropagator.getInstance();
    private static final String TRACE_PARENT = "traceparent";
    private static final String TRACE_STATE = "tracestate";

    private static final AttributeKey<String> SYSTEM = AttributeKey.stringKey("messaging.system");
    private static final AttributeKey<String> OPERATION = AttributeKey.stringKey("messaging.operation.name");
    private static final AttributeKey<String> OPERATION_TYPE = AttributeKey.stringKey("messaging.operation.type");
    private static final AttributeKey<String> DESTINATION = AttributeKey.stringKey("messaging.destination.name");
    private static final AttributeKey<String> PARTITION = AttributeKey.stringKey("messaging.destination.partition.id");
    private static final AttributeKey<String> MESSAGE_ID = AttributeKey.stringKey("messaging.message.id");
    private static final AttributeKey<Long> BODY_SIZE = AttributeKey.longKey("messaging.message.body.size");
    private static final AttributeKey<String> GROUP = AttributeKey.stringKey("messaging.consumer.group.name");
    private static final AttributeKey<String> CONVERSATION =
            AttributeKey.stringKey("messaging.message.conversation_id");
    private static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");
    private static final AttributeKey<String> DURABILITY = AttributeKey.stringKey("spillway.durability");
    private static final AttributeKey<Boolean> DUPLICATE = AttributeKey.booleanKey("spillway.duplicate");
    private static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("spillway.attempt");

    private static final TextMapGetter<Message> OF_MESSAGE = new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(Message message) {
            return List.of(TRACE_PARENT, TRACE_STATE);
        }

        @Override
        public @Nullable String get(@Nullable Message carrier, String key) {
            Message message = Objects.requireNonNull(carrier);
            if (key.equals(TRACE_PARENT)) {
                return message.traceparent();
            }
            for (Header header : message.headers()) {
                if (header.name().equals(key)) {
                    return header.text();
                }
            }
            return null;
        }
    };

    private final Tracer tracer;

    /** Makes spans with this provider. */
    public Tracing(TracerProvider provider) {
        tracer = provider.get("io.spillway.client");
    }

    /**
     * {@link Producer#publish(OutgoingRecord)} of what the builder makes, in a span {@code send TOPIC}, a child of the current
     * context's, from the call to the outcome. A record that has a trace context keeps it.
     */
    public CompletableFuture<PublishAck> publish(Producer producer, OutgoingRecord.Builder record) {
        Span span = tracer.spanBuilder("send " + producer.topic())
                .setSpanKind(SpanKind.PRODUCER)
                .setAllAttributes(of("send", "send", producer.topic()).build())
                .startSpan();
        try {
            if (!record.hasTrace()) {
                CONTEXT.inject(Context.current().with(span), record, Tracing::carry);
            }
            OutgoingRecord built = record.build();
            span.setAttribute(BODY_SIZE, (long) built.valueBytes());
            CompletableFuture<PublishAck> outcome = producer.publish(built);
            return outcome.whenComplete((ack, failure) -> end(span, ack, failure));
        } catch (RuntimeException e) {
            end(span, null, e);
            throw e;
        }
    }

    private static void carry(OutgoingRecord.@Nullable Builder carrier, String name, String value) {
        OutgoingRecord.Builder record = Objects.requireNonNull(carrier);
        if (name.equals(TRACE_PARENT)) {
            record.traceparent(value);
        } else {
            record.header(name, value);
        }
    }

    private static void end(Span span, @Nullable PublishAck ack, @Nullable Throwable failure) {
        if (ack != null) {
            span.setAttribute(PARTITION, Integer.toString(ack.partition()));
            span.setAttribute(MESSAGE_ID, ack.partition() + ":" + ack.offset());
            span.setAttribute(DURABILITY, ack.reached().name());
            span.setAttribute(DUPLICATE, ack.duplicate());
        }
        end(span, failure);
    }

    private static void end(Span span, @Nullable Throwable failure) {
        if (failure != null) {
            String type = failure instanceof SpillwayException known
                    ? known.reason()
                    : failure.getClass().getName();
            span.setAttribute(ERROR, type);
            span.setStatus(StatusCode.ERROR, failure.toString());
        }
        span.end();
    }

    /**
     * Has each message handled in a span {@code process TOPIC}, the handler's current one, and acked in a span {@code ack TOPIC}
     * within it when the handler returns; it may have settled it itself. The span of the publisher is the parent, so that both are one
     * trace, and linked, too.
     *
     * @param group of the subscription; empty for a reader
     */
    public MessageHandler handler(String group, MessageHandler handler) {
        return message -> process(group, message, handler);
    }

    private void process(String group, Message message, MessageHandler handler) throws Exception {
        Attributes about = about(group, message);
        Context parent = CONTEXT.extract(Context.current(), message, OF_MESSAGE);
        SpanBuilder builder = tracer.spanBuilder("process " + message.topic())
                .setSpanKind(SpanKind.CONSUMER)
                .setParent(parent)
                .setAllAttributes(of("process", "process", message.topic())
                        .put(BODY_SIZE, (long) message.valueBuffer().remaining())
                        .put(ATTEMPT, (long) message.attempt())
                        .putAll(about)
                        .build());
        SpanContext sender = Span.fromContext(parent).getSpanContext();
        if (sender.isRemote()) {
            builder.addLink(sender);
        }
        Span span = builder.startSpan();
        Throwable failure = null;
        try (Scope scope = span.makeCurrent()) {
            handler.onMessage(message);
            ack(message, about);
        } catch (Throwable e) {
            failure = e;
            throw e;
        } finally {
            end(span, failure);
        }
    }

    private void ack(Message message, Attributes about) {
        Span span = tracer.spanBuilder("ack " + message.topic())
                .setSpanKind(SpanKind.CLIENT)
                .setAllAttributes(
                        of("ack", "settle", message.topic()).putAll(about).build())
                .startSpan();
        message.ack();
        span.end();
    }

    private static AttributesBuilder of(String name, String type, String topic) {
        return Attributes.builder()
                .put(SYSTEM, "spillway")
                .put(OPERATION, name)
                .put(OPERATION_TYPE, type)
                .put(DESTINATION, topic);
    }

    private static Attributes about(String group, Message message) {
        AttributesBuilder about = Attributes.builder()
                .put(PARTITION, Integer.toString(message.partition()))
                .put(MESSAGE_ID, message.partition() + ":" + message.offset());
        if (!group.isEmpty()) {
            about.put(GROUP, group);
        }
        String conversation = message.correlationId();
        if (conversation != null) {
            about.put(CONVERSATION, conversation);
        }
        return about.build();
    }
}

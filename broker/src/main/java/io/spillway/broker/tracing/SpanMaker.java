package io.spillway.broker.tracing;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.IdGenerator;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.spillway.broker.base.Clock;
import io.spillway.protocol.Code;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Makes spans of steps, by OpenTelemetry's conventions for messaging. A record's spans are children of the span that sent it;
 * that of a settlement is a child of the delivery's. Confined to one thread.
 */
final class SpanMaker implements AutoCloseable {
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
    private static final AttributeKey<Long> QUEUE_US = AttributeKey.longKey("spillway.queue_us");
    private static final AttributeKey<Long> SYNC_US = AttributeKey.longKey("spillway.sync_us");
    private static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("spillway.attempt");
    private static final AttributeKey<Long> OFFSET = AttributeKey.longKey("spillway.offset");
    private static final AttributeKey<Long> WAITED_MS = AttributeKey.longKey("spillway.waited_ms");
    private static final AttributeKey<String> MEMBER = AttributeKey.stringKey("spillway.member");
    private static final AttributeKey<String> REPLAY = AttributeKey.stringKey("spillway.replay_id");
    private static final AttributeKey<String> DEAD_LETTER_TOPIC = AttributeKey.stringKey("spillway.dead_letter.topic");
    private static final AttributeKey<String> DEAD_LETTER_ID = AttributeKey.stringKey("spillway.dead_letter.id");

    private static final TextMapGetter<TracedRecord> OF_RECORD = new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(TracedRecord record) {
            return List.of("traceparent", "tracestate");
        }

        @Override
        public @Nullable String get(@Nullable TracedRecord carrier, String key) {
            TracedRecord record = Objects.requireNonNull(carrier);
            return key.equals("traceparent") ? record.traceParent() : record.traceState();
        }
    };

    /** Gives the next span the id that was set, or a random one. */
    private static final class Ids implements IdGenerator {
        private @Nullable String next;

        @Override
        public String generateSpanId() {
            String id = next == null ? IdGenerator.random().generateSpanId() : next;
            next = null;
            return id;
        }

        @Override
        public String generateTraceId() {
            return IdGenerator.random().generateTraceId();
        }
    }

    /** Keeps the spans that ended. */
    private final class Ended implements SpanProcessor {
        @Override
        public void onStart(Context parent, ReadWriteSpan span) {}

        @Override
        public boolean isStartRequired() {
            return false;
        }

        @Override
        public void onEnd(ReadableSpan span) {
            made.add(span.toSpanData());
        }

        @Override
        public boolean isEndRequired() {
            return true;
        }

        @Override
        public CompletableResultCode shutdown() {
            return CompletableResultCode.ofSuccess();
        }
    }

    private static final int READINGS = 5;

    private final Clock clock;
    private final Ids ids = new Ids();
    private final SdkTracerProvider provider;
    private final Tracer tracer;
    private List<SpanData> made = new ArrayList<>();
    /** What the monotonic clock lacks to the time since 1970. */
    private long epochNs;

    SpanMaker(Clock clock, String nodeId, String version) {
        this.clock = clock;
        provider = SdkTracerProvider.builder()
                .setIdGenerator(ids)
                .setSampler(Sampler.alwaysOn())
                .setResource(Resource.create(Attributes.builder()
                        .put("service.name", "spillway")
                        .put("service.instance.id", nodeId)
                        .put("service.version", version)
                        .build()))
                .addSpanProcessor(new Ended())
                .build();
        tracer = provider.tracerBuilder("io.spillway.broker")
                .setInstrumentationVersion(version)
                .build();
        follow();
    }

    /** Follows the machine's clock, which may be set. Of some readings that counts which took least between the two clocks. */
    void follow() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < READINGS; i++) {
            long beforeNs = clock.nanoTime();
            long wallNs = clock.epochNs();
            long tookNs = clock.nanoTime() - beforeNs;
            if (tookNs < least) {
                least = tookNs;
                epochNs = wallNs - beforeNs - tookNs / 2;
            }
        }
    }

    int count() {
        return made.size();
    }

    /** What was made since this was last asked. */
    List<SpanData> take() {
        List<SpanData> taken = made;
        made = new ArrayList<>();
        return taken;
    }

    void make(TracedStep traced) {
        Step step = traced.step();
        if (step instanceof Step.Appended appended) {
            append(traced, appended);
        } else if (step instanceof Step.Refused refused) {
            Span span = start(traced, "append", SpanKind.SERVER, sender(traced)).startSpan();
            fail(span, refused.code().name(), refused.why());
            end(span, traced);
        } else if (step instanceof Step.Delivered delivered) {
            deliver(traced, delivered);
        } else if (step instanceof Step.Settled settled) {
            settle(traced, settled);
        } else if (step instanceof Step.DeadLettered given) {
            deadLetter(traced, given);
        }
    }

    private void append(TracedStep traced, Step.Appended appended) {
        if (!appended.duplicate()) {
            ids.next = SpanIds.ofAppend(traced.record(), traced.topic(), traced.partition(), traced.offset());
        }
        Span span = start(traced, "append", SpanKind.SERVER, sender(traced))
                .setAttribute(DURABILITY, appended.durability())
                .setAttribute(DUPLICATE, appended.duplicate())
                .setAttribute(QUEUE_US, (long) appended.queueUs())
                .setAttribute(SYNC_US, (long) appended.syncUs())
                .startSpan();
        end(span, traced);
    }

    private void deliver(TracedStep traced, Step.Delivered delivered) {
        ids.next = SpanIds.ofDelivery(
                traced.record(),
                traced.topic(),
                traced.partition(),
                traced.offset(),
                delivered.group(),
                delivered.attempt());
        SpanBuilder builder = start(traced, "deliver", SpanKind.INTERNAL, sender(traced))
                .addLink(context(
                        traced, SpanIds.ofAppend(traced.record(), traced.topic(), traced.partition(), traced.offset())))
                .setAttribute(GROUP, delivered.group())
                .setAttribute(ATTEMPT, (long) delivered.attempt())
                .setAttribute(MEMBER, delivered.member())
                .setAttribute(WAITED_MS, delivered.waitedMs());
        if (!delivered.replayId().isEmpty()) {
            builder.setAttribute(REPLAY, delivered.replayId());
        }
        end(builder.startSpan(), traced);
    }

    private void settle(TracedStep traced, Step.Settled settled) {
        boolean isExpiry = settled.outcome().equals("expire");
        SpanKind kind = isExpiry ? SpanKind.INTERNAL : SpanKind.SERVER;
        Span span = start(traced, settled.outcome(), kind, delivery(traced, settled.group(), settled.attempt()))
                .addLink(Span.fromContext(sender(traced)).getSpanContext())
                .setAttribute(OPERATION_TYPE, "settle")
                .setAttribute(GROUP, settled.group())
                .setAttribute(ATTEMPT, (long) settled.attempt())
                .startSpan();
        Code failure = settled.failure();
        if (failure != null) {
            fail(span, failure.name(), "it was not written");
        } else if (isExpiry) {
            fail(span, "LEASE_EXPIRED", "its lease ran out");
        }
        end(span, traced);
    }

    private void deadLetter(TracedStep traced, Step.DeadLettered given) {
        Context parent = given.attempt() == 0 ? sender(traced) : delivery(traced, given.group(), given.attempt());
        Span span = start(traced, "dead_letter", SpanKind.INTERNAL, parent)
                .addLink(Span.fromContext(sender(traced)).getSpanContext())
                .setAttribute(GROUP, given.group())
                .setAttribute(ATTEMPT, (long) given.attempt())
                .setAttribute(DEAD_LETTER_TOPIC, given.topic())
                .setAttribute(DEAD_LETTER_ID, given.partition() + ":" + given.offset())
                .startSpan();
        fail(span, given.cause(), given.why());
        end(span, traced);
    }

    private SpanBuilder start(TracedStep traced, String operation, SpanKind kind, Context parent) {
        TracedRecord record = traced.record();
        SpanBuilder builder = tracer.spanBuilder(operation + " " + traced.topic())
                .setSpanKind(kind)
                .setParent(parent)
                .setStartTimestamp(traced.startNs() + epochNs, TimeUnit.NANOSECONDS)
                .setAttribute(SYSTEM, "spillway")
                .setAttribute(OPERATION, operation)
                .setAttribute(DESTINATION, traced.topic())
                .setAttribute(PARTITION, Integer.toString(traced.partition()))
                .setAttribute(BODY_SIZE, (long) record.valueBytes());
        if (traced.offset() >= 0) {
            builder.setAttribute(MESSAGE_ID, traced.partition() + ":" + traced.offset())
                    .setAttribute(OFFSET, traced.offset());
        }
        String conversation = record.correlationId();
        if (conversation != null) {
            builder.setAttribute(CONVERSATION, conversation);
        }
        return builder;
    }

    private static void fail(Span span, String type, String why) {
        span.setAttribute(ERROR, type);
        span.setStatus(StatusCode.ERROR, why);
    }

    private void end(Span span, TracedStep traced) {
        span.end(traced.endNs() + epochNs, TimeUnit.NANOSECONDS);
    }

    private static Context sender(TracedStep traced) {
        return W3CTraceContextPropagator.getInstance().extract(Context.root(), traced.record(), OF_RECORD);
    }

    private static Context delivery(TracedStep traced, String group, int attempt) {
        String id = SpanIds.ofDelivery(
                traced.record(), traced.topic(), traced.partition(), traced.offset(), group, attempt);
        return Context.root().with(Span.wrap(context(traced, id)));
    }

    /** Of a span of the same trace. */
    private static SpanContext context(TracedStep traced, String spanId) {
        SpanContext sender = Span.fromContext(sender(traced)).getSpanContext();
        return SpanContext.createFromRemoteParent(
                traced.record().traceId(), spanId, TraceFlags.getSampled(), sender.getTraceState());
    }

    @Override
    public void close() {
        provider.close();
    }
}

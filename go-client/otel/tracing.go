// Package otel traces publishing and consuming with OpenTelemetry, by its conventions for messaging. It is a module of its
// own, so that the client forces no dependency on anybody.
//
//	import spillwayotel "github.com/spillway-io/spillway/go-client/otel"
//
//	tracing := spillwayotel.New(otel.GetTracerProvider())
//	ack, err := tracing.Publish(ctx, producer, spillway.Record{Value: value})
//	err = subscription.Consume(ctx, 8, tracing.Handler(subscription, handle))
//
// A record carries the context of the span that sent it, to consumers in whatever language.
package otel

import (
	"context"
	"errors"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"

	spillway "github.com/spillway-io/spillway/go-client"
)

const (
	scope = "github.com/spillway-io/spillway/go-client/otel"
	// The context's headers in W3C Trace Context; a record has a place of its own for the first.
	traceParent = "traceparent"
	traceState  = "tracestate"
)

// Tracing makes spans. Safe for concurrent use.
type Tracing struct {
	tracer  trace.Tracer
	context propagation.TraceContext
}

// New makes spans with this provider.
func New(provider trace.TracerProvider) *Tracing {
	return &Tracing{tracer: provider.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL))}
}

// Publish is Producer.Publish in a span "send TOPIC", from the call to the outcome. A record that has a TraceParent keeps it:
// the span is linked to it.
func (t *Tracing) Publish(ctx context.Context, p *spillway.Producer, record spillway.Record) (spillway.Ack, error) {
	ctx, span := t.send(ctx, p, &record)
	ack, err := p.Publish(ctx, record)
	sent(span, ack, err)
	return ack, err
}

// PublishFunc is Producer.PublishFunc in such a span; it ends before the outcome is told.
func (t *Tracing) PublishFunc(ctx context.Context, p *spillway.Producer, record spillway.Record, outcome func(spillway.Ack, error)) {
	ctx, span := t.send(ctx, p, &record)
	p.PublishFunc(ctx, record, func(ack spillway.Ack, err error) {
		sent(span, ack, err)
		if outcome != nil {
			outcome(ack, err)
		}
	})
}

func (t *Tracing) send(ctx context.Context, p *spillway.Producer, record *spillway.Record) (context.Context, trace.Span) {
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
		of("send", semconv.MessagingOperationTypeSend, p.Topic(), semconv.MessagingMessageBodySize(len(record.Value)))...)}
	if record.CorrelationID != "" {
		options = append(options, trace.WithAttributes(semconv.MessagingMessageConversationID(record.CorrelationID)))
	}
	if record.TraceParent != "" {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: t.remote(record.TraceParent, record.Headers)}))
	}
	ctx, span := t.tracer.Start(ctx, "send "+p.Topic(), options...)
	if record.TraceParent == "" {
		carrier := propagation.MapCarrier{}
		t.context.Inject(ctx, carrier)
		record.TraceParent = carrier.Get(traceParent)
		if state := carrier.Get(traceState); state != "" {
			headers := make([]spillway.Header, 0, len(record.Headers)+1) // the caller's are his
			record.Headers = append(append(headers, record.Headers...), spillway.Header{Name: traceState, Value: []byte(state)})
		}
	}
	return ctx, span
}

func sent(span trace.Span, ack spillway.Ack, err error) {
	if err == nil {
		span.SetAttributes(semconv.MessagingDestinationPartitionID(strconv.Itoa(ack.Partition)),
			semconv.MessagingMessageID(messageID(ack.Partition, ack.Offset)),
			attribute.String("spillway.durability", ack.Durability.String()),
			attribute.Bool("spillway.duplicate", ack.Duplicate))
	}
	end(span, err)
}

// Handler has each message handled in a span "process TOPIC", and settled in a span "ack TOPIC" within it, when the
// handler returns nil; it may have settled it itself. The span of the publisher is the parent, so that both are one trace, and
// linked, too. For Subscription.Consume of that subscription.
func (t *Tracing) Handler(s *spillway.Subscription, handle func(context.Context, *spillway.Message) error) func(context.Context, *spillway.Message) error {
	return func(ctx context.Context, m *spillway.Message) (err error) {
		attributes := append(of("process", semconv.MessagingOperationTypeProcess, m.Topic,
			semconv.MessagingMessageBodySize(len(m.Value)), attribute.Int("spillway.attempt", m.Attempt)), t.message(s, m)...)
		options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(attributes...)}
		if sender := t.remote(m.TraceParent(), m.Headers()); sender.IsValid() {
			ctx = trace.ContextWithRemoteSpanContext(ctx, sender)
			options = append(options, trace.WithLinks(trace.Link{SpanContext: sender}))
		}
		ctx, span := t.tracer.Start(ctx, "process "+m.Topic, options...)
		hasReturned := false
		defer func() {
			if !hasReturned { // it panics, which is the subscription's to handle
				end(span, errors.New("the handler panicked"))
			}
		}()
		err = handle(ctx, m)
		hasReturned = true
		if err == nil {
			t.ack(ctx, s, m)
		}
		end(span, err)
		return err
	}
}

func (t *Tracing) ack(ctx context.Context, s *spillway.Subscription, m *spillway.Message) {
	attributes := append(of("ack", semconv.MessagingOperationTypeSettle, m.Topic), t.message(s, m)...)
	_, span := t.tracer.Start(ctx, "ack "+m.Topic, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...))
	m.Ack()
	span.End()
}

func (t *Tracing) message(s *spillway.Subscription, m *spillway.Message) []attribute.KeyValue {
	attributes := []attribute.KeyValue{semconv.MessagingDestinationPartitionID(strconv.Itoa(m.Partition)),
		semconv.MessagingMessageID(messageID(m.Partition, m.Offset))}
	if s.Group() != "" {
		attributes = append(attributes, semconv.MessagingConsumerGroupName(s.Group()))
	}
	if id := m.CorrelationID(); id != "" {
		attributes = append(attributes, semconv.MessagingMessageConversationID(id))
	}
	return attributes
}

// remote is the context that a record came with; invalid when it has none.
func (t *Tracing) remote(parent string, headers []spillway.Header) trace.SpanContext {
	carrier := propagation.MapCarrier{traceParent: parent}
	for _, header := range headers {
		if header.Name == traceState {
			carrier.Set(traceState, string(header.Value))
		}
	}
	return trace.SpanContextFromContext(t.context.Extract(context.Background(), carrier))
}

// of: the operation and its place.
func of(name string, kind attribute.KeyValue, topic string, more ...attribute.KeyValue) []attribute.KeyValue {
	return append([]attribute.KeyValue{semconv.MessagingSystemKey.String("spillway"), semconv.MessagingOperationName(name), kind,
		semconv.MessagingDestinationName(topic)}, more...)
}

// messageID is unique in its topic.
func messageID(partition int, offset int64) string {
	return strconv.Itoa(partition) + ":" + strconv.FormatInt(offset, 10)
}

func end(span trace.Span, err error) {
	var failed *spillway.Error
	if errors.As(err, &failed) {
		span.SetAttributes(semconv.ErrorTypeKey.String(failed.Reason))
	} else if err != nil {
		span.SetAttributes(semconv.ErrorTypeOther)
	}
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

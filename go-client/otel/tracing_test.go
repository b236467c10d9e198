package otel_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	spillway "github.com/spillway-io/spillway/go-client"
	"github.com/spillway-io/spillway/go-client/internal/testbroker"
	spillwayotel "github.com/spillway-io/spillway/go-client/otel"
)

const patience = 30 * time.Second

type fixture struct {
	t        *testing.T
	ctx      context.Context
	recorder *tracetest.SpanRecorder
	provider *sdk.TracerProvider
	tracing  *spillwayotel.Tracing
	client   *spillway.Client
	producer *spillway.Producer
}

func start(t *testing.T) *fixture {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	f := &fixture{t: t, ctx: ctx, recorder: tracetest.NewSpanRecorder()}
	f.provider = sdk.NewTracerProvider(sdk.WithSpanProcessor(f.recorder))
	f.tracing = spillwayotel.New(f.provider)
	var err error
	f.client, err = spillway.Connect(ctx, spillway.WithEndpoints(testbroker.Start(t).Endpoint))
	f.require(err)
	t.Cleanup(func() { _ = f.client.Close(ctx) }) // what is left open ends with the test
	_, err = f.client.Admin().CreateTopic(ctx, "orders", 1, map[string]string{"durability": "mapped"})
	f.require(err)
	f.producer, err = f.client.Producer(ctx, "orders")
	f.require(err)
	return f
}

func (f *fixture) require(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// consume handles as many messages as come until the handler says that it was the last.
func (f *fixture) consume(handle func(context.Context, *spillway.Message) (last bool, err error)) {
	f.t.Helper()
	s, err := f.client.Subscribe(f.ctx, "orders", spillway.WithGroup("billing"))
	f.require(err)
	ctx, done := context.WithCancel(f.ctx)
	defer done()
	f.require(s.Consume(ctx, 1, f.tracing.Handler(s, func(ctx context.Context, m *spillway.Message) error {
		last, err := handle(ctx, m)
		if last {
			done()
		}
		return err
	})))
	f.require(s.Close(f.ctx))
}

func (f *fixture) span(name string) sdk.ReadOnlySpan {
	f.t.Helper()
	spans := f.recorder.Ended()
	i := slices.IndexFunc(spans, func(s sdk.ReadOnlySpan) bool { return s.Name() == name })
	if i < 0 {
		f.t.Fatalf("there is no span %q among %v", name, spans)
	}
	return spans[i]
}

func (f *fixture) is(what string, got, want any) {
	f.t.Helper()
	if got != want {
		f.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func attributeOf(s sdk.ReadOnlySpan, key string) string {
	for _, each := range s.Attributes() {
		if each.Key == attribute.Key(key) {
			return each.Value.Emit()
		}
	}
	return ""
}

func TestSendProcessAndAckAreOneTrace(t *testing.T) {
	f := start(t)
	state, err := trace.ParseTraceState("vendor=1")
	f.require(err)
	caller := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2},
		TraceFlags: trace.FlagsSampled, TraceState: state, Remote: true})
	record := spillway.Record{Value: []byte("one"), CorrelationID: "c-1"}
	_, err = f.tracing.Publish(trace.ContextWithSpanContext(f.ctx, caller), f.producer, record)
	f.require(err)

	var inHandler trace.SpanContext
	f.consume(func(ctx context.Context, m *spillway.Message) (bool, error) {
		inHandler = trace.SpanContextFromContext(ctx)
		f.is("tracestate", string(m.Header("tracestate")), "vendor=1")
		return true, nil
	})

	send, process, ack := f.span("send orders"), f.span("process orders"), f.span("ack orders")
	f.is("parent of send", send.Parent().SpanID(), caller.SpanID())
	f.is("parent of process", process.Parent().SpanID(), send.SpanContext().SpanID())
	f.is("parent of ack", ack.Parent().SpanID(), process.SpanContext().SpanID())
	f.is("trace of ack", ack.SpanContext().TraceID(), caller.TraceID())
	f.is("what the handler sees", inHandler.SpanID(), process.SpanContext().SpanID())
	f.is("links of process", len(process.Links()), 1)
	f.is("link of process", process.Links()[0].SpanContext.SpanID(), send.SpanContext().SpanID())
	for _, s := range []sdk.ReadOnlySpan{send, process, ack} {
		f.is("system of "+s.Name(), attributeOf(s, "messaging.system"), "spillway")
		f.is("destination of "+s.Name(), attributeOf(s, "messaging.destination.name"), "orders")
		f.is("message of "+s.Name(), attributeOf(s, "messaging.message.id"), "0:0")
	}
	f.is("kinds", [3]trace.SpanKind{send.SpanKind(), process.SpanKind(), ack.SpanKind()},
		[3]trace.SpanKind{trace.SpanKindProducer, trace.SpanKindConsumer, trace.SpanKindClient})
	f.is("types", attributeOf(send, "messaging.operation.type")+attributeOf(process, "messaging.operation.type")+
		attributeOf(ack, "messaging.operation.type"), "sendprocesssettle")
	f.is("group", attributeOf(process, "messaging.consumer.group.name"), "billing")
	f.is("conversation", attributeOf(process, "messaging.message.conversation_id"), "c-1")
	f.is("durability", attributeOf(send, "spillway.durability"), "MAPPED")
}

func TestAHandlerThatFailsMarksItsSpanAndSettlesNothing(t *testing.T) {
	f := start(t)
	_, err := f.tracing.Publish(f.ctx, f.producer, spillway.Record{Value: []byte("one")})
	f.require(err)

	attempts := 0
	f.consume(func(_ context.Context, m *spillway.Message) (bool, error) {
		if attempts++; attempts == 1 {
			return false, errors.New("no paper")
		}
		return true, nil
	})

	first := f.span("process orders")
	f.is("status", first.Status(), sdk.Status{Code: codes.Error, Description: "no paper"})
	f.is("attempt", attributeOf(first, "spillway.attempt"), "1")
	acks := 0
	for _, s := range f.recorder.Ended() {
		if s.Name() == "ack orders" {
			acks++
		}
	}
	f.is("acks of two attempts", acks, 1)
}

func TestWhatIsRefusedIsAnErrorOfItsSpan(t *testing.T) {
	f := start(t)
	outcome := make(chan error, 1)
	f.tracing.PublishFunc(f.ctx, f.producer, spillway.Record{Key: make([]byte, 2000), Value: []byte("x")},
		func(_ spillway.Ack, err error) { outcome <- err })
	if err := <-outcome; !errors.Is(err, spillway.ErrTooLarge) {
		t.Fatalf("refused with %v", err)
	}
	send := f.span("send orders")
	f.is("status", send.Status().Code, codes.Error)
	f.is("error", attributeOf(send, "error.type"), "TOO_LARGE")
}

func TestARecordKeepsTheContextItHas(t *testing.T) {
	f := start(t)
	const others = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	_, err := f.tracing.Publish(f.ctx, f.producer, spillway.Record{Value: []byte("one"), TraceParent: others})
	f.require(err)
	f.consume(func(_ context.Context, m *spillway.Message) (bool, error) {
		f.is("context", m.TraceParent(), others)
		return true, nil
	})
	f.is("link of send", f.span("send orders").Links()[0].SpanContext.SpanID().String(), "00f067aa0ba902b7")
	f.is("trace of process", f.span("process orders").SpanContext().TraceID().String(), "4bf92f3577b34da6a3ce929d0e0e4736")
}

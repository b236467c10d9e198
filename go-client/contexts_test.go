package spillway_test

import (
	"context"
	"errors"
	"testing"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

// What a caller's context ended says so; what one of the client's own timeouts ended does not.
func TestErrorsTellWhetherTheContextEndedTheCall(t *testing.T) {
	b := startBroker(t)
	c, hasty := b.client(), b.client(spillway.WithRequestTimeout(100*time.Millisecond))
	topic := b.topic(c, 1)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic, spillway.WithBufferBytes(1<<10), spillway.WithDeliveryTimeout(time.Minute)))
	s := group(t, c, topic)
	publish(t, c, topic, "a")
	m := fetch(t, s)
	b.kill()
	under := p.PublishAsync(soon(t), spillway.Record{Value: make([]byte, 900)})
	m.Ack()
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	over, cancel := context.WithTimeout(context.Background(), time.Nanosecond)
	defer cancel()
	second := func(_ any, err error) error { return err }

	for name, call := range map[string]func(context.Context) error{
		"Ack": func(ctx context.Context) error { return second(under.Ack(ctx)) },
		"Publish": func(ctx context.Context) error {
			return second(p.Publish(ctx, spillway.Record{Value: make([]byte, 900)}))
		},
		"PublishAsync": func(ctx context.Context) error {
			return second(p.PublishAsync(ctx, spillway.Record{Value: make([]byte, 900)}).Ack(soon(t)))
		},
		"Flush":     p.Flush,
		"FlushAcks": s.FlushAcks,
		"Fetch":     func(ctx context.Context) error { return second(s.Fetch(ctx, 1)) },
		"Admin":     func(ctx context.Context) error { return second(c.Admin().ListTopics(ctx)) },
		"Producer":  func(ctx context.Context) error { return second(c.Producer(ctx, topic)) },
		"Subscribe": func(ctx context.Context) error { return second(c.Subscribe(ctx, topic, spillway.WithGroup("g"))) },
		"Connect": func(ctx context.Context) error {
			return second(spillway.Connect(ctx, spillway.WithEndpoints(b.endpoint), spillway.WithWaitForBroker(time.Minute)))
		},
	} {
		if err := call(canceled); !errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s with a cancelled context: %v", name, err)
		}
		if err := call(over); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			t.Errorf("%s with a context that is over: %v", name, err)
		}
	}
	_, err := hasty.Admin().ListTopics(soon(t)) // the request timeout ends it
	if !errors.Is(err, spillway.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the option's timeout: %v", err)
	}
	if _, err := hasty.Subscribe(soon(t), topic, spillway.WithGroup("g")); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the option's timeout: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := p.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: %v", err)
	}
}

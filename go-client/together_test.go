package spillway_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

// TestEverythingAtOnce has many goroutines use everything of a client, callbacks included, while the broker is killed and
// comes back: every record published has one outcome, every one acked arrives, and nothing is left running. It is for the
// race detector, too.
func TestEverythingAtOnce(t *testing.T) {
	const publishers, each = 8, 500
	b := startBroker(t)
	c := b.client()
	topic := b.topic(c, 3)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic, spillway.WithBufferBytes(16<<10), spillway.WithMaxBlock(patience)))
	ctx, cancel := context.WithCancel(soon(t))
	defer cancel()

	var acked, arrived sync.Map
	var outcomes, chained atomic.Int32
	var pending sync.WaitGroup
	settle := func(name string) func(spillway.Ack, error) {
		pending.Add(1)
		return func(_ spillway.Ack, err error) {
			defer pending.Done()
			outcomes.Add(1)
			if err == nil {
				acked.Store(name, true)
			} else if !errors.Is(err, spillway.ErrOutcomeUnknown) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	record := func(name string) spillway.Record {
		return spillway.Record{Key: []byte(name), Value: []byte(name), IdempotencyKey: []byte(name)}
	}
	var workers sync.WaitGroup
	for worker := range publishers {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := range each {
				name := fmt.Sprintf("%d-%d", worker, i)
				switch i % 4 {
				case 0:
					outcome, next := settle(name), settle(name+"-next")
					p.PublishFunc(ctx, record(name), func(ack spillway.Ack, err error) {
						outcome(ack, err)
						// A callback may publish, as long as it does not wait.
						if f, ok := p.TryPublish(record(name + "-next")); ok {
							chained.Add(1)
							go func() { next(f.Ack(ctx)) }()
						} else {
							pending.Done()
						}
					})
				case 1:
					settle(name)(p.Publish(ctx, record(name)))
				default:
					f, outcome := p.PublishAsync(ctx, record(name)), settle(name)
					go func() { outcome(f.Ack(ctx)) }()
				}
			}
		}()
	}
	var consumers sync.WaitGroup
	for range 2 {
		s := group(t, c, topic)
		consumers.Add(2)
		go func() {
			defer consumers.Done()
			if err := s.Consume(ctx, 3, func(_ context.Context, m *spillway.Message) error {
				arrived.Store(string(m.Value), true)
				return nil
			}); err != nil {
				t.Error(err)
			}
		}()
		go func() {
			defer consumers.Done()
			for ctx.Err() == nil {
				_ = s.FlushAcks(ctx) // ends with the context
				s.Partitions()
				_ = p.Flush(ctx)
				_, _ = c.Admin().ListTopics(ctx) // fails while there is no broker
			}
		}()
	}
	until(t, "half of the outcomes", func() bool { return outcomes.Load() > publishers*each/2 })
	b.kill()
	b.restart()
	workers.Wait()
	pending.Wait()
	until(t, "all that was acked", func() bool {
		missing := 0
		acked.Range(func(name, _ any) bool {
			if _, ok := arrived.Load(name); !ok {
				missing++
			}
			return true
		})
		return missing == 0
	})
	cancel()
	consumers.Wait()
	if err := c.Close(soon(t)); err != nil {
		t.Error(err)
	}
	if want := int32(publishers*each) + chained.Load(); outcomes.Load() != want {
		t.Errorf("%d outcomes of %d records", outcomes.Load(), want)
	}
}

// until waits for what cannot be waited for otherwise.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !holds(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatal("not in time: " + what)
		}
	}
}

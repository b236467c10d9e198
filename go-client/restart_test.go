package spillway_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

func TestLosesAndDoublesNothingWhenTheBrokerIsKilled(t *testing.T) {
	const n = 30_000
	b := startBroker(t)
	c := b.client()
	topic := b.topic(c, 2)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	s := group(t, c, topic)
	published := make(chan []spillway.Future, 1)
	half := make(chan struct{})
	go func() {
		var futures []spillway.Future
		for i := range n {
			if i == n/2 {
				close(half)
			}
			futures = append(futures, p.PublishAsync(context.Background(), spillway.Record{Value: fmt.Append(nil, i)}))
		}
		published <- futures
	}()

	<-half
	b.kill()
	b.restart()

	for i, f := range <-published {
		if ack, err := f.Ack(soon(t)); err != nil {
			t.Fatalf("record %d has no ack: %+v, %v", i, ack, err)
		}
	}
	described := open[*spillway.Topic](t)(c.Admin().DescribeTopic(soon(t), topic))
	if stored := described.Partitions[0].EndOffset + described.Partitions[1].EndOffset; stored != n {
		t.Errorf("%d records are stored, not %d", stored, n)
	}
	seen := map[string]bool{}
	for m, err := range s.Messages(soon(t)) {
		if err != nil {
			t.Fatal(err)
		}
		m.Ack()
		if seen[string(m.Value)] = true; len(seen) == n {
			break
		}
	}
	if len(seen) != n {
		t.Errorf("%d records arrived", len(seen))
	}
}

func TestTellsWhatWasSentFromWhatWasNot(t *testing.T) {
	b := startBroker(t)
	c := b.client()
	p := open[*spillway.Producer](t)(c.Producer(soon(t), b.topic(c, 1), spillway.WithDeliveryTimeout(300*time.Millisecond)))
	b.kill()

	_, err := p.Publish(soon(t), spillway.Record{Value: []byte("x")})

	// The kill may be noticed before the record is sent or after.
	if !errors.Is(err, spillway.ErrDeadlineExceeded) && !errors.Is(err, spillway.ErrOutcomeUnknown) {
		t.Errorf("the first error is %v", err)
	}
	_, err = p.Publish(soon(t), spillway.Record{Value: []byte("y")})
	if !errors.Is(err, spillway.ErrDeadlineExceeded) {
		t.Errorf("without a connection nothing is sent; the error is %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_ = c.Close(ctx) // it may say that records have no outcome
	if took := time.Since(begun); took > patience/2 {
		t.Errorf("closing took %v", took)
	}
}

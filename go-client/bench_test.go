package spillway_test

import (
	"context"
	"fmt"
	"testing"

	spillway "github.com/spillway-io/spillway/go-client"
)

// BenchmarkPublish: one goroutine publishes as fast as the buffer lets it, to one partition of a broker next door.
func BenchmarkPublish(b *testing.B) {
	for _, size := range []int{128, 1024} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			bk := startBroker(b)
			c := bk.client()
			p := open[*spillway.Producer](b)(c.Producer(soon(b), bk.topic(c, 1), spillway.WithDurability(spillway.Mapped)))
			ctx, record := context.Background(), spillway.Record{Value: make([]byte, size)}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()

			for range b.N {
				p.PublishAsync(ctx, record)
			}
			if err := p.Flush(soon(b)); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkConsume: one goroutine reads what is there already, as a group that acks each record, and as a reader.
func BenchmarkConsume(b *testing.B) {
	for name, opts := range map[string][]spillway.SubscribeOption{
		"group":  {spillway.WithGroup("g")},
		"reader": {spillway.WithStart(spillway.StartEarliest())},
	} {
		for _, size := range []int{128, 1024} {
			b.Run(fmt.Sprintf("%s/%dB", name, size), func(b *testing.B) { consumeAll(b, size, opts) })
		}
	}
}

func consumeAll(b *testing.B, size int, opts []spillway.SubscribeOption) {
	bk := startBroker(b)
	c := bk.client()
	topic := bk.topic(c, 1)
	p := open[*spillway.Producer](b)(c.Producer(soon(b), topic, spillway.WithDurability(spillway.Mapped)))
	record := spillway.Record{Value: make([]byte, size)}
	for range b.N {
		p.PublishAsync(context.Background(), record)
	}
	if err := p.Flush(soon(b)); err != nil {
		b.Fatal(err)
	}
	s := open[*spillway.Subscription](b)(c.Subscribe(soon(b), topic, opts...))
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.ResetTimer()

	for seen := 0; seen < b.N; {
		messages, err := s.Fetch(soon(b), 1024)
		if err != nil {
			b.Fatal(err)
		}
		for _, m := range messages {
			m.Ack()
		}
		seen += len(messages)
	}
}

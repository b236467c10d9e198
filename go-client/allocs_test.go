package spillway_test

import (
	"testing"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

// What is allocated belongs to batches. The linger makes them full ones, whatever the machine's pace.
func TestPublishingAllocatesNothingForARecord(t *testing.T) {
	const n, most = 20_000, 0.25
	b := startBroker(t)
	c := b.client()
	p := open[*spillway.Producer](t)(c.Producer(soon(t), b.topic(c, 1), spillway.WithLinger(time.Minute)))
	ctx := soon(t)
	key := []byte("4711")
	for name, record := range map[string]spillway.Record{
		"128 B": {Value: make([]byte, 128)}, "1 KiB": {Value: make([]byte, 1024)}, "with a key": {Key: key, Value: make([]byte, 128)},
	} {
		allocations := testing.AllocsPerRun(3, func() {
			for range n {
				p.PublishAsync(ctx, record)
			}
			if err := p.Flush(ctx); err != nil {
				t.Fatal(err)
			}
		})

		t.Logf("%s: %.4f allocations for a record", name, allocations/n)
		if allocations/n > most {
			t.Errorf("%s: %.2f allocations for a record", name, allocations/n)
		}
	}
}

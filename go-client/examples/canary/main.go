// Command canary publishes a record, consumes it and acks it, again and again, and says how long each round trip took: what an
// application needs of the broker, its network included.
//
//	go run ./examples/canary -endpoint 127.0.0.1:7400 -every 1s
//	go run ./examples/canary -once
//
// Its topic is spillway.canary.go, which it makes when it is not there. Each record says how long the round trip before took, so
// that "spillway canary --language go" can tell whether the canary is alive. It exits with 1 when the last round trip failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

const topic = "spillway.canary.go"

func main() {
	endpoint := flag.String("endpoint", "127.0.0.1:7400", "where the broker listens, `host:port`")
	every := flag.Duration("every", time.Second, "between two round trips")
	once := flag.Bool("once", false, "one round trip")
	within := flag.Duration("within", 10*time.Second, "how long a round trip may take")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	if err := run(ctx, *endpoint, *every, *within, *once); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, endpoint string, every, within time.Duration, once bool) error {
	client, err := spillway.Connect(ctx, spillway.WithEndpoints(endpoint), spillway.WithClientName("canary-go"),
		spillway.WithRequestTimeout(within))
	if err != nil {
		return err
	}
	c := &canary{client: client, within: within, name: fmt.Sprintf("canary-%d-%d", os.Getpid(), time.Now().UnixNano())}
	if err = c.open(ctx); err == nil {
		err = c.fly(ctx, every, once)
	}
	c.close()
	return err
}

type canary struct {
	client       *spillway.Client
	producer     *spillway.Producer
	subscription *spillway.Subscription
	within       time.Duration
	name         string // of its group, in which it is alone
	number       int
	last         time.Duration
}

func (c *canary) open(ctx context.Context) error {
	if _, err := c.client.Admin().CreateTopic(ctx, topic, 1, map[string]string{"retention.ms": "600000"}); err != nil {
		return err
	}
	var err error
	if c.subscription, err = c.client.Subscribe(ctx, topic, spillway.WithGroup(c.name),
		spillway.WithStart(spillway.StartLatest())); err != nil {
		return err
	}
	c.producer, err = c.client.Producer(ctx, topic, spillway.WithDeliveryTimeout(c.within), spillway.WithMaxBlock(c.within))
	return err
}

// fly goes on until the signal; its error is that of the last round trip.
func (c *canary) fly(ctx context.Context, every time.Duration, once bool) error {
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		err := c.roundTrip(ctx)
		switch {
		case err == nil:
			fmt.Printf("go ok %.1f ms\n", milliseconds(c.last))
		case ctx.Err() != nil:
			return nil // what the signal cut short has not failed
		case !once:
			fmt.Println("go failed", err)
		}
		if once {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-ticks.C:
		}
	}
}

func (c *canary) roundTrip(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.within)
	defer cancel()
	c.number++
	value := fmt.Appendf(nil, `{"language":"go","run":%q,"number":%d,"last_ms":%.3f}`, c.name, c.number, milliseconds(c.last))
	begin := time.Now()
	ack, err := c.producer.Publish(ctx, spillway.Record{Value: value})
	if err != nil {
		return err
	}
	for came := false; !came; {
		// Others may publish there too, and what an earlier round trip gave up may still come.
		messages, err := c.subscription.Fetch(ctx, 16)
		if err != nil {
			return fmt.Errorf("record %d of %s was acked, and did not come back within %s: %w", ack.Offset, topic, c.within, err)
		}
		for _, m := range messages {
			came = came || m.Offset == ack.Offset
			m.Ack()
		}
	}
	if err := c.subscription.FlushAcks(ctx); err != nil {
		return err
	}
	c.last = time.Since(begin)
	return nil
}

func (c *canary) close() {
	ctx, cancel := context.WithTimeout(context.Background(), c.within)
	defer cancel()
	if c.subscription != nil {
		// The outcome of the flight counts; what cannot be tidied up goes with the topic's retention.
		_ = c.subscription.Close(ctx)
		_ = c.client.Admin().DeleteGroup(ctx, topic, c.name)
	}
	_ = c.client.Close(ctx)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Command consumer reads a topic as a member of a group and acks what it gets. Its last line is a JSON object: how much was
// received, how much of it different, and a digest that the producer's must equal.
//
//	go run ./examples/consumer -endpoint 127.0.0.1:7400 -topic packages -group readers -idle 5s
//
// It ends after -count different records, when nothing came for the time of -idle, or with SIGTERM or SIGINT, and acks what
// it has handled before it leaves.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
	"github.com/spillway-io/spillway/go-client/examples/internal/digest"
)

// summary is the last line of the output.
type summary struct {
	Received    int    `json:"received"`
	Redelivered int    `json:"redelivered"` // deliveries after a record's first
	Distinct    int    `json:"distinct"`
	Digest      string `json:"digest"`
}

func main() {
	endpoint := flag.String("endpoint", "127.0.0.1:7400", "where the broker listens, `host:port`")
	topic := flag.String("topic", "", "the topic, which must exist")
	group := flag.String("group", "", "the group, which begins with its first member")
	count := flag.Int("count", 0, "end after this many different records; 0 = no limit")
	idle := flag.Duration("idle", 0, "end when nothing came for this long; 0 = never")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	s, err := run(ctx, *endpoint, *topic, *group, *count, *idle)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, endpoint, topic, group string, count int, idle time.Duration) (*summary, error) {
	client, err := spillway.Connect(ctx, spillway.WithEndpoints(endpoint), spillway.WithClientName("example-consumer"),
		spillway.WithWaitForBroker(30*time.Second))
	if err != nil {
		return nil, err
	}
	subscription, err := client.Subscribe(ctx, topic, spillway.WithGroup(group))
	if err == nil {
		var s *summary
		if s, err = consume(ctx, subscription, count, idle); err == nil {
			// Close sends the acks and waits until the broker has them.
			return s, client.Close(context.Background())
		}
	}
	_ = client.Close(context.Background()) // the first error says more
	return nil, err
}

func consume(ctx context.Context, subscription *spillway.Subscription, count int, idle time.Duration) (*summary, error) {
	s := &summary{}
	var sum digest.Sum
	for count == 0 || sum.Distinct() < count {
		messages, err := fetch(ctx, subscription, idle)
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			break // the signal, or nothing came
		}
		if err != nil {
			return nil, err
		}
		for i, m := range messages {
			if count > 0 && sum.Distinct() == count {
				for _, rest := range messages[i:] {
					rest.Release()
				}
				break
			}
			s.Received++
			if m.Attempt > 1 {
				s.Redelivered++
			}
			sum.Add(m.Partition, m.Offset, m.Key, m.Value)
			m.Ack()
		}
	}
	s.Distinct, s.Digest = sum.Distinct(), sum.String()
	return s, nil
}

func fetch(ctx context.Context, subscription *spillway.Subscription, idle time.Duration) ([]*spillway.Message, error) {
	if idle > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, idle)
		defer cancel()
	}
	return subscription.Fetch(ctx, 1024)
}

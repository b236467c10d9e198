// Command producer publishes the paragraphs of a file, such as a Debian package index, each under the key of its Package
// field. Its last line is a JSON object: what it read, what was acked, how much of that was there already, what failed, and
// a digest that the consumer's must equal.
//
//	go run ./examples/producer -endpoint 127.0.0.1:7400 -topic packages -file /tmp/packages
//
// With -idempotency-prefix paragraph number i, from 0, has that prefix and i as its idempotency key: run again within the
// topic's window, the same file is stored once.
//
// SIGTERM or SIGINT ends the reading; what was published before still gets its outcome.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
	"github.com/spillway-io/spillway/go-client/examples/internal/digest"
)

// summary is the last line of the output.
type summary struct {
	Read     int            `json:"read"`
	Acked    int            `json:"acked"`
	Again    int            `json:"duplicates"` // of the acked, those that were there before
	Failed   map[string]int `json:"failed"`     // by reason
	Distinct int            `json:"distinct"`
	Digest   string         `json:"digest"`
}

type published struct {
	key, value []byte
	outcome    spillway.Future
}

func main() {
	endpoint := flag.String("endpoint", "127.0.0.1:7400", "where the broker listens, `host:port`")
	topic := flag.String("topic", "", "the topic, which must exist")
	file := flag.String("file", "", "paragraphs separated by blank lines")
	prefix := flag.String("idempotency-prefix", "", "of the idempotency keys; empty: none")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	s, err := run(ctx, *endpoint, *topic, *file, *prefix)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	if len(s.Failed) > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, endpoint, topic, file, prefix string) (*summary, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	client, err := spillway.Connect(ctx, spillway.WithEndpoints(endpoint), spillway.WithClientName("example-producer"),
		spillway.WithWaitForBroker(30*time.Second))
	if err != nil {
		return nil, err
	}
	// Two minutes: a broker that comes back within them has cost nothing.
	producer, err := client.Producer(ctx, topic, spillway.WithDeliveryTimeout(2*time.Minute), spillway.WithMaxBlock(2*time.Minute))
	if err == nil {
		var s *summary
		if s, err = publish(ctx, producer, in, prefix); err == nil {
			return s, client.Close(context.Background())
		}
	}
	_ = client.Close(context.Background()) // the first error says more
	return nil, err
}

// publish hands the records over in this goroutine and takes their outcomes in another.
func publish(ctx context.Context, producer *spillway.Producer, in io.Reader, prefix string) (*summary, error) {
	s := &summary{Failed: map[string]int{}}
	under := make(chan published, 1<<16)
	settled := make(chan struct{})
	go func() {
		defer close(settled)
		s.settle(under)
	}()
	paragraphs := bufio.NewScanner(in)
	paragraphs.Buffer(nil, 1<<20)
	paragraphs.Split(splitParagraphs)
	for ctx.Err() == nil && paragraphs.Scan() {
		value := bytes.Clone(paragraphs.Bytes())
		record := spillway.Record{Key: packageOf(value), Value: value}
		if prefix != "" {
			record.IdempotencyKey = fmt.Appendf(nil, "%s%d", prefix, s.Read)
		}
		s.Read++
		// Without the signal's context: what was read is published.
		under <- published{record.Key, value, producer.PublishAsync(context.Background(), record)}
	}
	close(under)
	<-settled
	return s, paragraphs.Err()
}

func (s *summary) settle(under <-chan published) {
	var sum digest.Sum
	for p := range under {
		ack, err := p.outcome.Ack(context.Background()) // the delivery timeout ends it
		if err != nil {
			s.Failed[reason(err)]++
			continue
		}
		s.Acked++
		if ack.Duplicate {
			s.Again++
		}
		sum.Add(ack.Partition, ack.Offset, p.key, p.value)
	}
	s.Distinct, s.Digest = sum.Distinct(), sum.String()
}

func reason(err error) string {
	if e, ok := err.(*spillway.Error); ok {
		return e.Reason
	}
	return err.Error()
}

// splitParagraphs is a bufio.SplitFunc: paragraphs end at blank lines, which belong to none.
func splitParagraphs(data []byte, atEOF bool) (advance int, token []byte, err error) {
	start := 0
	for start < len(data) && data[start] == '\n' {
		start++
	}
	if end := bytes.Index(data[start:], []byte("\n\n")); end >= 0 {
		return start + end + 2, data[start : start+end], nil
	}
	if atEOF && start < len(data) {
		return len(data), bytes.TrimRight(data[start:], "\n"), nil
	}
	return start, nil, nil
}

// packageOf is the value of the Package field; nil without one.
func packageOf(paragraph []byte) []byte {
	for line := range bytes.Lines(paragraph) {
		if name, ok := bytes.CutPrefix(line, []byte("Package:")); ok {
			return bytes.TrimSpace(name)
		}
	}
	return nil
}

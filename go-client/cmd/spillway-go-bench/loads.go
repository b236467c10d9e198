package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

func produce(ctx context.Context, client *spillway.Client, p *plan) (map[string]any, error) {
	producer, err := client.Producer(ctx, p.topic, spillway.WithDurability(p.durability))
	if err != nil {
		return nil, err
	}
	var failed outcomes
	heard := failed.hear
	record := spillway.Record{Value: make([]byte, p.size)}
	begun, records := time.Now(), 0
	for ctx.Err() == nil && (records&0x3ff != 0 || !p.isOver(records, begun)) {
		producer.PublishFunc(ctx, record, heard)
		records++
	}
	if err := producer.Flush(context.Background()); err != nil {
		return nil, err
	}
	took := time.Since(begun)
	return map[string]any{"records": records, "seconds": took.Seconds(), "records_per_s": perSecond(records, took)}, failed.err()
}

// outcomes counts what failed.
type outcomes struct {
	failed atomic.Int64
	first  atomic.Pointer[error]
}

func (o *outcomes) hear(_ spillway.Ack, err error) {
	if err != nil && o.failed.Add(1) == 1 {
		o.first.Store(&err)
	}
}

func (o *outcomes) err() error {
	if first := o.first.Load(); first != nil {
		return fmt.Errorf("%d records failed, the first with: %w", o.failed.Load(), *first)
	}
	return nil
}

// consume reads what is there: from the first record on, as a reader or as a new group. The clock runs from the first
// message to the last.
func consume(ctx context.Context, client *spillway.Client, p *plan) (map[string]any, error) {
	opts := []spillway.SubscribeOption{spillway.WithStart(spillway.StartEarliest())}
	if p.group != "" {
		opts = append(opts, spillway.WithGroup(p.group))
	}
	subscription, err := client.Subscribe(ctx, p.topic, opts...)
	if err != nil {
		return nil, err
	}
	limit := time.Minute // a count that never comes must not wait for ever
	if p.count == 0 {
		limit = time.Duration(p.seconds * float64(time.Second))
	}
	wait, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var begun time.Time
	records, bytes := 0, 0
	for records == 0 || !p.isOver(records, begun) {
		messages, err := subscription.Fetch(wait, 1024)
		if errors.Is(err, context.DeadlineExceeded) && p.count == 0 && records > 0 {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("after %d records: %w", records, err)
		}
		if records == 0 {
			begun = time.Now()
		}
		for _, m := range messages {
			bytes += len(m.Value)
			m.Ack()
		}
		records += len(messages)
	}
	if err := subscription.FlushAcks(ctx); err != nil {
		return nil, err
	}
	took := time.Since(begun)
	return map[string]any{"records": records, "bytes": bytes, "seconds": took.Seconds(),
		"records_per_s": perSecond(records, took)}, nil
}

// latency is an open loop: records fall due at fixed times, and latency counts from then, also for those that had to wait.
func latency(ctx context.Context, client *spillway.Client, p *plan) (map[string]any, error) {
	producer, err := client.Producer(ctx, p.topic, spillway.WithDurability(p.durability))
	if err != nil {
		return nil, err
	}
	reading, err := spillway.Connect(ctx, spillway.WithEndpoints(p.endpoint), spillway.WithClientName("spillway-go-bench-reader"))
	if err != nil {
		return nil, err
	}
	defer reading.Close(context.Background())
	subscription, err := reading.Subscribe(ctx, p.topic) // a reader that begins at the end
	if err != nil {
		return nil, err
	}
	total := p.count
	if total == 0 {
		total = int(p.seconds * float64(p.rate))
	}
	warmUp := total / 5
	begun := time.Now()
	due := func(i int) time.Time {
		return begun.Add(time.Duration(float64(i) / float64(p.rate) * float64(time.Second)))
	}
	acked, consumed := &samples{}, make(chan *samples, 1)
	readCtx, cancel := context.WithDeadline(ctx, due(total).Add(30*time.Second))
	defer cancel()
	var readErr error
	go func() {
		var seen *samples
		seen, readErr = readAll(readCtx, subscription, total, warmUp, due)
		consumed <- seen
	}()
	var failed outcomes
	for i := 0; i < total && ctx.Err() == nil; {
		sleepUntil(due(i))
		for ; i < total && !time.Now().Before(due(i)); i++ {
			at, counts := due(i), i >= warmUp
			record := spillway.Record{Value: binary.BigEndian.AppendUint64(make([]byte, 0, p.size), uint64(i))[:p.size]}
			producer.PublishFunc(ctx, record, func(ack spillway.Ack, err error) {
				failed.hear(ack, err)
				if counts {
					acked.add(time.Since(at))
				}
			})
		}
	}
	if err := producer.Flush(context.Background()); err != nil {
		return nil, err
	}
	seen := <-consumed
	if err := errors.Join(failed.err(), readErr); err != nil {
		return nil, err
	}
	return map[string]any{"records": total, "rate": p.rate, "records_per_s": perSecond(total, time.Since(begun)),
		"ack_us": acked.percentiles(), "consume_us": seen.percentiles()}, nil
}

// sleepUntil that time. Not by time.Sleep: in an idle process that wakes up to a millisecond late. The kernel is some 60 us late;
// the rest is spun.
func sleepUntil(due time.Time) {
	const wakeUp = 60 * time.Microsecond
	for wait := time.Until(due); wait > 0; wait = time.Until(due) {
		if wait > wakeUp {
			left := syscall.NsecToTimespec((wait - wakeUp).Nanoseconds())
			_ = syscall.Nanosleep(&left, nil) // a signal ends it early; then it goes on
		}
	}
}

func readAll(ctx context.Context, subscription *spillway.Subscription, total, warmUp int, due func(int) time.Time) (*samples, error) {
	seen := &samples{}
	for n := 0; n < total; {
		messages, err := subscription.Fetch(ctx, 1024)
		if err != nil {
			return seen, fmt.Errorf("%d of %d records arrived: %w", n, total, err)
		}
		for _, m := range messages {
			if i := int(binary.BigEndian.Uint64(m.Value)); i >= warmUp {
				seen.add(time.Since(due(i)))
			}
		}
		n += len(messages)
	}
	return seen, nil
}

// samples of a latency. Safe for concurrent use.
type samples struct {
	mu   sync.Mutex
	took []time.Duration
}

func (s *samples) add(d time.Duration) {
	s.mu.Lock()
	s.took = append(s.took, d)
	s.mu.Unlock()
}

func (s *samples) percentiles() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.took)
	result := map[string]int64{}
	for name, perMille := range map[string]int{"p50": 500, "p99": 990, "p99.9": 999} {
		if n := len(s.took); n > 0 {
			result[name] = s.took[min(n-1, n*perMille/1000)].Microseconds()
		}
	}
	return result
}

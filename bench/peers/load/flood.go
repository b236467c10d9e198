package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

const keys = 10_000

// flood publishes as fast as outcomes come, each producer on a goroutine of its own, until stop.
type flood struct {
	outcomes []*outcomes
	stopped  atomic.Bool
	ended    sync.WaitGroup
	mu       sync.Mutex
	err      error
}

func (s *session) flood(ctx context.Context, limit int) (*flood, error) {
	f := &flood{}
	var producers []producer
	for range s.plan.producers {
		o := &outcomes{}
		producer, err := s.producer(ctx, s.topics, o)
		if err != nil {
			return nil, fmt.Errorf("open a producer: %w", err)
		}
		producers, f.outcomes = append(producers, producer), append(f.outcomes, o)
	}
	for i, producer := range producers {
		f.ended.Add(1)
		go func() {
			defer f.ended.Done()
			f.run(ctx, s.plan, producer, i, limit/s.plan.producers)
		}()
	}
	return f, nil
}

func (f *flood) run(ctx context.Context, p *plan, producer producer, index, limit int) {
	defer producer.close()
	source := newSource(p, index)
	for n := 0; (limit == 0 || n < limit) && !f.stopped.Load() && f.outcomes[index].failed.Load() == 0 && ctx.Err() == nil; n++ {
		producer.publish(source.next())
	}
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := errors.Join(f.outcomes[index].err(), producer.flush(wait)); err != nil {
		f.mu.Lock()
		f.err = errors.Join(f.err, err)
		f.mu.Unlock()
	}
}

func (f *flood) acked() (sum int64) {
	for _, o := range f.outcomes {
		sum += o.acks.Load()
	}
	return sum
}

// stop waits for the outcomes of all that was sent.
func (f *flood) stop() error {
	f.stopped.Store(true)
	return f.wait()
}

func (f *flood) wait() error {
	f.ended.Wait()
	return f.err
}

// source makes the records of one producer; each is the one before it with another key, id and topic.
type source struct {
	record
	plan *plan
	keys [][]byte
	n    uint64
	base uint64
}

func newSource(p *plan, index int) *source {
	s := &source{plan: p, base: uint64(index+1) << 40}
	s.value = sampleValue(p.size)
	if p.keyed {
		for i := range keys {
			s.keys = append(s.keys, fmt.Appendf(nil, "key-%05d", i))
		}
	}
	return s
}

func (s *source) next() *record {
	s.n++
	s.topic = int(s.n % uint64(s.plan.topics))
	if s.plan.keyed {
		s.key = s.keys[(s.n*7919)%keys]
	}
	if s.plan.idempotent {
		s.id = s.base + s.n
	}
	return &s.record
}

// sampleValue is the same each time, and does not compress.
func sampleValue(size int) []byte {
	value, state := make([]byte, size), uint64(0x9e3779b97f4a7c15)
	for i := range value {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		value[i] = byte(state >> 32)
	}
	return value
}

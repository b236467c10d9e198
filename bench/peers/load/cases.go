package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

type result = map[string]any

var loads = map[string]func(context.Context, *plan) (result, error){
	"publish": publish, "group": publishAndConsume, "latency": latency, "drain": drain, "first": first,
}

// patience is for what must come, once nothing more is sent.
const patience = 60 * time.Second

// session is a peer with its topics made, of which close leaves nothing.
type session struct {
	peer
	plan   *plan
	topics []string
}

func open(ctx context.Context, p *plan) (*session, error) {
	connect := connects[p.peer]
	if connect == nil {
		return nil, fmt.Errorf("there is no peer %q; next: load %s --help", p.peer, p.load)
	}
	s := &session{plan: p}
	for i := range p.topics {
		s.topics = append(s.topics, fmt.Sprintf("bench-%s-%d", p.run, i))
	}
	var err error
	if s.peer, err = connect(ctx, p); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if err := s.create(ctx, s.topics); err != nil {
		s.peer.close()
		return nil, fmt.Errorf("create %d topics: %w", p.topics, err)
	}
	return s, nil
}

func (s *session) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := s.remove(ctx, s.topics)
	s.peer.close()
	return err
}

func publish(ctx context.Context, p *plan) (result, error) {
	s, err := open(ctx, p)
	if err != nil {
		return nil, err
	}
	f, err := s.flood(ctx, 0)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	perSecond, took := measured(ctx, p, f.acked)
	if err := errors.Join(f.stop(), s.close()); err != nil {
		return nil, err
	}
	return result{"acked_per_s": perSecond[0], "seconds": took, "acked": f.acked()}, nil
}

// measured is what the counters rise by in a second, after the warm-up.
func measured(ctx context.Context, p *plan, counters ...func() int64) (perSecond []float64, seconds float64) {
	wait(ctx, p.warmUp)
	before, begun := make([]int64, len(counters)), time.Now()
	for i, counter := range counters {
		before[i] = counter()
	}
	wait(ctx, p.seconds)
	seconds = time.Since(begun).Seconds()
	for i, counter := range counters {
		perSecond = append(perSecond, float64(counter()-before[i])/seconds)
	}
	return perSecond, seconds
}

func wait(ctx context.Context, seconds float64) {
	select {
	case <-time.After(time.Duration(seconds * float64(time.Second))):
	case <-ctx.Done():
	}
}

func publishAndConsume(ctx context.Context, p *plan) (result, error) {
	p.topics = 1
	s, err := open(ctx, p)
	if err != nil {
		return nil, err
	}
	var consumed atomic.Int64
	consumer, err := s.consumer(ctx, s.topics[0], "g-"+p.run, func([]byte) { consumed.Add(1) })
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a consumer: %w", err), s.close())
	}
	var f *flood
	if err = s.prime(ctx, func() bool { return consumed.Load() > 0 }); err == nil {
		consumed.Store(0)
		f, err = s.flood(ctx, 0)
	}
	if err != nil {
		consumer.close()
		return nil, errors.Join(err, s.close())
	}
	perSecond, took := measured(ctx, p, f.acked, consumed.Load)
	if err := f.stop(); err != nil {
		consumer.close()
		return nil, errors.Join(err, s.close())
	}
	begun := time.Now()
	complete := until(ctx, patience, func() bool { return consumed.Load() >= f.acked() })
	behind := time.Since(begun).Seconds()
	consumer.close()
	if err := s.close(); err != nil {
		return nil, err
	}
	if !complete {
		return nil, fmt.Errorf("%d records were acked, and %d of them have arrived", f.acked(), consumed.Load())
	}
	return result{"acked_per_s": perSecond[0], "consumed_per_s": perSecond[1], "seconds": took, "behind_s": behind, "acked": f.acked()}, nil
}

// prime publishes a record of zeros and waits until it has arrived: how long a group takes to come together is not what is measured.
func (s *session) prime(ctx context.Context, arrived func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	o := &outcomes{}
	producer, err := s.producer(ctx, s.topics, o)
	if err != nil {
		return fmt.Errorf("open a producer: %w", err)
	}
	record := newSource(s.plan, s.plan.producers).next()
	record.value = make([]byte, s.plan.size)
	producer.publish(record)
	err = errors.Join(producer.flush(ctx), o.err())
	producer.close()
	if err == nil && !until(ctx, patience, arrived) {
		err = errors.New("the first record has not arrived")
	}
	return err
}

func until(ctx context.Context, limit time.Duration, is func() bool) bool {
	for end := time.Now().Add(limit); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) || ctx.Err() != nil {
			return false
		}
	}
	return true
}

// drain publishes first, and then a group that begins at the first record consumes all of it. The clock runs from the first record that
// arrives until the last ack.
func drain(ctx context.Context, p *plan) (result, error) {
	p.topics, p.producers = 1, 1
	s, err := open(ctx, p)
	if err != nil {
		return nil, err
	}
	f, err := s.flood(ctx, p.records)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := f.wait(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	var consumed, firstNs atomic.Int64
	opened := time.Now()
	consumer, err := s.consumer(ctx, s.topics[0], "g-"+p.run, func([]byte) {
		if consumed.Add(1) == 1 {
			firstNs.Store(int64(time.Since(opened)))
		}
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a consumer: %w", err), s.close())
	}
	complete := until(ctx, 2*patience, func() bool { return consumed.Load() >= int64(p.records) })
	if complete {
		flushing, cancel := context.WithTimeout(ctx, patience)
		err = consumer.flush(flushing)
		cancel()
	}
	took := (time.Since(opened) - time.Duration(firstNs.Load())).Seconds()
	consumer.close()
	if err := errors.Join(err, s.close()); err != nil {
		return nil, err
	}
	if !complete {
		return nil, fmt.Errorf("%d of %d records have arrived", consumed.Load(), p.records)
	}
	return result{"consumed_per_s": float64(p.records) / took, "seconds": took, "first_after_s": float64(firstNs.Load()) / 1e9, "acked": f.acked()}, nil
}

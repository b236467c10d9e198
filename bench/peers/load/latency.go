package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"syscall"
	"time"
)

// A rate is not sustained when sending, or the last ack, takes so many times as long as it should; then sending is given up.
const lateShare = 1.25

// latency is an open loop: records fall due at fixed times, and latency counts from then, also for those that had to wait. The time they
// were due is in their first eight bytes.
func latency(ctx context.Context, p *plan) (result, error) {
	p.topics, p.producers = 1, 1
	s, err := open(ctx, p)
	if err != nil {
		return nil, err
	}
	r := &openLoop{plan: p, begun: time.Now()}
	r.countsNs.Store(math.MaxInt64)
	consumer, err := s.consumer(ctx, s.topics[0], "g-"+p.run, r.show)
	if errors.Is(err, errNothingKept) {
		consumer, err = noConsumer{}, nil
		r.ackIsAll = true
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a consumer: %w", err), s.close())
	}
	if !r.ackIsAll {
		if err := s.prime(ctx, func() bool { return r.seen.Load() > 0 }); err != nil {
			consumer.close()
			return nil, errors.Join(err, s.close())
		}
		r.seen.Store(0)
	}
	o := &outcomes{onAck: func(dueNs int64) { r.add(&r.ack, dueNs) }}
	producer, err := s.producer(ctx, s.topics, o)
	if err != nil {
		consumer.close()
		return nil, errors.Join(fmt.Errorf("open a producer: %w", err), s.close())
	}
	sent := r.run(ctx, producer)
	flushing, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = errors.Join(producer.flush(flushing), o.err())
	inTime := r.nowNs() <= r.giveUpNs
	complete := err == nil && (r.ackIsAll || until(ctx, patience, func() bool { return r.seen.Load() >= sent }))
	producer.close()
	consumer.close()
	if err := errors.Join(err, s.close()); err != nil {
		return nil, err
	}
	if !complete {
		return nil, fmt.Errorf("%d of %d records have arrived", r.seen.Load(), sent)
	}
	planned := int64(float64(p.rate) * (p.warmUp + p.seconds))
	return result{"ack_us": r.ack.us(), "consume_us": r.consume.us(), "late_us": r.late.us(), "sent": sent, "sustained": sent >= planned && inTime,
		"acked": o.acks.Load()}, nil
}

type openLoop struct {
	plan               *plan
	begun              time.Time
	firstNs            int64 // the first record is due
	giveUpNs           int64
	countsNs           atomic.Int64 // records that are due later are no warm-up
	ack, consume, late histogram
	seen               atomic.Int64
	ackIsAll           bool // nothing is consumed
}

func (r *openLoop) nowNs() int64 { return int64(time.Since(r.begun)) }

func (r *openLoop) add(to *histogram, dueNs int64) {
	if dueNs >= r.countsNs.Load() {
		to.add(r.nowNs() - dueNs)
	}
}

func (r *openLoop) show(value []byte) {
	r.add(&r.consume, int64(binary.BigEndian.Uint64(value)))
	r.seen.Add(1)
}

// run returns how many records it sent; fewer than planned when the client's window held it up for too long.
func (r *openLoop) run(ctx context.Context, producer producer) int64 {
	p := r.plan
	source := newSource(p, 0)
	sample := source.value
	total := int64(float64(p.rate) * (p.warmUp + p.seconds))
	r.firstNs = r.nowNs() + int64(10*time.Millisecond)
	r.countsNs.Store(r.firstNs + int64(p.warmUp*1e9))
	r.giveUpNs = r.firstNs + int64(lateShare*(p.warmUp+p.seconds)*1e9)
	for i := range total {
		dueNs := r.firstNs + int64(float64(i)*1e9/float64(p.rate))
		r.sleepUntil(dueNs)
		nowNs := r.nowNs()
		if nowNs > r.giveUpNs || ctx.Err() != nil {
			return i
		}
		if dueNs >= r.countsNs.Load() {
			r.late.add(nowNs - dueNs)
		}
		record := source.next()
		record.value = append(make([]byte, 0, p.size), sample...) // clients keep a value until its ack
		binary.BigEndian.PutUint64(record.value, uint64(dueNs))
		record.dueNs = dueNs
		producer.publish(record)
	}
	return total
}

// sleepUntil that time. Not by time.Sleep: in an idle process that wakes up to a millisecond late. The kernel is some 60 us late; the
// rest is spun.
func (r *openLoop) sleepUntil(dueNs int64) {
	const wakeUpNs = 60_000
	for left := dueNs - r.nowNs(); left > 0; left = dueNs - r.nowNs() {
		if left > wakeUpNs {
			pause := syscall.NsecToTimespec(left - wakeUpNs)
			_ = syscall.Nanosleep(&pause, nil) // a signal ends it early; then it goes on
		}
	}
}

package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

var nodes = map[string]spillway.ReadFrom{"leader": spillway.Leader, "nearest": spillway.Nearest}

// reading is one subscription and what the scenario has seen of it.
type reading struct {
	sub *spillway.Subscription

	mu                                 sync.Mutex
	changed                            chan struct{}
	messages                           map[int]*spillway.Message
	lost                               int64
	becameActive                       int
	handled, redelivered, atOnce, most int
}

func newReading() *reading {
	return &reading{changed: make(chan struct{}), messages: map[int]*spillway.Message{}}
}

// change changes the state and wakes who waits for it.
func (r *reading) change(how func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	how()
	close(r.changed)
	r.changed = make(chan struct{})
}

// await waits until the condition holds or the time has passed.
func (r *reading) await(limit time.Duration, holds func() bool) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		r.mu.Lock()
		ok, changed := holds(), r.changed
		r.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-timer.C:
			return false
		}
	}
}

func (r *reading) number(m *spillway.Message) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	number := len(r.messages) + 1
	r.messages[number] = m
	return number
}

func subscribe(d *driver, a *args, r *reading) (*openClient, string, []spillway.SubscribeOption, error) {
	c, err := d.client(a)
	if err != nil {
		return nil, "", nil, err
	}
	topic := a.text("topic")
	options := []spillway.SubscribeOption{spillway.WithOnLostLeases(func(l spillway.LostLeases) {
		r.change(func() { r.lost += l.LastOffset - l.FirstOffset + 1 })
	}), spillway.WithOnActive(func(active bool) {
		if active {
			r.change(func() { r.becameActive++ })
		}
	})}
	if a.has("group") {
		options = append(options, spillway.WithGroup(a.text("group")))
	}
	if a.has("start") {
		start, err := startOf(a.values["start"])
		if err != nil {
			return nil, "", nil, err
		}
		options = append(options, spillway.WithStart(start))
	}
	if a.has("lease_ms") {
		options = append(options, spillway.WithLeaseTime(a.millis("lease_ms", 0)))
	}
	if a.has("max_unacked") {
		options = append(options, spillway.WithMaxUnacked(int(a.number("max_unacked", 0))))
	}
	if a.has("max_deliveries") {
		options = append(options, spillway.WithMaxDeliveries(int(a.number("max_deliveries", 0))))
	}
	if a.has("partitions") {
		var partitions []int
		a.into("partitions", &partitions)
		options = append(options, spillway.WithPartitions(partitions...))
	}
	if a.has("credit_bytes") {
		options = append(options, spillway.WithCreditBytes(a.number("credit_bytes", 0)))
	}
	if a.has("name") {
		options = append(options, spillway.WithConsumerName(a.text("name")))
	}
	if a.flag("standby") {
		options = append(options, spillway.WithStandby())
	}
	if a.has("read_from") {
		node, ok := nodes[a.text("read_from")]
		if !ok {
			return nil, "", nil, driverError("unknown node to read from " + a.text("read_from"))
		}
		options = append(options, spillway.WithReadFrom(node))
	}
	return c, topic, append(options, groupOptions(a)...), nil
}

func groupOptions(a *args) []spillway.SubscribeOption {
	var options []spillway.SubscribeOption
	if a.has("mode") {
		options = append(options, spillway.WithMode(a.mode("mode")))
	}
	if a.has("filter") {
		options = append(options, spillway.WithFilter(a.text("filter")))
	}
	if a.has("retry_backoff_ms") {
		var delays []time.Duration
		for _, ms := range a.numbers("retry_backoff_ms") {
			delays = append(delays, time.Duration(ms)*time.Millisecond)
		}
		options = append(options, spillway.WithRetryBackoff(delays...))
	}
	if a.has("retry_backoff_between_ms") {
		if bounds := a.numbers("retry_backoff_between_ms"); len(bounds) == 2 {
			options = append(options, spillway.WithRetryBackoffBetween(time.Duration(bounds[0])*time.Millisecond,
				time.Duration(bounds[1])*time.Millisecond))
		} else if a.err == nil {
			a.err = driverError("retry_backoff_between_ms has two numbers")
		}
	}
	if a.has("retry_jitter_percent") {
		options = append(options, spillway.WithRetryJitterPercent(int(a.number("retry_jitter_percent", 0))))
	}
	if a.has("max_inflight") {
		options = append(options, spillway.WithMaxInFlight(int(a.number("max_inflight", 0))))
	}
	for key, value := range a.texts("group_settings") {
		options = append(options, spillway.WithGroupSetting(key, value))
	}
	return options
}

func (d *driver) open(a *args, r *reading) error {
	c, topic, options, err := subscribe(d, a, r)
	if err != nil {
		return err
	}
	name := a.text("subscription")
	if err := a.finish(); err != nil {
		return err
	}
	if r.sub, err = c.client.Subscribe(context.Background(), topic, options...); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.readings[name] = r
	return nil
}

func openSubscriptionOp(d *driver, a *args) (any, error) {
	r := newReading()
	if err := d.open(a, r); err != nil {
		return nil, err
	}
	return object{"partitions": r.sub.Partitions()}, nil
}

func handleOp(d *driver, a *args) (any, error) {
	concurrency := int(a.number("concurrency", 1))
	var toFail atomic.Int64
	toFail.Store(a.number("fail_first", 0))
	work := a.millis("work_ms", 0)
	r := newReading()
	if err := d.open(a, r); err != nil {
		return nil, err
	}
	go r.sub.Consume(context.Background(), concurrency, func(_ context.Context, m *spillway.Message) error {
		r.change(func() {
			r.atOnce++
			r.most = max(r.most, r.atOnce)
		})
		time.Sleep(work)
		failed := toFail.Add(-1) >= 0
		r.change(func() {
			r.atOnce--
			r.handled++
			if m.Attempt > 1 {
				r.redelivered++
			}
		})
		if failed {
			return errors.New("the scenario lets this handler fail")
		}
		return nil
	})
	return object{}, nil
}

func (d *driver) reading(a *args) (*reading, error) {
	return find(d, d.readings, "subscription", a.text("subscription"))
}

func handledOp(d *driver, a *args) (any, error) {
	r, err := d.reading(a)
	if err != nil {
		return nil, err
	}
	count, limit := int(a.number("count", 1)), a.millis("timeout_ms", 0)
	if err := a.finish(); err != nil {
		return nil, err
	}
	r.await(limit, func() bool { return r.handled >= count })
	r.mu.Lock()
	defer r.mu.Unlock()
	return object{"received": r.handled, "redelivered": r.redelivered, "most_at_once": r.most}, nil
}

// fetch is what is there, nothing when the time passed.
func fetch(r *reading, limit int, wait time.Duration) ([]*spillway.Message, error) {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	messages, err := r.sub.Fetch(ctx, limit)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, nil
	}
	return messages, err
}

func pollOp(d *driver, a *args) (any, error) {
	r, err := d.reading(a)
	if err != nil {
		return nil, err
	}
	limit, wait := int(a.number("max", 1)), a.millis("timeout_ms", 0)
	if err := a.finish(); err != nil {
		return nil, err
	}
	messages, err := fetch(r, limit, wait)
	list := []object{}
	for _, m := range messages {
		list = append(list, messageOf(r.number(m), m))
	}
	return object{"messages": list}, err
}

func collectOp(d *driver, a *args) (any, error) {
	r, err := d.reading(a)
	if err != nil {
		return nil, err
	}
	count := int(a.number("count", 0))
	deadline := time.Now().Add(a.millis("timeout_ms", 0))
	settle := a.optionalText("settle", "ack")
	if settle != "ack" && settle != "none" {
		return nil, driverError("unknown settle " + settle)
	}
	if err := a.finish(); err != nil {
		return nil, err
	}
	c := newCollection()
	for c.received < count && time.Now().Before(deadline) {
		messages, err := fetch(r, min(1000, count-c.received), time.Until(deadline))
		if err != nil {
			return nil, err
		}
		for _, m := range messages {
			c.add(m)
			if settle == "ack" {
				m.Ack()
			}
		}
	}
	return c.answer(), nil
}

type place struct {
	partition int
	offset    int64
}

// collection counts messages.
type collection struct {
	received, redelivered int
	places                map[place]bool
	values                map[string]bool
	last                  map[int]int64
	inOrder               bool
	digest                uint64
}

func newCollection() *collection {
	return &collection{places: map[place]bool{}, values: map[string]bool{}, last: map[int]int64{}, inOrder: true}
}

func (c *collection) add(m *spillway.Message) {
	c.received++
	if m.Attempt > 1 {
		c.redelivered++
	}
	if last, ok := c.last[m.Partition]; ok && m.Offset <= last {
		c.inOrder = false
	}
	c.last[m.Partition] = m.Offset
	c.values[string(m.Value)] = true
	at := place{m.Partition, m.Offset}
	if c.places[at] {
		return
	}
	c.places[at] = true
	length := uint32(0xffffffff)
	if m.Key != nil {
		length = uint32(len(m.Key))
	}
	hash := sha256.New()
	hash.Write(binary.BigEndian.AppendUint32(nil, length))
	hash.Write(m.Key)
	hash.Write(m.Value)
	c.digest ^= binary.BigEndian.Uint64(hash.Sum(nil))
}

func (c *collection) answer() object {
	return object{"received": c.received, "distinct": len(c.places), "redelivered": c.redelivered, "in_order": c.inOrder,
		"values": len(c.values), "digest": fmt.Sprintf("%016x", c.digest)}
}

func flushAcksOp(d *driver, a *args) (any, error) {
	r, err := d.reading(a)
	if err != nil {
		return nil, err
	}
	ctx, cancel := a.timeout(30 * time.Second)
	defer cancel()
	if err := a.finish(); err != nil {
		return nil, err
	}
	return object{}, r.sub.FlushAcks(ctx)
}

func lostLeasesOp(d *driver, a *args) (any, error) {
	r, err := d.reading(a)
	if err != nil {
		return nil, err
	}
	count, limit := a.number("count", 1), a.millis("timeout_ms", 0)
	if err := a.finish(); err != nil {
		return nil, err
	}
	r.await(limit, func() bool { return r.lost >= count })
	r.mu.Lock()
	defer r.mu.Unlock()
	return object{"lost": r.lost}, nil
}

func activeOp(d *driver, a *args) (any, error) {
	r, err := d.reading(a)
	if err == nil {
		err = a.finish()
	}
	if err != nil {
		return nil, err
	}
	active := r.sub.IsActive()
	r.mu.Lock()
	defer r.mu.Unlock()
	return object{"active": active, "became_active": r.becameActive}, nil
}

func drainOp(d *driver, a *args) (any, error) {
	r, err := d.reading(a)
	if err != nil {
		return nil, err
	}
	ctx, cancel := a.timeout(0)
	defer cancel()
	if err := a.finish(); err != nil {
		return nil, err
	}
	return object{}, r.sub.Drain(ctx)
}

func endedOp(d *driver, a *args) (any, error) {
	r, err := d.reading(a)
	if err != nil {
		return nil, err
	}
	limit := a.millis("timeout_ms", 0)
	if err := a.finish(); err != nil {
		return nil, err
	}
	select {
	case <-r.sub.Ended():
		return object{}, r.sub.Err()
	case <-time.After(limit):
		return nil, driverError(fmt.Sprintf("the subscription is not over after %v", limit))
	}
}

func closeSubscriptionOp(d *driver, a *args) (any, error) {
	r, err := d.reading(a)
	if err != nil {
		return nil, err
	}
	ctx, cancel := a.timeout(0)
	defer cancel()
	if err := a.finish(); err != nil {
		return nil, err
	}
	return object{}, r.sub.Close(ctx)
}

// settle settles messages by their numbers.
func settle(d *driver, a *args, how func(*spillway.Message)) (any, error) {
	r, err := d.reading(a)
	if err != nil {
		return nil, err
	}
	var numbers []int
	a.require("messages")
	a.into("messages", &numbers)
	if err := a.finish(); err != nil {
		return nil, err
	}
	for _, number := range numbers {
		r.mu.Lock()
		m := r.messages[number]
		r.mu.Unlock()
		if m == nil {
			return nil, driverError(fmt.Sprintf("no message %d", number))
		}
		how(m)
	}
	return object{}, nil
}

func ackOp(d *driver, a *args) (any, error)     { return settle(d, a, (*spillway.Message).Ack) }
func releaseOp(d *driver, a *args) (any, error) { return settle(d, a, (*spillway.Message).Release) }

func nackOp(d *driver, a *args) (any, error) {
	delay, reason := a.millis("delay_ms", 0), a.optionalText("reason", "")
	return settle(d, a, func(m *spillway.Message) { m.NackReason(delay, reason) })
}

func extendOp(d *driver, a *args) (any, error) {
	a.require("lease_ms")
	lease := a.millis("lease_ms", 0)
	return settle(d, a, func(m *spillway.Message) { m.Extend(lease) })
}

func terminateOp(d *driver, a *args) (any, error) {
	reason := a.optionalText("reason", "")
	return settle(d, a, func(m *spillway.Message) { m.Terminate(reason) })
}

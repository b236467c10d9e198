package spillway

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/core"
)

// Subscription receives messages of one topic. In a group, the members share the topic's records, each one leased to one of
// them at a time: at least once. A reader without a group sees every record, in order per partition and without repetition
// while the subscription is open, reconnects included. Safe for concurrent use.
type Subscription struct {
	c       *Client
	topic   string
	opts    subscribeOptions
	queue   delivery
	acks    ackSender
	flushes chan struct{}
	ended   chan struct{}

	subLink                              // guarded by the client's lock
	consumers map[chan struct{}]struct{} // the running Consumes; guarded by the client's lock
	closing   sync.Once
}

// Subscribe opens a subscription to the topic: in a group (shared work, leases, acks) or as a reader of its own. Fails with
// ErrTopicNotFound, ErrInvalidArgument, or ErrDeadlineExceeded after the request timeout.
func (c *Client) Subscribe(ctx context.Context, topic string, opts ...SubscribeOption) (*Subscription, error) {
	if err := checkContext(ctx, "Subscribe"); err != nil {
		return nil, err
	}
	if topic == "" {
		return nil, invalid("the topic's name is empty", "a subscription needs a topic")
	}
	o := subscribeOptions{creditBytes: 8 << 20, name: c.opts.name}
	for _, option := range opts {
		if option == nil {
			return nil, errNilOption
		}
		if err := option(&o); err != nil {
			return nil, err
		}
	}
	if err := o.complete(); err != nil {
		return nil, err
	}
	ctx, cancel := withOwnTimeout(ctx, c.opts.requestTimeout)
	defer cancel()
	s := &Subscription{c: c, topic: topic, opts: o, flushes: make(chan struct{}, 1), ended: make(chan struct{}),
		consumers: map[chan struct{}]struct{}{}}
	s.queue.init(s)
	s.acks.init(s)
	s.subLink.init(s)
	s.activity.listener = o.onActive
	if err := checkFrame("subscribe to "+topic, s.header()); err != nil {
		return nil, err
	}
	if err := s.fixLatest(ctx); err != nil {
		return nil, err
	}
	if err := s.begin(); err != nil {
		return nil, err
	}
	c = s.c
	var err error
	select {
	case err = <-s.opened:
	case <-ctx.Done():
		c.mu.Lock()
		err = newError(codes.DeadlineExceeded, s.String()+" is not open in time", s.obstacle(),
			"look at the broker's health, or allow a longer request timeout").because(ctx)
		c.unlock()
	}
	if err != nil {
		c.mu.Lock()
		s.unsubscribe(pong{})
		s.end(asError(err, "opening "+s.String()))
		if c.closed { // which gave it back, and the broker says that it did
			err = errClosed(s.String())
		}
		c.unlock()
		return nil, err
	}
	return s, nil
}

// begin opens it on the client's connection, or on one of its own.
func (s *Subscription) begin() error {
	c := s.c
	if s.opts.readFrom == Nearest {
		reader, err := c.newReader()
		if err != nil {
			return err
		}
		s.c = reader
		if err := c.startReader(reader, s); err != nil {
			return err
		}
		c = reader
	}
	c.mu.Lock()
	defer c.unlock()
	if err := c.refuseClosed(); err != nil {
		return err
	}
	c.subs[s] = struct{}{}
	c.running.Add(1)
	go s.runFlushes()
	s.open()
	return nil
}

// fixLatest makes "latest" a number at once, so that what is published during an outage is not skipped.
func (s *Subscription) fixLatest(ctx context.Context) error {
	if !s.isStream() || s.opts.start.GetKind() != startLatest {
		return nil
	}
	topic, err := s.c.Admin().DescribeTopic(ctx, s.topic)
	if err != nil {
		return err
	}
	for _, p := range topic.Partitions {
		if len(s.opts.partitions) == 0 || contains(s.opts.partitions, uint32(p.Partition)) {
			s.next[uint32(p.Partition)] = p.EndOffset
		}
	}
	return nil
}

func contains(list []uint32, x uint32) bool {
	for _, each := range list {
		if each == x {
			return true
		}
	}
	return false
}

func (s *Subscription) isStream() bool { return s.opts.group == "" }

// Topic it reads.
func (s *Subscription) Topic() string { return s.topic }

// Group is empty for a reader.
func (s *Subscription) Group() string { return s.opts.group }

// Partitions it reads.
func (s *Subscription) Partitions() []int {
	s.c.mu.Lock()
	defer s.c.unlock()
	return append([]int(nil), s.partitions...)
}

func (s *Subscription) String() string {
	if s.isStream() {
		return "the subscription of a reader to " + s.topic
	}
	return "the subscription of group " + s.opts.group + " to " + s.topic
}

// Fetch waits for the first message, then returns what is there, up to max. Fails with the context's error when none comes in
// time, and with what ended the subscription: ErrTopicNotFound after the topic was deleted, ErrClosed after Close.
func (s *Subscription) Fetch(ctx context.Context, max int) ([]*Message, error) {
	if err := checkContext(ctx, "Fetch"); err != nil {
		return nil, err
	}
	if err := countBetween("max", max, 1, 1<<30); err != nil {
		return nil, err
	}
	return s.queue.fetch(ctx, max)
}

// Messages ranges over the messages until the context ends or the subscription does; the last pair then carries why, unless
// that was the context or Close.
func (s *Subscription) Messages(ctx context.Context) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		for {
			messages, err := s.Fetch(ctx, 64)
			if err != nil {
				if ctx == nil || ctx.Err() == nil && !errors.Is(err, ErrClosed) {
					yield(nil, err)
				}
				return
			}
			for i, m := range messages {
				if !yield(m, nil) {
					for _, rest := range messages[i+1:] {
						rest.Release()
					}
					return
				}
			}
		}
	}
}

// Consume calls the handler for each message, on that many goroutines, until the context ends or the subscription does. A
// message whose handler returns nil is acked, unless the handler has settled it; an error is a Nack, with the group's backoff
// when this subscription was opened with one, else with a delay of 1 s, doubled with each attempt, at most 1 min; a panic counts
// as an error. It returns once all handlers have: nil after the context's end or
// Close, else what ended the subscription.
func (s *Subscription) Consume(ctx context.Context, concurrency int, handler func(context.Context, *Message) error) error {
	if err := checkContext(ctx, "Consume"); err != nil {
		return err
	}
	if handler == nil {
		return invalid("the handler is nil", "Consume calls it for each message")
	}
	if err := countBetween("the concurrency", concurrency, 1, 1024); err != nil {
		return err
	}
	defer s.enter()()
	work := &s.c.health.work
	work.handlers.Add(int32(concurrency))
	defer work.handlers.Add(-int32(concurrency))
	ctx = context.WithValue(ctx, handlerOf{}, s)
	var workers sync.WaitGroup
	results := make(chan error, concurrency)
	for range concurrency {
		workers.Add(1)
		go func() {
			defer workers.Done()
			results <- s.work(ctx, handler)
		}()
	}
	workers.Wait()
	close(results) // a handler that ended its goroutine has left no result
	return <-results
}

// handlerOf is the key under which a handler's context names its subscription.
type handlerOf struct{}

// enter registers a Consume, for Close to wait for, until the returned function is called.
func (s *Subscription) enter() (leave func()) {
	left := make(chan struct{})
	s.c.mu.Lock()
	s.consumers[left] = struct{}{}
	s.c.unlock()
	return func() {
		s.c.mu.Lock()
		delete(s.consumers, left)
		s.c.unlock()
		close(left)
	}
}

// awaitHandlers waits until every Consume has returned, unless one of their handlers is who waits.
func (s *Subscription) awaitHandlers(ctx context.Context) {
	if ctx.Value(handlerOf{}) == s {
		return
	}
	s.c.mu.Lock()
	running := slices.Collect(maps.Keys(s.consumers))
	s.c.unlock()
	for _, left := range running {
		select {
		case <-left:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Subscription) work(ctx context.Context, handler func(context.Context, *Message) error) error {
	for {
		messages, err := s.Fetch(ctx, 1)
		if ctx.Err() != nil || errors.Is(err, ErrClosed) {
			for _, m := range messages {
				m.Release()
			}
			return nil
		}
		if err != nil {
			return err
		}
		for _, m := range messages {
			s.handle(ctx, m, handler)
		}
	}
}

func (s *Subscription) handle(ctx context.Context, m *Message, handler func(context.Context, *Message) error) {
	work, began := &s.c.health.work, time.Now()
	work.busy.Add(1)
	failed := func() (err error) {
		defer work.busy.Add(-1)
		defer func() {
			if panicked := recover(); panicked != nil {
				err = fmt.Errorf("the handler panicked: %v", panicked)
			}
		}()
		return handler(ctx, m)
	}()
	work.handled(began)
	if failed == nil {
		m.Ack()
		return
	}
	delay := min(time.Second<<min(m.Attempt-1, 6), time.Minute)
	if s.opts.hasBackoff() {
		delay = 0
	}
	m.NackReason(delay, failed.Error())
}

// FlushAcks sends all settlements made before and waits until the broker has them, as durable as the topic asks for. Fails
// with ErrDeadlineExceeded when the context ends first; they are still under way then.
func (s *Subscription) FlushAcks(ctx context.Context) error {
	if err := checkContext(ctx, "FlushAcks"); err != nil {
		return err
	}
	s.c.mu.Lock()
	waiting := s.acks.collect()
	s.c.unlock()
	for _, answered := range waiting {
		select {
		case <-answered:
		case <-ctx.Done():
			return newError(codes.DeadlineExceeded, "settlements of "+s.String()+" are not confirmed: "+ctx.Err().Error(),
				"no answer from the broker", "they are still under way; look at the broker's health").because(ctx)
		}
	}
	return nil
}

// Ended is closed when the subscription is over; Err then says why.
func (s *Subscription) Ended() <-chan struct{} { return s.ended }

// Err is nil while the subscription is open and after Close, else what ended it.
func (s *Subscription) Err() error {
	s.c.mu.Lock()
	defer s.c.unlock()
	return s.cause
}

// Drain takes no more messages from the broker, gives back those that nobody has begun, waits until those that were handed
// out are settled or their leases are over, and closes. When the context ends first, the rest is given back, too, and it fails
// with ErrDeadlineExceeded.
func (s *Subscription) Drain(ctx context.Context) error {
	if err := checkContext(ctx, "Drain"); err != nil {
		return err
	}
	s.c.mu.Lock()
	s.pauseDeliveries()
	s.c.unlock()
	s.queue.discard()
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	var late error
	for late == nil {
		s.c.mu.Lock()
		s.acks.flush()
		busy := s.acks.isBusy()
		s.c.unlock()
		if !busy {
			break
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			late = newError(codes.DeadlineExceeded, "the drain of "+s.String()+" is not done: "+ctx.Err().Error(),
				"messages that were handed out are not settled", "they are given back and will be delivered again").because(ctx)
		}
	}
	closeCtx, cancel := withOwnTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := s.Close(closeCtx); late == nil {
		return err
	}
	return late
}

// Close takes no more messages, waits until the handlers that run have ended, sends the settlements, and releases what was
// not settled. A context without a deadline gets 10 s; one that comes from a handler does not wait for handlers. Closing twice
// is fine.
func (s *Subscription) Close(ctx context.Context) error {
	if err := checkContext(ctx, "Close"); err != nil {
		return err
	}
	var failed error
	s.closing.Do(func() { failed = s.close(ctx) })
	return failed
}

func (s *Subscription) close(ctx context.Context) error {
	ctx, cancel := closeContext(ctx)
	defer cancel()
	closed := errClosed(s.String())
	s.queue.end(closed)
	var failed error
	s.c.drain(ctx, core.DrainOfSubscription, func(ctx context.Context, step core.DrainStep) {
		switch step {
		case core.DrainHandlers:
			s.c.mu.Lock()
			s.pauseDeliveries()
			s.c.unlock()
			s.awaitHandlers(ctx) // they have just lost their queue
			s.c.mu.Lock()
			s.acks.releaseAll()
			s.c.unlock()
		case core.DrainSettle:
			failed = s.FlushAcks(ctx)
		case core.DrainUnsubscribe:
			done := make(chan struct{})
			s.c.mu.Lock()
			s.unsubscribe(signal(done))
			s.c.unlock()
			select {
			case <-done:
			case <-ctx.Done():
			}
		}
	})
	s.c.mu.Lock()
	if failed == nil && s.acks.isOwed() {
		failed = newError(codes.ConnectionLost, "settlements of "+s.String()+" were not confirmed", s.c.disconnectedBecause(),
			"their records will be delivered again")
	}
	s.over(closed, nil)
	s.c.unlock()
	return failed
}

// runFlushes sends settlements and credit when consuming goroutines ask for it.
func (s *Subscription) runFlushes() {
	defer s.c.running.Done()
	for {
		select {
		case <-s.flushes:
			s.c.mu.Lock()
			s.acks.flush()
			s.grantCredit()
			s.c.unlock()
		case <-s.ended:
			return
		}
	}
}

package spillway_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

func TestAgainstABroker(t *testing.T) {
	b := startBroker(t)
	for name, test := range map[string]func(*testing.T, *broker, *spillway.Client){
		"carries every field":                      carriesEveryField,
		"keeps the order of a partition":           keepsTheOrder,
		"acks are not delivered again":             acksAreNotDeliveredAgain,
		"nacked and released come again":           nackedAndReleasedComeAgain,
		"a handler's error is a nack":              aHandlersErrorIsANack,
		"Messages ends with its context":           messagesEndsWithItsContext,
		"a deleted topic ends its subscription":    aDeletedTopicEndsItsSubscription,
		"a full buffer refuses at once":            aFullBufferRefusesAtOnce,
		"wrong records are refused":                wrongRecordsAreRefused,
		"what is closed says so":                   whatIsClosedSaysSo,
		"groups move":                              groupsMove,
		"the outcome of a repeated key":            theOutcomeOfARepeatedKey,
		"callbacks, futures and metrics all hear":  callbacksFuturesAndMetricsAllHear,
		"a drain waits for what was handed out":    aDrainWaits,
		"unknown topics and groups are named":      unknownTopicsAndGroupsAreNamed,
		"wrong arguments are refused, not crashed": wrongArgumentsAreRefused,
	} {
		t.Run(name, func(t *testing.T) {
			here := &broker{t: t, endpoint: b.endpoint}
			test(t, here, here.client())
		})
	}
}

func carriesEveryField(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	s := open[*spillway.Subscription](t)(c.Subscribe(soon(t), topic, spillway.WithGroup("g")))
	at := time.UnixMilli(1_700_000_000_123)
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

	ack := open[spillway.Ack](t)(p.Publish(soon(t), spillway.Record{Key: []byte("k"), Value: []byte("v"),
		Headers: []spillway.Header{{Name: "h", Value: []byte{0, 255}}, {Name: "h", Value: nil}}, IdempotencyKey: []byte("once"),
		Timestamp: at, TraceParent: trace, CorrelationID: "c-1"}))
	m := open[[]*spillway.Message](t)(s.Fetch(soon(t), 1))[0]

	if m.Offset != ack.Offset || string(m.Key) != "k" || string(m.Value) != "v" || m.Attempt != 1 ||
		!m.Timestamp.Equal(at) || m.TraceParent() != trace || m.CorrelationID() != "c-1" ||
		string(m.IdempotencyKey()) != "once" || len(m.Headers()) != 3 || string(m.Header("h")) != "\x00\xff" {
		t.Errorf("published as %+v, it arrives as %+v", ack, m)
	}
	if ack.Durability != spillway.Synced || ack.Duplicate || ack.Degraded || ack.Topic != topic {
		t.Errorf("the ack is %+v", ack)
	}
}

func keepsTheOrder(t *testing.T, b *broker, c *spillway.Client) {
	const n = 20_000
	topic := b.topic(c, 3)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	s := open[*spillway.Subscription](t)(c.Subscribe(soon(t), topic, spillway.WithStart(spillway.StartEarliest())))
	for i := range n {
		p.PublishAsync(soon(t), spillway.Record{Key: fmt.Append(nil, i%7), Value: fmt.Append(nil, i)})
	}
	if err := p.Flush(soon(t)); err != nil {
		t.Fatal(err)
	}

	last := map[string]int{}
	seen := 0
	for m, err := range s.Messages(soon(t)) {
		if err != nil {
			t.Fatal(err)
		}
		var i int
		if _, err := fmt.Sscan(string(m.Value), &i); err != nil {
			t.Fatal(err)
		}
		if before, ok := last[string(m.Key)]; ok && i <= before {
			t.Fatalf("%d comes after %d of the same key", i, before)
		}
		last[string(m.Key)] = i
		if seen++; seen == n {
			break
		}
	}
	if seen != n {
		t.Errorf("%d of %d arrived", seen, n)
	}
}

func publish(t *testing.T, c *spillway.Client, topic string, values ...string) {
	t.Helper()
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	for _, v := range values {
		open[spillway.Ack](t)(p.Publish(soon(t), spillway.Record{Value: []byte(v)}))
	}
	if err := p.Close(soon(t)); err != nil {
		t.Fatal(err)
	}
}

func group(t *testing.T, c *spillway.Client, topic string) *spillway.Subscription {
	t.Helper()
	return open[*spillway.Subscription](t)(c.Subscribe(soon(t), topic, spillway.WithGroup("g")))
}

func fetch(t *testing.T, s *spillway.Subscription) *spillway.Message {
	t.Helper()
	return open[[]*spillway.Message](t)(s.Fetch(soon(t), 1))[0]
}

func acksAreNotDeliveredAgain(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	publish(t, c, topic, "a", "b", "c")
	s := group(t, c, topic)
	fetch(t, s).Ack()
	fetch(t, s).Ack()
	if err := s.FlushAcks(soon(t)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(soon(t)); err != nil {
		t.Fatal(err)
	}

	m := fetch(t, group(t, c, topic))

	if string(m.Value) != "c" {
		t.Errorf("it goes on at %s", m.Value)
	}
}

func nackedAndReleasedComeAgain(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	publish(t, c, topic, "a")
	s := group(t, c, topic)

	fetch(t, s).Release()
	released := fetch(t, s)
	released.Nack(0)
	nacked := fetch(t, s)
	nacked.Extend(time.Minute)
	nacked.Terminate("test")
	if err := s.FlushAcks(soon(t)); err != nil {
		t.Fatal(err)
	}

	if released.Attempt != 2 || nacked.Attempt != 3 { // deliveries are counted, of which not all are failures
		t.Errorf("after a release attempt %d, after a nack %d", released.Attempt, nacked.Attempt)
	}
	dead := open[*spillway.Subscription](t)(c.Subscribe(soon(t), topic+".dlq", spillway.WithStart(spillway.StartEarliest())))
	if m := fetch(t, dead); string(m.Value) != "a" || string(m.Header("spillway-dlq-cause")) != "TERMINATED" {
		t.Errorf("the dead letter is %s, %v", m.Value, m.Headers())
	}
}

func aHandlersErrorIsANack(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	publish(t, c, topic, "fails", "panics", "works")
	s := group(t, c, topic)
	ctx, cancel := context.WithCancel(soon(t))
	var mu sync.Mutex
	done := map[string]int{}

	err := s.Consume(ctx, 2, func(_ context.Context, m *spillway.Message) error {
		mu.Lock()
		defer mu.Unlock()
		if m.Attempt == 1 && string(m.Value) == "fails" {
			return errors.New("not yet")
		}
		if m.Attempt == 1 && string(m.Value) == "panics" {
			panic("not yet")
		}
		done[string(m.Value)] = m.Attempt
		if len(done) == 3 {
			cancel()
		}
		return nil
	})

	if err != nil || done["fails"] != 2 || done["panics"] != 2 || done["works"] != 1 {
		t.Errorf("Consume ends with %v; handled: %v", err, done)
	}
}

func messagesEndsWithItsContext(t *testing.T, b *broker, c *spillway.Client) {
	s := group(t, c, b.topic(c, 1))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()

	for m, err := range s.Messages(ctx) {
		t.Errorf("there is %v, %v", m, err)
	}
}

func aDeletedTopicEndsItsSubscription(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	s := group(t, c, topic)
	if err := c.Admin().DeleteTopic(soon(t), topic); err != nil {
		t.Fatal(err)
	}

	_, err := s.Fetch(soon(t), 1)

	if !errors.Is(err, spillway.ErrTopicNotFound) || !errors.Is(s.Err(), spillway.ErrTopicNotFound) {
		t.Errorf("Fetch says %v, Err %v", err, s.Err())
	}
	select {
	case <-s.Ended():
	default:
		t.Error("Ended is not closed")
	}
}

func aFullBufferRefusesAtOnce(t *testing.T, b *broker, c *spillway.Client) {
	p := open[*spillway.Producer](t)(c.Producer(soon(t), b.topic(c, 1), spillway.WithBufferBytes(1<<10),
		spillway.WithLinger(time.Minute), spillway.WithMaxBlock(0)))
	big := spillway.Record{Value: make([]byte, 900)}
	first, ok := p.TryPublish(big)
	if !ok {
		t.Fatal("the first does not fit")
	}

	_, fits := p.TryPublish(big)
	_, err := p.Publish(soon(t), big)

	if fits || !errors.Is(err, spillway.ErrBufferFull) {
		t.Errorf("the second fits: %v; Publish says %v", fits, err)
	}
	if err := p.Flush(soon(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Ack(soon(t)); err != nil {
		t.Error(err)
	}
	if _, ok := p.TryPublish(big); !ok {
		t.Error("it stays full")
	}
}

func wrongRecordsAreRefused(t *testing.T, b *broker, c *spillway.Client) {
	p := open[*spillway.Producer](t)(c.Producer(soon(t), b.topic(c, 2)))
	nine := 9
	for name, r := range map[string]struct {
		record spillway.Record
		code   error
	}{
		"value":           {spillway.Record{Value: make([]byte, 1<<20)}, spillway.ErrTooLarge},
		"key":             {spillway.Record{Key: make([]byte, 1025)}, spillway.ErrTooLarge},
		"idempotency key": {spillway.Record{IdempotencyKey: []byte{}}, spillway.ErrInvalidArgument},
		"header":          {spillway.Record{Headers: []spillway.Header{{}}}, spillway.ErrInvalidArgument},
		"headers":         {spillway.Record{Headers: make([]spillway.Header, 65)}, spillway.ErrInvalidArgument},
		"trace":           {spillway.Record{TraceParent: "00-xyz"}, spillway.ErrInvalidArgument},
		"partition":       {spillway.Record{Partition: &nine}, spillway.ErrInvalidArgument},
		"time":            {spillway.Record{Timestamp: time.UnixMilli(-1)}, spillway.ErrInvalidArgument},
	} {
		if _, err := p.Publish(soon(t), r.record); !errors.Is(err, r.code) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	if _, err := p.Publish(soon(t), spillway.Record{Value: make([]byte, 1<<20-88)}); err != nil {
		t.Errorf("the largest record there may be is refused: %v", err)
	}
}

func whatIsClosedSaysSo(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	s := group(t, c, topic)
	if err := c.Close(soon(t)); err != nil {
		t.Fatal(err)
	}

	_, published := p.Publish(soon(t), spillway.Record{Value: []byte("x")})
	_, fetched := s.Fetch(soon(t), 1)
	_, produced := c.Producer(soon(t), topic)
	_, subscribed := c.Subscribe(soon(t), topic)
	_, listed := c.Admin().ListTopics(soon(t))

	for i, err := range []error{published, fetched, produced, subscribed, listed} {
		if !errors.Is(err, spillway.ErrClosed) {
			t.Errorf("%d: the error is %v", i, err)
		}
	}
	if again := errors.Join(c.Close(soon(t)), p.Close(soon(t)), s.Close(soon(t))); again != nil {
		t.Errorf("closing twice: %v", again)
	}
}

func groupsMove(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	publish(t, c, topic, "a", "b")
	s := group(t, c, topic)
	fetch(t, s).Ack()
	fetch(t, s).Ack()
	if err := s.Close(soon(t)); err != nil {
		t.Fatal(err)
	}

	outcome := open[*spillway.SeekOutcome](t)(c.Admin().SeekGroup(soon(t), topic, "g", spillway.StartEarliest(), false, "test"))

	g := open[*spillway.Group](t)(c.Admin().DescribeGroup(soon(t), topic, "g"))
	if p := outcome.Partitions[0]; !outcome.Applied || p.From != 2 || p.To != 0 || p.End != 2 || g.Backlog() != 2 {
		t.Errorf("the outcome is %+v, the group %+v", outcome, g)
	}
}

func theOutcomeOfARepeatedKey(t *testing.T, b *broker, c *spillway.Client) {
	p := open[*spillway.Producer](t)(c.Producer(soon(t), b.topic(c, 4)))
	record := spillway.Record{Value: []byte("v"), IdempotencyKey: []byte("order-7")}
	first := open[spillway.Ack](t)(p.Publish(soon(t), record))

	second := open[spillway.Ack](t)(p.Publish(soon(t), record))
	record.Value = []byte("other")
	_, conflict := p.Publish(soon(t), record)

	if first.Duplicate || !second.Duplicate || second.Offset != first.Offset || second.Partition != first.Partition {
		t.Errorf("first %+v, then %+v", first, second)
	}
	if !errors.Is(conflict, spillway.ErrIdempotencyConflict) {
		t.Errorf("other content under the same key: %v", conflict)
	}
}

type countingMetrics struct {
	spillway.NoMetrics
	mu                    sync.Mutex
	sent, acked, received int
}

func (m *countingMetrics) OnBatchSent(_ string, _, records, _, _ int) { m.count(&m.sent, records) }
func (m *countingMetrics) OnBatchAcked(_ string, _, records int, _ time.Duration) {
	m.count(&m.acked, records)
}
func (m *countingMetrics) OnBatchReceived(_ string, _, records, _ int) { m.count(&m.received, records) }
func (m *countingMetrics) count(what *int, n int) {
	m.mu.Lock()
	*what += n
	m.mu.Unlock()
}

func callbacksFuturesAndMetricsAllHear(t *testing.T, b *broker, _ *spillway.Client) {
	metrics := &countingMetrics{}
	c := b.client(spillway.WithMetrics(metrics))
	topic := b.topic(c, 1)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	s := group(t, c, topic)
	heard := make(chan error, 2)

	p.PublishFunc(soon(t), spillway.Record{Value: []byte("a")}, func(_ spillway.Ack, err error) { heard <- err })
	p.PublishFunc(soon(t), spillway.Record{Value: make([]byte, 1<<20)}, func(_ spillway.Ack, err error) { heard <- err })
	p.PublishFunc(soon(t), spillway.Record{Value: make([]byte, 1<<20)}, nil)
	future := p.PublishAsync(soon(t), spillway.Record{Value: []byte("b")})

	if _, err := future.Ack(soon(t)); err != nil {
		t.Error(err)
	}
	if one, two := <-heard, <-heard; errors.Join(one, two) == nil || one != nil && two != nil {
		t.Errorf("the callbacks hear %v and %v", one, two)
	}
	for range 2 {
		fetch(t, s).Ack()
	}
	// They hear of it once the client's lock is free, which may be after a goroutine that waited has its record.
	until(t, "2 records sent, acked and received", func() bool {
		metrics.mu.Lock()
		defer metrics.mu.Unlock()
		return metrics.sent == 2 && metrics.acked == 2 && metrics.received == 2
	})
}

func aDrainWaits(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	publish(t, c, topic, "a", "b")
	s := group(t, c, topic)
	m := fetch(t, s)
	drained := make(chan error, 1)
	go func() { drained <- s.Drain(soon(t)) }()
	select {
	case err := <-drained:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(100 * time.Millisecond):
	}

	m.Ack()

	if err := <-drained; err != nil {
		t.Fatal(err)
	}
	if next := fetch(t, group(t, c, topic)); string(next.Value) != "b" {
		t.Errorf("next is %s", next.Value)
	}
}

func unknownTopicsAndGroupsAreNamed(t *testing.T, _ *broker, c *spillway.Client) {
	_, produced := c.Producer(soon(t), "nope")
	_, subscribed := c.Subscribe(soon(t), "nope", spillway.WithGroup("g"))

	for _, err := range []error{produced, subscribed, c.Admin().DeleteTopic(soon(t), "nope")} {
		if !errors.Is(err, spillway.ErrTopicNotFound) || !strings.Contains(err.Error(), "nope") {
			t.Errorf("the error is %v", err)
		}
	}
}

func wrongArgumentsAreRefused(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	s := group(t, c, topic)
	var none context.Context
	second := func(_ any, err error) error { return err }
	heard := func(publish func(func(spillway.Ack, error))) (err error) {
		publish(func(_ spillway.Ack, outcome error) { err = outcome }) // refused at once, it is called at once
		return err
	}
	for name, err := range map[string]error{
		"no topic to publish":          second(c.Producer(soon(t), "")),
		"no topic to read":             second(c.Subscribe(soon(t), "")),
		"no context, producer":         second(c.Producer(none, topic)),
		"no context, reader":           second(c.Subscribe(none, topic)),
		"no context, publish":          second(p.Publish(none, spillway.Record{})),
		"no context, async":            second(p.PublishAsync(none, spillway.Record{}).Ack(soon(t))),
		"no context, flush":            p.Flush(none),
		"no context, fetch":            second(s.Fetch(none, 1)),
		"no context, admin":            second(c.Admin().ListTopics(none)),
		"no context, close":            c.Close(none),
		"no context, consume":          s.Consume(none, 1, func(context.Context, *spillway.Message) error { return nil }),
		"no context, drain":            s.Drain(none),
		"no context, acks":             s.FlushAcks(none),
		"no context, callback":         heard(func(outcome func(spillway.Ack, error)) { p.PublishFunc(none, spillway.Record{}, outcome) }),
		"no context, producer's close": p.Close(none),
		"no context, reader's close":   s.Close(none),
		"no handler":                   s.Consume(soon(t), 1, nil),
		"no workers":                   s.Consume(soon(t), 0, func(context.Context, *spillway.Message) error { return nil }),
		"fetch of none":                second(s.Fetch(soon(t), 0)),
		"nil producer option":          second(c.Producer(soon(t), topic, nil)),
		"nil reader option":            second(c.Subscribe(soon(t), topic, nil)),
		"linger":                       second(c.Producer(soon(t), topic, spillway.WithLinger(-1))),
		"batch":                        second(c.Producer(soon(t), topic, spillway.WithMaxBatchBytes(2<<20))),
		"empty start":                  second(c.Subscribe(soon(t), topic, spillway.WithStart(spillway.Start{}))),
		"negative offset":              second(c.Subscribe(soon(t), topic, spillway.WithStart(spillway.StartOffset(0, -1)))),
		"lease of a reader":            second(c.Subscribe(soon(t), topic, spillway.WithLeaseTime(time.Minute))),
		"seek without reason":          second(c.Admin().SeekGroup(soon(t), topic, "g", spillway.StartEarliest(), false, "")),
		"seek to nowhere":              second(c.Admin().SeekGroup(soon(t), topic, "g", spillway.Start{}, false, "test")),
	} {
		if !errors.Is(err, spillway.ErrInvalidArgument) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	for m, err := range s.Messages(none) {
		if m != nil || !errors.Is(err, spillway.ErrInvalidArgument) {
			t.Errorf("Messages without a context: %v, %v", m, err)
		}
	}
}

package spillway_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

// Each with a client of its own, on one broker.
func TestEndsAndOddInput(t *testing.T) {
	b := startBroker(t)
	for name, test := range map[string]func(*testing.T, *broker, *spillway.Client){
		"a reason may be any text":                        aReasonMayBeAnyText,
		"names that no frame can carry are refused":       namesThatNoFrameCanCarryAreRefused,
		"nothing waits on a subscription that has ended":  nothingWaitsOnWhatHasEnded,
		"a handler that ends its goroutine ends Consume":  aHandlerThatEndsItsGoroutine,
		"a publish that never was has no ack":             aPublishThatNeverWasHasNoAck,
		"an early break gives the rest back":              anEarlyBreakGivesTheRestBack,
		"Close ends what waits for it to open":            closeEndsWhatIsOpening,
		"Close with work in flight settles every outcome": closeWithWorkInFlight,
		"a handler may close what it reads":               closeFromAHandler,
	} {
		t.Run(name, func(t *testing.T) {
			here := &broker{t: t, endpoint: b.endpoint}
			test(t, here, here.client())
		})
	}
}

func aReasonMayBeAnyText(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	publish(t, c, topic, "a")
	s := group(t, c, topic)

	fetch(t, s).NackReason(0, "not UTF-8: \xff")
	fetch(t, s).NackReason(0, strings.Repeat("long", 1<<18)) // over what a header may have
	fetch(t, s).Terminate(strings.Repeat("ü", 511) + "\xff and more")
	if err := s.FlushAcks(soon(t)); err != nil {
		t.Fatal(err)
	}

	dead := open[*spillway.Subscription](t)(c.Subscribe(soon(t), topic+".dlq", spillway.WithStart(spillway.StartEarliest())))
	detail := string(fetch(t, dead).Header("spillway-dlq-error"))
	if want := strings.Repeat("ü", 511) + "\uFFFD"; detail != want {
		t.Errorf("the reason arrives as %q", detail)
	}
}

func namesThatNoFrameCanCarryAreRefused(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	second := func(_ any, err error) error { return err }
	const odd = "odd\xff"
	long := strings.Repeat("x", 1<<17)
	for name, err := range map[string]error{
		"topic to publish":   second(c.Producer(soon(t), odd)),
		"topic to read":      second(c.Subscribe(soon(t), odd, spillway.WithGroup("g"))),
		"group":              second(c.Subscribe(soon(t), topic, spillway.WithGroup(odd))),
		"consumer's name":    second(c.Subscribe(soon(t), topic, spillway.WithGroup("g"), spillway.WithConsumerName(odd))),
		"producer's name":    second(c.Producer(soon(t), topic, spillway.WithProducerName(odd))),
		"client's name":      second(spillway.Connect(soon(t), spillway.WithEndpoints(b.endpoint), spillway.WithClientName(odd))),
		"topic to create":    second(c.Admin().CreateTopic(soon(t), odd, 1, nil)),
		"setting":            second(c.Admin().CreateTopic(soon(t), "t", 1, map[string]string{"a": odd})),
		"reason of a seek":   second(c.Admin().SeekGroup(soon(t), topic, "g", spillway.StartEarliest(), true, odd)),
		"header of a record": second(p.Publish(soon(t), spillway.Record{Headers: []spillway.Header{{Name: odd}}})),
	} {
		if !errors.Is(err, spillway.ErrInvalidArgument) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"long topic":  second(c.Admin().DescribeTopic(soon(t), long)),
		"long group":  second(c.Subscribe(soon(t), topic, spillway.WithGroup(long))),
		"long reason": second(c.Admin().SeekGroup(soon(t), topic, "g", spillway.StartEarliest(), true, long)),
	} {
		if !errors.Is(err, spillway.ErrTooLarge) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

func nothingWaitsOnWhatHasEnded(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	publish(t, c, topic, "a", "b")
	s := group(t, c, topic)
	m := fetch(t, s)
	if err := c.Admin().DeleteTopic(soon(t), topic); err != nil {
		t.Fatal(err)
	}
	<-s.Ended()

	m.Ack()

	for name, wait := range map[string]func(context.Context) error{"FlushAcks": s.FlushAcks, "Drain": s.Drain, "Close": s.Close} {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		if err := wait(ctx); err != nil || ctx.Err() != nil {
			t.Errorf("%s says %v after waiting until %v", name, err, ctx.Err())
		}
		cancel()
	}
}

func aHandlerThatEndsItsGoroutine(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	publish(t, c, topic, "a")
	s := group(t, c, topic)
	done := make(chan error, 1)
	go func() {
		done <- s.Consume(soon(t), 1, func(context.Context, *spillway.Message) error {
			runtime.Goexit() // as t.FailNow does
			return nil
		})
	}()

	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("Consume waits for a goroutine that is gone")
	}
}

func aPublishThatNeverWasHasNoAck(t *testing.T, b *broker, c *spillway.Client) {
	p := open[*spillway.Producer](t)(c.Producer(soon(t), b.topic(c, 1), spillway.WithBufferBytes(1<<10),
		spillway.WithLinger(time.Minute)))
	record := spillway.Record{Value: make([]byte, 900)}
	if _, ok := p.TryPublish(record); !ok {
		t.Fatal("the first does not fit")
	}
	refused, ok := p.TryPublish(record)

	_, none := spillway.Future{}.Ack(soon(t))
	_, full := refused.Ack(soon(t))

	if !errors.Is(none, spillway.ErrInvalidArgument) || ok || !errors.Is(full, spillway.ErrBufferFull) {
		t.Errorf("the zero Future says %v, that of a refused record %v", none, full)
	}
}

func anEarlyBreakGivesTheRestBack(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	publish(t, c, topic, "a", "b", "c", "d")
	first := group(t, c, topic)
	for m, err := range first.Messages(soon(t)) {
		if err != nil {
			t.Fatal(err)
		}
		m.Ack()
		break
	}

	seen := map[string]bool{}
	for len(seen) < 3 {
		m := fetch(t, first)
		seen[string(m.Value)] = true
		m.Ack()
	}

	if !seen["b"] || !seen["c"] || !seen["d"] {
		t.Errorf("after a come %v", seen)
	}
}

func closeEndsWhatIsOpening(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	opened := make(chan error, 64)
	for i := range cap(opened) {
		go func() {
			var err error
			if i%2 == 0 {
				_, err = c.Subscribe(soon(t), topic, spillway.WithGroup("g"))
			} else {
				_, err = c.Producer(soon(t), topic)
			}
			opened <- err
		}()
	}

	if err := c.Close(soon(t)); err != nil {
		t.Error(err)
	}

	for range cap(opened) {
		if err := <-opened; err != nil && !errors.Is(err, spillway.ErrClosed) {
			t.Errorf("opening while it closes: %v", err)
		}
	}
}

func closeFromAHandler(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	s := group(t, c, topic)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	if _, err := p.Publish(soon(t), spillway.Record{Value: []byte("x")}); err != nil {
		t.Fatal(err)
	}

	err := s.Consume(soon(t), 2, func(ctx context.Context, m *spillway.Message) error {
		m.Ack()
		return s.Close(ctx)
	})

	if err != nil {
		t.Error(err)
	}
	described := open[*spillway.Group](t)(c.Admin().DescribeGroup(soon(t), topic, "g"))
	if cursor := described.Partitions[0].Cursor; cursor != 1 {
		t.Errorf("the group is at %d", cursor)
	}
}

func closeWithWorkInFlight(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 4)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	s := group(t, c, topic)
	consumed := make(chan error, 1)
	go func() {
		consumed <- s.Consume(context.Background(), 4, func(context.Context, *spillway.Message) error { return nil })
	}()
	ctx := soon(t)
	acked, refused := 0, 0
	var futures []spillway.Future
	for range 20_000 {
		futures = append(futures, p.PublishAsync(ctx, spillway.Record{Value: []byte("x")}))
	}
	if err := c.Close(soon(t)); err != nil {
		t.Fatal(err)
	}

	for _, f := range futures {
		select {
		case <-f.Done():
		default:
			t.Fatal("a record has no outcome after Close")
		}
		if _, err := f.Ack(soon(t)); err == nil {
			acked++
		} else {
			refused++
		}
	}
	if acked != len(futures) {
		t.Errorf("%d are acked, %d are not", acked, refused)
	}
	if err := <-consumed; err != nil {
		t.Errorf("Consume ends with %v", err)
	}
}

package spillway

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// member is a subscription of a group whose connection takes everything, and whose broker's frames the test makes.
func member(t *testing.T, o subscribeOptions) *Subscription {
	t.Helper()
	c := &Client{opts: defaults(), stop: make(chan struct{}), subs: map[*Subscription]struct{}{}}
	c.link.start = time.Now()
	cn := &conn{c: c, waiting: map[uint32]responder{}, handles: map[uint16]handle{}, wake: make(chan struct{}, 1)}
	c.link.publishing, c.link.consuming = cn, cn
	o.group, o.creditBytes = "g", 1<<20
	if err := o.complete(); err != nil {
		t.Fatal(err)
	}
	s := &Subscription{c: c, topic: "t", opts: o, flushes: make(chan struct{}, 1), ended: make(chan struct{})}
	s.queue.init(s)
	s.acks.init(s)
	s.subLink.init(s)
	s.activity.listener = o.onActive
	s.open()
	return s
}

// hear a frame on its channel.
func (s *Subscription) hear(t *testing.T, f wire.Frame, header proto.Message) {
	t.Helper()
	b, err := proto.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	f.Header, f.Channel = b, s.channel
	s.c.mu.Lock()
	defer s.c.unlock()
	if err := s.c.link.consuming.onFrame(&f); err != nil {
		t.Fatal(err)
	}
}

func (s *Subscription) subscribed(t *testing.T, ok *pb.SubscribeOk) {
	t.Helper()
	for correlation := range s.c.link.consuming.waiting {
		s.hear(t, wire.Frame{Kind: wire.Subscribe, Flags: wire.FlagResponse, Correlation: correlation}, ok)
	}
}

func (s *Subscription) deliver(t *testing.T, header *pb.Deliver, batch []byte) {
	t.Helper()
	s.hear(t, wire.Frame{Kind: wire.Deliver, Flags: wire.FlagHasPayload, Payload: batch}, header)
}

// batchOf is a batch of these records, in which those with the value "broken" have flags that nobody knows.
func batchOf(records ...wire.Record) []byte {
	var w wire.BatchWriter
	w.Reset(0)
	for i := range records {
		w.Add(1, &records[i], 0)
	}
	head, body := w.Seal(1, 0, 0)
	b := append(bytes.Clone(head), body...)
	at := len(head)
	for i := range records {
		if string(records[i].Value) == "broken" {
			b[at+4] = 128
		}
		at += records[i].Size() - wire.IndexEntryBytes
	}
	binary.BigEndian.PutUint32(b[28:], wire.CRC32C(b[32:]))
	return b
}

func TestARecordThatCannotBeReadIsPoisonAlone(t *testing.T) {
	s := member(t, subscribeOptions{})
	s.subscribed(t, &pb.SubscribeOk{})
	batch := batchOf(wire.Record{Value: []byte("a")}, wire.Record{Value: []byte("broken")}, wire.Record{Value: []byte("c")})
	s.deliver(t, &pb.Deliver{Segments: []*pb.Segment{{Bytes: uint32(len(batch)), BaseOffset: 40, Fence: 7, LeaseMs: 30_000, Attempt: 3,
		Failures: 2}}}, batch)

	messages, err := s.queue.take(10)

	if err != nil || len(messages) != 2 || string(messages[0].Value) != "a" || string(messages[1].Value) != "c" ||
		messages[1].Offset != 42 || messages[1].Attempt != 3 || messages[1].Failures != 2 {
		t.Fatalf("%+v, %v", messages, err)
	}
	messages[1].Nack(0)
	items, _ := messages[0].from.collect(nil)
	if len(items) != 2 || items[0].GetFirst() != 41 || items[0].GetLast() != 41 || items[0].GetOutcome() != core.Term ||
		items[0].GetReason() != core.Poison || items[0].GetDetail() == "" || items[1].GetReason() != 0 || items[1].GetDelayMs() != 0 {
		t.Errorf("it is settled as %v", items)
	}
}

// This machine's clock is an hour behind the broker's.
func TestTheTimeLeftCountsFromTheBrokersClock(t *testing.T) {
	s := member(t, subscribeOptions{})
	s.subscribed(t, &pb.SubscribeOk{})
	brokerNow := time.Now().Add(time.Hour).UnixMilli()
	batch := batchOf(wire.Record{Value: []byte("a"), ExpiresAtMs: brokerNow + 60_000, DeliverAtMs: brokerNow - 1}, wire.Record{Value: []byte("b")})
	s.deliver(t, &pb.Deliver{UnixMs: uint64(brokerNow), Segments: []*pb.Segment{{Bytes: uint32(len(batch)), Fence: 7, LeaseMs: 30_000}}}, batch)

	messages, err := s.queue.take(10)
	if err != nil || len(messages) != 2 {
		t.Fatal(messages, err)
	}

	if left, ok := messages[0].TimeLeft(); !ok || left > time.Minute || left < 30*time.Second {
		t.Errorf("%v is left", left)
	}
	if at := messages[0].ExpiresAt(); at.UnixMilli() != brokerNow+60_000 || messages[0].DeliverAt().UnixMilli() != brokerNow-1 {
		t.Errorf("it expires at %v", at)
	}
	if left, ok := messages[1].TimeLeft(); ok || !messages[1].ExpiresAt().IsZero() || !messages[1].DeliverAt().IsZero() {
		t.Errorf("without a deadline %v is left", left)
	}
}

func TestAStandbyHearsThatItIsActiveAndThatItIsNoMore(t *testing.T) {
	var heard []bool
	s := member(t, subscribeOptions{mode: Exclusive, onActive: func(active bool) { heard = append(heard, active) }})
	s.subscribed(t, &pb.SubscribeOk{Role: 1})
	if s.IsActive() {
		t.Error("a standby is active")
	}

	s.hear(t, wire.Frame{Kind: wire.Handoff}, &pb.Handoff{Gained: true})
	if !s.IsActive() {
		t.Error("it has gained the group and is not active")
	}
	s.hear(t, wire.Frame{Kind: wire.Handoff}, &pb.Handoff{Gained: true})
	s.c.mu.Lock()
	s.onLost()
	s.c.unlock()
	if s.IsActive() {
		t.Error("it is active without a connection")
	}
	s.c.mu.Lock()
	s.onReady()
	s.c.unlock()
	s.subscribed(t, &pb.SubscribeOk{})

	if !s.IsActive() || !slices.Equal(heard, []bool{true, false, true}) {
		t.Errorf("the listener hears %v", heard)
	}
}

// What the listener does may change the state again; it hears the changes one after the other all the same.
func TestTheListenerOfActivityMayUseTheClient(t *testing.T) {
	var s *Subscription
	var heard []bool
	depth := 0
	s = member(t, subscribeOptions{mode: Exclusive, onActive: func(active bool) {
		if depth++; depth > 1 {
			t.Error("it is called while it is called")
		}
		if heard = append(heard, active); active {
			s.c.mu.Lock()
			s.setActive(false)
			s.c.unlock()
		}
		depth--
	}})

	s.subscribed(t, &pb.SubscribeOk{})

	if !slices.Equal(heard, []bool{true, false}) || s.IsActive() {
		t.Errorf("it hears %v", heard)
	}
}

func TestSubscribesWithWhatTheOptionsSayOfTheGroup(t *testing.T) {
	o := subscribeOptions{}
	for _, option := range []SubscribeOption{WithMode(KeyOrdered), WithFilter("a = 'b'"), WithRetryBackoff(0, time.Second, time.Minute),
		WithRetryJitterPercent(5), WithMaxInFlight(10), WithGroupSetting("dlq.breaker.percent", "0")} {
		if err := option(&o); err != nil {
			t.Fatal(err)
		}
	}
	s := member(t, o)

	header := s.header()

	config := header.GetGroupConfig()
	if header.GetMode() != 1 || header.GetFilter() != "a = 'b'" || len(config) != 4 || config["retry.backoff.ms"] != "0,1000,60000" ||
		config["retry.jitter.percent"] != "5" || config["max.inflight"] != "10" || config["dlq.breaker.percent"] != "0" {
		t.Errorf("it subscribes with %v", header)
	}
	week := make([]time.Duration, 32)
	week[31] = 7 * 24 * time.Hour
	if WithMaxDeliveries(1_000)(&o) != nil || WithMaxDeliveries(1_001)(&o) == nil || WithRetryBackoff(week...)(&o) != nil ||
		WithRetryBackoff(append(week, 0)...)(&o) == nil || WithRetryBackoff(week[31]+time.Millisecond)(&o) == nil {
		t.Error("the bounds are not the broker's")
	}
	if err := WithRetryBackoffBetween(100*time.Millisecond, time.Minute)(&o); err != nil || o.groupSettings["retry.backoff.ms"] != "100..60000" {
		t.Errorf("between: %v, %v", o.groupSettings, err)
	}
}

// A wait of 0 would mean the group's backoff.
func TestTheLeastDelayIsAMillisecond(t *testing.T) {
	for delay, want := range map[time.Duration]uint32{-1: 0, 0: 0, 1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, 1 << 62: 1<<32 - 1} {
		if ms := milliseconds(delay); ms != want {
			t.Errorf("%v is %d ms", delay, ms)
		}
	}
}

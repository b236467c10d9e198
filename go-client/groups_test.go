package spillway_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

func TestGroupsAgainstABroker(t *testing.T) {
	b := startBroker(t)
	for name, test := range map[string]func(*testing.T, *broker, *spillway.Client){
		"a group is created, altered, paused and resumed": aGroupIsManaged,
		"a snapshot is restored exactly":                  aSnapshotIsRestored,
		"a purge removes what is before":                  aPurgeRemoves,
		"an exclusive group has one active member":        anExclusiveGroupHasOneActiveMember,
		"keys are in order across redelivery":             keysAreInOrder,
		"a filter leaves out what a group does not want":  aFilterLeavesOut,
		"a nack without a delay waits for the backoff":    aNackWaitsForTheBackoff,
		"a record waits for its time":                     aRecordWaitsForItsTime,
		"a record expires, or says how much time is left": aRecordExpires,
		"max in flight bounds all members together":       maxInFlightBounds,
		"an old repetition is not stored":                 anOldRepetitionIsNotStored,
		"wrong settings of groups are refused":            wrongSettingsAreRefused,
		"a drain that runs out of time says so":           aDrainThatRunsOutOfTime,
	} {
		t.Run(name, func(t *testing.T) {
			here := &broker{t: t, endpoint: b.endpoint}
			test(t, here, here.client())
		})
	}
}

func aGroupIsManaged(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	publish(t, c, topic, "a")
	admin := c.Admin()
	created := open[*spillway.Group](t)(admin.CreateGroup(soon(t), topic, "g",
		spillway.GroupSpec{Mode: spillway.KeyOrdered, Settings: map[string]string{"max.deliveries": "3"}}))
	if created.Mode != spillway.KeyOrdered || created.MaxDeliveries != 3 || created.Config["max.deliveries"] != "3" || created.Backlog() != 1 {
		t.Errorf("it is created as %+v", created)
	}

	altered := open[*spillway.Group](t)(admin.AlterGroup(soon(t), topic, "g", map[string]string{"max.inflight": "7"}, created.Revision))
	_, stale := admin.AlterGroup(soon(t), topic, "g", map[string]string{"max.inflight": "8"}, created.Revision)
	if altered.Config["max.inflight"] != "7" || !errors.Is(stale, spillway.ErrRevisionMismatch) {
		t.Errorf("it is altered to %+v; at an old revision: %v", altered.Config, stale)
	}

	paused := open[*spillway.Group](t)(admin.PauseGroup(soon(t), topic, "g", "inventory"))
	s := open[*spillway.Subscription](t)(c.Subscribe(soon(t), topic, spillway.WithGroup("g"), spillway.WithMode(spillway.KeyOrdered),
		spillway.WithConsumerName("me")))
	if !paused.Paused || !strings.Contains(paused.PauseReason, "inventory") || paused.PausedSince.IsZero() {
		t.Errorf("it is paused as %+v", paused)
	}
	if g := open[*spillway.Group](t)(admin.DescribeGroup(soon(t), topic, "g")); len(g.MemberList) != 1 || g.MemberList[0].Name != "me" ||
		!g.MemberList[0].Active || g.MemberList[0].InFlight != 0 {
		t.Errorf("its members are %+v", g.MemberList)
	}
	resumed := open[*spillway.Group](t)(admin.ResumeGroup(soon(t), topic, "g", "done"))
	if resumed.Paused || resumed.PauseReason != "" {
		t.Errorf("it is resumed as %+v", resumed)
	}
	fetch(t, s).Ack()
	if err := s.FlushAcks(soon(t)); err != nil {
		t.Fatal(err)
	}
	if g := open[*spillway.Group](t)(admin.DescribeGroup(soon(t), topic, "g")); g.Acked != 1 || g.DeadLettered != 0 {
		t.Errorf("it counts %d acked, %d dead-lettered", g.Acked, g.DeadLettered)
	}
	_, other := c.Subscribe(soon(t), topic, spillway.WithGroup("g"))
	if !errors.Is(other, spillway.ErrWrongState) {
		t.Errorf("subscribing in another mode: %v", other)
	}
}

func aSnapshotIsRestored(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	publish(t, c, topic, "a", "b", "c")
	s := group(t, c, topic)
	first, second := fetch(t, s), fetch(t, s)
	second.Ack()
	if err := s.FlushAcks(soon(t)); err != nil {
		t.Fatal(err)
	}
	admin := c.Admin()
	taken := open[*spillway.GroupSnapshot](t)(admin.SnapshotGroup(soon(t), topic, "g", "before", "a try"))
	first.Ack()
	if err := s.FlushAcks(soon(t)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(soon(t)); err != nil {
		t.Fatal(err)
	}

	restored := open[*spillway.Group](t)(admin.RestoreGroup(soon(t), topic, "g", "before", "it went wrong"))

	if p := restored.Partitions[0]; p.Cursor != 0 || p.AckedAbove != 1 || restored.Backlog() != 2 {
		t.Errorf("it is restored to %+v", p)
	}
	if taken.Name != "before" || taken.Reason != "a try" || taken.Partitions[0].AckedAbove != 1 || taken.Taken.IsZero() {
		t.Errorf("the snapshot is %+v", taken)
	}
	if list := open[[]*spillway.GroupSnapshot](t)(admin.GroupSnapshots(soon(t), topic, "g")); len(list) != 1 || list[0].Name != "before" {
		t.Errorf("the snapshots are %+v", list)
	}
	if err := admin.DeleteGroupSnapshot(soon(t), topic, "g", "before"); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.RestoreGroup(soon(t), topic, "g", "before", "again"); !errors.Is(err, spillway.ErrNotFound) {
		t.Errorf("a snapshot that is gone: %v", err)
	}
}

func aPurgeRemoves(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	publish(t, c, topic, "a", "b", "c")

	purged := open[*spillway.Topic](t)(c.Admin().PurgeTopic(soon(t), topic, spillway.StartOffset(0, 2), "too old"))

	if start := purged.Partitions[0].StartOffset; start != 2 {
		t.Errorf("the topic starts at %d", start)
	}
	if m := fetch(t, group(t, c, topic)); string(m.Value) != "c" {
		t.Errorf("a group begins at %s", m.Value)
	}
}

func anExclusiveGroupHasOneActiveMember(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 2)
	changes := make(chan bool, 8)
	exclusive := []spillway.SubscribeOption{spillway.WithGroup("g"), spillway.WithMode(spillway.Exclusive)}
	first := open[*spillway.Subscription](t)(c.Subscribe(soon(t), topic, exclusive...))
	second := open[*spillway.Subscription](t)(b.client().Subscribe(soon(t), topic,
		append(exclusive, spillway.WithOnActive(func(active bool) { changes <- active }))...))
	if !first.IsActive() || second.IsActive() {
		t.Fatalf("the first is active: %v, the second: %v", first.IsActive(), second.IsActive())
	}
	publish(t, c, topic, "a", "b")
	held := fetch(t, first)

	if err := first.Close(soon(t)); err != nil {
		t.Fatal(err)
	}

	values := []string{string(fetch(t, second).Value), string(fetch(t, second).Value)}
	if slices.Sort(values); !slices.Equal(values, []string{"a", "b"}) || !slices.Contains(values, string(held.Value)) {
		t.Errorf("the second gets %v", values)
	}
	if !second.IsActive() || first.IsActive() || !<-changes {
		t.Error("the second is not active")
	}
	if err := second.Close(soon(t)); err != nil {
		t.Fatal(err)
	}
	if second.IsActive() || <-changes {
		t.Error("the second is active after its close")
	}
}

// Some deliveries fail, and a member comes and leaves; the records of a key are acked in their order.
func keysAreInOrder(t *testing.T, b *broker, c *spillway.Client) {
	const keys, each = 5, 20
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	topic := b.topic(c, 2)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	for i := range keys * each {
		p.PublishAsync(soon(t), spillway.Record{Key: fmt.Append(nil, i%keys), Value: fmt.Append(nil, i/keys)})
	}
	if err := p.Flush(soon(t)); err != nil {
		t.Fatal(err)
	}
	options := []spillway.SubscribeOption{spillway.WithGroup("g"), spillway.WithMode(spillway.KeyOrdered)}
	members := []*spillway.Subscription{open[*spillway.Subscription](t)(c.Subscribe(soon(t), topic, options...))}
	acked := map[string]int{}
	for done := 0; done < keys*each; {
		if done == 30 && len(members) == 1 {
			members = append(members, open[*spillway.Subscription](t)(b.client().Subscribe(soon(t), topic, options...)))
		}
		if done == 60 && len(members) == 2 {
			if err := members[0].Close(soon(t)); err != nil {
				t.Fatal(err)
			}
			members = members[1:]
		}
		m := next(t, members)
		if value := fmt.Sprint(acked[string(m.Key)]); string(m.Value) != value {
			t.Fatalf("key %s: %s is delivered when %s is due", m.Key, m.Value, value)
		}
		if random.IntN(4) == 0 {
			m.Nack(time.Millisecond)
			continue
		}
		m.Ack()
		acked[string(m.Key)]++
		done++
	}
}

// next is the next message of any of them.
func next(t *testing.T, members []*spillway.Subscription) *spillway.Message {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		for _, s := range members {
			if messages, err := s.Fetch(after(t, 10*time.Millisecond), 1); err == nil {
				return messages[0]
			}
		}
	}
	t.Fatal("nothing comes")
	return nil
}

func aFilterLeavesOut(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	for _, region := range []string{"us", "eu", "us", "eu", "us"} {
		open[spillway.Ack](t)(p.Publish(soon(t), spillway.Record{Value: []byte(region),
			Headers: []spillway.Header{{Name: "region", Value: []byte(region)}}}))
	}
	s := open[*spillway.Subscription](t)(c.Subscribe(soon(t), topic, spillway.WithGroup("g"), spillway.WithFilter("region = 'eu'")))

	for range 2 {
		m := fetch(t, s)
		if string(m.Value) != "eu" {
			t.Errorf("%s is delivered", m.Value)
		}
		m.Ack()
	}
	if err := s.FlushAcks(soon(t)); err != nil {
		t.Fatal(err)
	}

	until(t, "what the group does not want is settled", func() bool {
		return open[*spillway.Group](t)(c.Admin().DescribeGroup(soon(t), topic, "g")).Backlog() == 0
	})
	_, wrong := c.Subscribe(soon(t), topic, spillway.WithGroup("h"), spillway.WithFilter("region = "))
	_, other := c.Subscribe(soon(t), topic, spillway.WithGroup("g"), spillway.WithFilter("region = 'us'"))
	if !errors.Is(wrong, spillway.ErrInvalidArgument) || !errors.Is(other, spillway.ErrWrongState) {
		t.Errorf("a filter that cannot be read: %v; another one than the group's: %v", wrong, other)
	}
}

func aNackWaitsForTheBackoff(t *testing.T, b *broker, c *spillway.Client) {
	const backoff = 300 * time.Millisecond
	topic := b.topic(c, 1)
	publish(t, c, topic, "a")
	s := open[*spillway.Subscription](t)(c.Subscribe(soon(t), topic, spillway.WithGroup("g"), spillway.WithRetryBackoff(backoff),
		spillway.WithRetryJitterPercent(0), spillway.WithMaxDeliveries(2)))
	first := fetch(t, s)
	failed := time.Now()

	first.Nack(0)

	second := fetch(t, s)
	if waited := time.Since(failed); waited < backoff { // the broker's clock begins later than this one
		t.Errorf("it comes again after %v", waited)
	}
	if first.Failures != 0 || second.Failures != 1 || second.Attempt != 2 {
		t.Errorf("the first has failed %d times, the second %d", first.Failures, second.Failures)
	}
	second.Release()
	third := fetch(t, s)
	if third.Failures != 1 || third.Attempt != 3 {
		t.Errorf("after a release it is attempt %d, and has failed %d times", third.Attempt, third.Failures)
	}
	third.NackReason(0, "again")
	dead := deadLetter(t, c, topic)
	if string(dead.Header("spillway-dlq-cause")) != "MAX_DELIVERIES" || string(dead.Header("spillway-dlq-failures")) != "2" {
		t.Errorf("its dead letter has %v", dead.Headers())
	}
}

func deadLetter(t *testing.T, c *spillway.Client, topic string) *spillway.Message {
	t.Helper()
	var dead *spillway.Subscription
	until(t, "there are dead letters", func() bool {
		var err error
		dead, err = c.Subscribe(soon(t), topic+".dlq", spillway.WithStart(spillway.StartEarliest()))
		return err == nil
	})
	return fetch(t, dead)
}

func aRecordWaitsForItsTime(t *testing.T, b *broker, c *spillway.Client) {
	const wait = 400 * time.Millisecond
	topic := b.topic(c, 1)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	published := time.Now()
	for _, r := range []spillway.Record{
		{Value: []byte("later"), DeliverAfter: wait}, {Value: []byte("at once")}, {Value: []byte("at"), DeliverAt: published.Add(2 * wait)},
	} {
		open[spillway.Ack](t)(p.Publish(soon(t), r))
	}
	s := group(t, c, topic)

	for i, value := range []string{"at once", "later", "at"} {
		m := fetch(t, s)
		if string(m.Value) != value {
			t.Fatalf("message %d is %s", i, m.Value)
		}
		if due := m.DeliverAt(); i > 0 && (due.Before(published.Add(wait-time.Millisecond)) || time.Now().Before(due)) {
			t.Errorf("%s, due at %v, comes at %v", m.Value, due, time.Now())
		}
		m.Ack()
	}
}

func aRecordExpires(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	at := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	for _, r := range []spillway.Record{
		{Value: []byte("old"), ExpiresAt: time.Now().Add(-time.Second)}, {Value: []byte("good"), ExpiresAt: at},
		{Value: []byte("after"), ExpiresAfter: time.Minute}, {Value: []byte("for ever")},
	} {
		open[spillway.Ack](t)(p.Publish(soon(t), r))
	}
	s := group(t, c, topic)

	good, after, forEver := fetch(t, s), fetch(t, s), fetch(t, s)

	left, expires := good.TimeLeft()
	if string(good.Value) != "good" || !good.ExpiresAt().Equal(at) || !expires || left > time.Hour || left < 58*time.Minute {
		t.Errorf("%s expires at %v, in %v", good.Value, good.ExpiresAt(), left)
	}
	if left, ok := after.TimeLeft(); !ok || left > time.Minute || left < 20*time.Second {
		t.Errorf("%s has %v left", after.Value, left)
	}
	if _, ok := forEver.TimeLeft(); ok || !forEver.ExpiresAt().IsZero() || string(forEver.Value) != "for ever" {
		t.Errorf("%s expires at %v", forEver.Value, forEver.ExpiresAt())
	}
	dead := deadLetter(t, c, topic)
	if string(dead.Value) != "old" || string(dead.Header("spillway-dlq-cause")) != "EXPIRED" {
		t.Errorf("the dead letter is %s with %v", dead.Value, dead.Headers())
	}
}

func maxInFlightBounds(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	publish(t, c, topic, "a", "b", "c")
	s := open[*spillway.Subscription](t)(c.Subscribe(soon(t), topic, spillway.WithGroup("g"), spillway.WithMaxInFlight(2)))
	first, second := fetch(t, s), fetch(t, s)
	if g := open[*spillway.Group](t)(c.Admin().DescribeGroup(soon(t), topic, "g")); g.Partitions[0].InFlight != 2 {
		t.Errorf("%d are in flight", g.Partitions[0].InFlight)
	}

	first.Ack()

	if m := fetch(t, s); string(m.Value) != "c" {
		t.Errorf("after %s and %s comes %s", first.Value, second.Value, m.Value)
	}
}

// The topic remembers one key.
func anOldRepetitionIsNotStored(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	open[*spillway.Topic](t)(c.Admin().AlterTopic(soon(t), topic, map[string]string{"dedup.window.keys": "1"}, 0))
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	began := time.Now().Add(-time.Minute) // the broker's clock may be another
	record := spillway.Record{Value: []byte("v"), IdempotencyKey: []byte("k"), FirstAttempt: began}
	first := open[spillway.Ack](t)(p.Publish(soon(t), record))
	again := open[spillway.Ack](t)(p.Publish(soon(t), record))
	open[spillway.Ack](t)(p.Publish(soon(t), spillway.Record{IdempotencyKey: []byte("another")}))
	open[spillway.Ack](t)(p.Publish(soon(t), spillway.Record{IdempotencyKey: []byte("and another")}))

	_, late := p.Publish(soon(t), record)

	if !again.Duplicate || again.Offset != first.Offset || !errors.Is(late, spillway.ErrDedupWindowExceeded) {
		t.Errorf("soon repeated: %+v; once its key may be forgotten: %v", again, late)
	}
}

func wrongSettingsAreRefused(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	second := func(_ any, err error) error { return err }
	group := spillway.WithGroup("g")
	admin := c.Admin()
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	for name, err := range map[string]error{
		"mode":                second(c.Subscribe(soon(t), topic, group, spillway.WithMode(3))),
		"mode of a reader":    second(c.Subscribe(soon(t), topic, spillway.WithMode(spillway.KeyOrdered))),
		"filter of a reader":  second(c.Subscribe(soon(t), topic, spillway.WithFilter("a = 'b'"))),
		"empty filter":        second(c.Subscribe(soon(t), topic, group, spillway.WithFilter(""))),
		"long filter":         second(c.Subscribe(soon(t), topic, group, spillway.WithFilter(strings.Repeat("ü", 1025)))),
		"no backoff":          second(c.Subscribe(soon(t), topic, group, spillway.WithRetryBackoff())),
		"negative backoff":    second(c.Subscribe(soon(t), topic, group, spillway.WithRetryBackoff(-1))),
		"long backoff":        second(c.Subscribe(soon(t), topic, group, spillway.WithRetryBackoff(8*24*time.Hour))),
		"max deliveries":      second(c.Subscribe(soon(t), topic, group, spillway.WithMaxDeliveries(1001))),
		"backoff down":        second(c.Subscribe(soon(t), topic, group, spillway.WithRetryBackoffBetween(time.Second, time.Millisecond))),
		"jitter":              second(c.Subscribe(soon(t), topic, group, spillway.WithRetryJitterPercent(101))),
		"in flight":           second(c.Subscribe(soon(t), topic, group, spillway.WithMaxInFlight(-1))),
		"setting":             second(c.Subscribe(soon(t), topic, group, spillway.WithGroupSetting("max.inflght", "1"))),
		"setting without key": second(c.Subscribe(soon(t), topic, group, spillway.WithGroupSetting("", "1"))),
		"pause without why":   second(admin.PauseGroup(soon(t), topic, "g", "")),
		"snapshot's name":     second(admin.SnapshotGroup(soon(t), topic, "g", "", "why")),
		"purge to a group":    second(admin.PurgeTopic(soon(t), topic, spillway.StartGroup(), "why")),
		"purge without why":   second(admin.PurgeTopic(soon(t), topic, spillway.StartLatest(), "")),
		"selection":           second(admin.PlanReplay(soon(t), spillway.ReplaySelection{})),
		"sample":              second(admin.PlanReplay(soon(t), spillway.ReplaySelection{Topic: topic, SamplePerMille: 1001})),
		"from a group":        second(admin.PlanReplay(soon(t), spillway.ReplaySelection{Topic: topic, From: spillway.StartGroup()})),
		"target":              second(admin.StartReplay(soon(t), "p-1", spillway.ReplayTarget{}, spillway.ReplayOptions{Reason: "why"})),
		"target's name":       second(admin.StartReplay(soon(t), "p-1", spillway.ToGroup(""), spillway.ReplayOptions{Reason: "why"})),
		"replay without why":  second(admin.StartReplay(soon(t), "p-1", spillway.ToOrigin(), spillway.ReplayOptions{})),
		"replay's bounds":     second(admin.StartReplay(soon(t), "p-1", spillway.ToOrigin(), spillway.ReplayOptions{Reason: "why", MaxLag: -1})),
		"file's path":         second(admin.ReplayToFile(soon(t), "p-1", "", "why")),
		"file without why":    second(admin.ReplayToFile(soon(t), "p-1", "out.jsonl", "")),
		"replay's id":         second(admin.Replay(soon(t), "")),
		"both times":          second(p.Publish(soon(t), spillway.Record{DeliverAt: time.Now(), DeliverAfter: 1})),
		"negative offset":     second(p.Publish(soon(t), spillway.Record{ExpiresAfter: -1})),
		"time before 1970":    second(p.Publish(soon(t), spillway.Record{DeliverAt: time.UnixMilli(-1)})),
		"attempt before 1970": second(p.Publish(soon(t), spillway.Record{FirstAttempt: time.UnixMilli(-1)})),
	} {
		if !errors.Is(err, spillway.ErrInvalidArgument) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

func aDrainThatRunsOutOfTime(t *testing.T, b *broker, c *spillway.Client) {
	topic := b.topic(c, 1)
	publish(t, c, topic, "a")
	s := group(t, c, topic)
	fetch(t, s)

	err := s.Drain(after(t, 50*time.Millisecond))

	if !errors.Is(err, spillway.ErrDeadlineExceeded) {
		t.Errorf("the drain says %v", err)
	}
	if m := fetch(t, group(t, c, topic)); string(m.Value) != "a" || m.Failures != 0 {
		t.Errorf("what was handed out is not given back: %s has failed %d times", m.Value, m.Failures)
	}
}

package spillway_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

func TestReplaysToATopicAndTwiceStoresNothingTwice(t *testing.T) {
	b := startBroker(t)
	c := b.client()
	admin, topic := c.Admin(), b.topic(c, 1)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	for i := range 6 {
		open[spillway.Ack](t)(p.Publish(soon(t), spillway.Record{Key: fmt.Append(nil, "k", i%2), Value: fmt.Append(nil, i),
			Headers: []spillway.Header{{Name: "n", Value: fmt.Append(nil, i)}}}))
	}
	target := topic + ".again"
	open[*spillway.Topic](t)(admin.CreateTopic(soon(t), target, 1, map[string]string{"accepts": "replay"}))

	plan := open[*spillway.ReplayPlan](t)(admin.PlanReplay(soon(t), spillway.ReplaySelection{Topic: topic, From: spillway.StartOffset(0, 1),
		To: spillway.StartOffset(0, 5), Keys: [][]byte{[]byte("k0")}, Filter: "n >= 2"}))

	if plan.State != spillway.PlanReady || plan.Records != 2 || plan.Keys != 1 || plan.Bytes <= 0 || plan.First.IsZero() ||
		plan.Selection.Topic != topic || plan.Failure != nil || plan.DurationAt(1) != 2*time.Second {
		t.Errorf("the plan is %+v", plan)
	}
	options := spillway.ReplayOptions{Reason: "test", Rate: 1000}
	first := open[*spillway.ReplayJob](t)(admin.StartReplay(soon(t), plan.ID, spillway.ToTopic(target), options))
	first = open[*spillway.ReplayJob](t)(admin.AwaitReplay(soon(t), first.ID))
	second := open[*spillway.ReplayJob](t)(admin.StartReplay(soon(t), plan.ID, spillway.ToTopic(target), options))
	second = open[*spillway.ReplayJob](t)(admin.AwaitReplay(soon(t), second.ID))
	diff := open[*spillway.ReplayJob](t)(admin.ReplayDiff(soon(t), second.ID))

	if first.State != spillway.ReplayDone || first.Acked != 2 || first.Duplicates != 0 || first.Options.Reason != "test" ||
		first.Target.String() != "topic:"+target || first.PlanID != plan.ID || first.Ended.IsZero() {
		t.Errorf("the first replay is %+v", first)
	}
	if second.State != spillway.ReplayDone || diff.Duplicates != 2 || diff.Acked != 0 {
		t.Errorf("the second replay is %+v, and its diff %+v", second, diff)
	}
	s := open[*spillway.Subscription](t)(c.Subscribe(soon(t), target, spillway.WithGroup("g")))
	for _, value := range []string{"2", "4"} {
		if m := fetch(t, s); string(m.Value) != value || string(m.Header("spillway-replay-offset")) != value {
			t.Errorf("%s comes, with %v", m.Value, m.Headers())
		}
	}
	if jobs := open[[]*spillway.ReplayJob](t)(admin.Replays(soon(t))); len(jobs) != 2 || jobs[0].ID != second.ID {
		t.Errorf("the replays are %+v", jobs)
	}
	if err := admin.DeleteReplayPlan(soon(t), plan.ID); err != nil {
		t.Fatal(err)
	}
	if plans := open[[]*spillway.ReplayPlan](t)(admin.ReplayPlans(soon(t))); len(plans) != 0 {
		t.Errorf("the plans are %+v", plans)
	}
	_, gone := admin.ReplayPlan(soon(t), plan.ID)
	_, ended := admin.CancelReplay(soon(t), first.ID, "test")
	_, none := admin.PlanReplay(soon(t), spillway.ReplaySelection{Topic: "nope"})
	if !errors.Is(gone, spillway.ErrNotFound) || !errors.Is(ended, spillway.ErrWrongState) || !errors.Is(none, spillway.ErrTopicNotFound) {
		t.Errorf("a plan that is gone: %v; a replay that has ended: %v; no topic: %v", gone, ended, none)
	}
}

func TestAReplayToAFileSaysWhereTheRecordsAreAndIsInTheAudit(t *testing.T) {
	b := startBroker(t)
	c := b.client()
	admin, topic := c.Admin(), b.topic(c, 1)
	p := open[*spillway.Producer](t)(c.Producer(soon(t), topic))
	for _, key := range []string{"a", "b", "b", "a", "b"} {
		open[spillway.Ack](t)(p.Publish(soon(t), spillway.Record{Key: []byte(key), Value: []byte("v")}))
	}
	plan := open[*spillway.ReplayPlan](t)(admin.PlanReplay(soon(t), spillway.ReplaySelection{Topic: topic, Keys: [][]byte{[]byte("b")}}))

	ranges := open[[]spillway.ReplayRange](t)(admin.ReplayToFile(soon(t), plan.ID, "/tmp/b.jsonl", "INC-4711"))

	if want := []spillway.ReplayRange{{From: 1, To: 3, Records: 2}, {From: 4, To: 5, Records: 1}}; !slices.Equal(ranges, want) {
		t.Errorf("the records are in %+v", ranges)
	}
	if _, err := admin.ReplayToFile(soon(t), "p-none", "/tmp/b.jsonl", "INC-4711"); !errors.Is(err, spillway.ErrNotFound) {
		t.Errorf("of no plan: %v", err)
	}
	audit := open[*spillway.Subscription](t)(c.Subscribe(soon(t), "spillway.audit", spillway.WithStart(spillway.StartEarliest())))
	for {
		if value := string(fetch(t, audit).Value); strings.Contains(value, "/tmp/b.jsonl") && strings.Contains(value, "INC-4711") {
			break
		}
	}
}

func TestAReplayIsPausedResumedAndCancelledWhileItRuns(t *testing.T) {
	b := startBroker(t)
	c := b.client()
	admin, topic := c.Admin(), b.topic(c, 1)
	publish(t, c, topic, "a", "b", "c", "d", "e", "f", "g", "h")
	target := topic + ".again"
	open[*spillway.Topic](t)(admin.CreateTopic(soon(t), target, 1, map[string]string{"accepts": "replay"}))
	plan := open[*spillway.ReplayPlan](t)(admin.PlanReplay(soon(t), spillway.ReplaySelection{Topic: topic}))
	slow := spillway.ReplayOptions{Reason: "test", Rate: 1}
	job := open[*spillway.ReplayJob](t)(admin.StartReplay(soon(t), plan.ID, spillway.ToTopic(target), slow))
	_, running := admin.AwaitReplay(after(t, 50*time.Millisecond), job.ID)

	paused := open[*spillway.ReplayJob](t)(admin.PauseReplay(soon(t), job.ID, "wait"))
	awaited := open[*spillway.ReplayJob](t)(admin.AwaitReplay(soon(t), job.ID))
	resumed := open[*spillway.ReplayJob](t)(admin.ResumeReplay(soon(t), job.ID, "on"))
	cancelled := open[*spillway.ReplayJob](t)(admin.CancelReplay(soon(t), job.ID, "enough"))

	if !errors.Is(running, spillway.ErrDeadlineExceeded) || !errors.Is(running, context.DeadlineExceeded) {
		t.Errorf("while it runs: %v", running)
	}
	if paused.State != spillway.ReplayPaused || awaited.State != spillway.ReplayPaused || resumed.State != spillway.ReplayRunning ||
		cancelled.State != spillway.ReplayCancelled || !cancelled.State.Ended() {
		t.Errorf("it is %v, then %v, %v, %v", paused.State, awaited.State, resumed.State, cancelled.State)
	}
}

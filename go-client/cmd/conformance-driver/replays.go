package main

import (
	"context"
	"strings"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

func planReplayOp(d *driver, a *args) (any, error) {
	admin, err := d.admin(a)
	if err != nil {
		return nil, err
	}
	s := spillway.ReplaySelection{Topic: a.text("topic"), From: a.start("from"), To: a.start("to"), Filter: a.optionalText("filter", ""),
		DeadLetterCause: a.optionalText("dead_letter_cause", ""), UnackedBy: a.optionalText("unacked_by", ""),
		SamplePerMille: int(a.number("sample_pm", 0))}
	for _, partition := range a.numbers("partitions") {
		s.Partitions = append(s.Partitions, int(partition))
	}
	var keys []content
	a.into("keys", &keys)
	for _, key := range keys {
		s.Keys = append(s.Keys, key)
	}
	ctx, cancel := a.timeout(0)
	defer cancel()
	if err := a.finish(); err != nil {
		return nil, err
	}
	plan, err := admin.PlanReplay(ctx, s)
	return answer(plan, err, planOf)
}

func (a *args) target(name string) spillway.ReplayTarget {
	text := a.text(name)
	kind, of, _ := strings.Cut(text, ":")
	switch kind {
	case "group":
		return spillway.ToGroup(of)
	case "new-group":
		return spillway.ToNewGroup(of)
	case "topic":
		return spillway.ToTopic(of)
	case "origin":
		return spillway.ToOrigin()
	}
	if a.err == nil {
		a.err = driverError("unknown target " + text)
	}
	return spillway.ReplayTarget{}
}

func startReplayOp(d *driver, a *args) (any, error) {
	admin, err := d.admin(a)
	if err != nil {
		return nil, err
	}
	plan, target := a.text("plan"), a.target("target")
	options := spillway.ReplayOptions{Reason: a.optionalText("reason", "conformance"), Rate: int(a.number("rate", 0)),
		MaxErrors: a.number("stop_errors", 0), MaxDeadLetters: a.number("stop_dead_letters", 0), MaxLag: a.number("stop_consumer_lag", 0)}
	if err := a.finish(); err != nil {
		return nil, err
	}
	job, err := admin.StartReplay(context.Background(), plan, target, options)
	return answer(job, err, jobOf)
}

type jobCall = func(ctx context.Context, admin *spillway.Admin, id string) (*spillway.ReplayJob, error)

// jobOp is an operation on a replay.
func jobOp(call jobCall, format func(*spillway.ReplayJob) object) operation {
	return func(d *driver, a *args) (any, error) {
		admin, err := d.admin(a)
		if err != nil {
			return nil, err
		}
		id := a.text("job")
		ctx, cancel := context.WithCancel(context.Background())
		if a.op == "replay.wait" {
			ctx, cancel = a.timeout(0)
		}
		defer cancel()
		if err := a.finish(); err != nil {
			return nil, err
		}
		job, err := call(ctx, admin, id)
		return answer(job, err, format)
	}
}

// because is an operation that changes a replay and says why.
func because(call func(admin *spillway.Admin, ctx context.Context, id, reason string) (*spillway.ReplayJob, error)) operation {
	return func(d *driver, a *args) (any, error) {
		admin, err := d.admin(a)
		if err != nil {
			return nil, err
		}
		id, reason := a.text("job"), a.optionalText("reason", "conformance")
		if err := a.finish(); err != nil {
			return nil, err
		}
		job, err := call(admin, context.Background(), id, reason)
		return answer(job, err, jobOf)
	}
}

var (
	pauseReplayOp  = because((*spillway.Admin).PauseReplay)
	resumeReplayOp = because((*spillway.Admin).ResumeReplay)
	cancelReplayOp = because((*spillway.Admin).CancelReplay)
	replayStatusOp = jobOp(func(ctx context.Context, admin *spillway.Admin, id string) (*spillway.ReplayJob, error) {
		return admin.Replay(ctx, id)
	}, jobOf)
	waitReplayOp = jobOp(func(ctx context.Context, admin *spillway.Admin, id string) (*spillway.ReplayJob, error) {
		return admin.AwaitReplay(ctx, id)
	}, jobOf)
	replayDiffOp = jobOp(func(ctx context.Context, admin *spillway.Admin, id string) (*spillway.ReplayJob, error) {
		return admin.ReplayDiff(ctx, id)
	}, func(j *spillway.ReplayJob) object {
		return object{"redelivered": j.Redelivered, "acked": j.Acked, "failed": j.Failed, "open": j.Open, "duplicates": j.Duplicates}
	})
)

func listReplaysOp(d *driver, a *args) (any, error) {
	admin, err := d.admin(a)
	if err == nil {
		err = a.finish()
	}
	if err != nil {
		return nil, err
	}
	plans, jobs := []string{}, []string{}
	planned, err := admin.ReplayPlans(context.Background())
	if err != nil {
		return nil, err
	}
	for _, p := range planned {
		plans = append(plans, p.ID)
	}
	started, err := admin.Replays(context.Background())
	for _, j := range started {
		jobs = append(jobs, j.ID)
	}
	return object{"plans": plans, "jobs": jobs}, err
}

func deletePlanOp(d *driver, a *args) (any, error) {
	admin, err := d.admin(a)
	if err != nil {
		return nil, err
	}
	plan := a.text("plan")
	if err := a.finish(); err != nil {
		return nil, err
	}
	return object{}, admin.DeleteReplayPlan(context.Background(), plan)
}

func millisOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func planOf(p *spillway.ReplayPlan) object {
	partitions := []any{}
	for _, r := range p.Partitions {
		partitions = append(partitions, object{"partition": r.Partition, "from": r.From, "to": r.To, "records": r.Records})
	}
	return object{"plan": p.ID, "state": strings.ToLower(p.State.String()), "records": p.Records, "bytes": p.Bytes,
		"first_ms": millisOf(p.First), "last_ms": millisOf(p.Last), "keys": p.Keys, "keys_exact": p.KeysExact, "duplicates": p.Duplicates,
		"partitions": partitions}
}

func jobOf(j *spillway.ReplayJob) object {
	return object{"job": j.ID, "plan": j.PlanID, "topic": j.Topic, "target": j.Target.String(), "state": strings.ToLower(j.State.String()),
		"why": j.Why, "rate": j.Options.Rate, "reason": j.Options.Reason, "started_by": j.StartedBy, "records": j.Records, "done": j.Done,
		"redelivered": j.Redelivered, "acked": j.Acked, "failed": j.Failed, "open": j.Open, "duplicates": j.Duplicates, "errors": j.Errors}
}

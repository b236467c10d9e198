package spillway

import (
	"context"
	"fmt"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// Operations of the wire on replays.
const (
	opPlanReplay   = 1
	opStartReplay  = 2
	opReplayStatus = 3
	opListReplays  = 4
	opPauseReplay  = 5
	opResumeReplay = 6
	opCancelReplay = 7
	opReplayDiff   = 8
	opDeletePlan   = 9
)

const replayPoll = 100 * time.Millisecond

// PlanReplay finds the records that a replay would deliver, and counts them; nothing is changed by it. It waits until the plan is
// ready, for as long as the context allows. Fails with ErrTopicNotFound, ErrGroupNotFound, ErrInvalidArgument, ErrWrongState when
// the plan failed, and ErrDeadlineExceeded when the context ended first; the plan goes on then, and Admin.ReplayPlans has it.
func (a *Admin) PlanReplay(ctx context.Context, selection ReplaySelection) (*ReplayPlan, error) {
	if err := checkContext(ctx, "PlanReplay"); err != nil {
		return nil, err
	}
	selected, err := selection.toWire()
	if err != nil {
		return nil, err
	}
	plan, err := a.plan(ctx, "plan a replay of "+selection.Topic, true,
		&pb.ReplayAdmin{Op: opPlanReplay, Selection: selected, IdempotencyKey: a.c.key()})
	for err == nil && plan.State == PlanScanning {
		if !pause(ctx, replayPoll) {
			return nil, newError(codes.DeadlineExceeded, "plan "+plan.ID+" is not ready: "+ctx.Err().Error(),
				fmt.Sprintf("%d of %d records have been looked at", plan.Scanned, plan.ToScan),
				"the broker goes on; ask for the plan again").because(ctx)
		}
		plan, err = a.ReplayPlan(ctx, plan.ID)
	}
	if err != nil {
		return nil, err
	}
	if plan.State == PlanFailed {
		why := "the broker does not say"
		if plan.Failure != nil {
			why = plan.Failure.Error()
		}
		return nil, newError(codes.WrongState, "plan "+plan.ID+" failed", why, "plan again with another selection")
	}
	return plan, nil
}

// pause is false when the context ended it.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ReplayPlan returns a plan as it is now. Fails with ErrNotFound.
func (a *Admin) ReplayPlan(ctx context.Context, id string) (*ReplayPlan, error) {
	return a.plan(ctx, "show plan "+id, false, &pb.ReplayAdmin{Op: opReplayStatus, Id: id})
}

// ReplayPlans returns all plans that the broker keeps, the newest first.
func (a *Admin) ReplayPlans(ctx context.Context) ([]*ReplayPlan, error) {
	list, err := a.replayAdmin(ctx, "list replays", false, &pb.ReplayAdmin{Op: opListReplays})
	if err != nil {
		return nil, err
	}
	var plans []*ReplayPlan
	for _, p := range list.GetPlans() {
		plans = append(plans, planOf(p))
	}
	return plans, nil
}

// DeleteReplayPlan forgets a plan. Fails with ErrNotFound, and ErrWrongState while a replay of it has not ended.
func (a *Admin) DeleteReplayPlan(ctx context.Context, id string) error {
	_, err := a.replayOf(ctx, "delete plan "+id, true, &pb.ReplayAdmin{Op: opDeletePlan, Id: id})
	return err
}

// StartReplay delivers the records of a plan again. Fails with ErrNotFound, ErrWrongState when the plan is not ready,
// ErrPositionOutOfRange when records of it are gone, ErrAlreadyExists for a new group that is there, ErrInvalidArgument for a target
// that takes no replays.
func (a *Admin) StartReplay(ctx context.Context, planID string, target ReplayTarget, options ReplayOptions) (*ReplayJob, error) {
	to, err := target.toWire()
	if err != nil {
		return nil, err
	}
	if err := options.check(); err != nil {
		return nil, err
	}
	return a.job(ctx, "start a replay of plan "+planID, true, &pb.ReplayAdmin{Op: opStartReplay, Id: planID, Target: to,
		Rate: uint32(options.Rate), Reason: options.Reason, IdempotencyKey: a.c.key(), Stops: &pb.ReplayStops{
			Errors: uint64(options.MaxErrors), DeadLetters: uint64(options.MaxDeadLetters), ConsumerLag: uint64(options.MaxLag)}})
}

// ReplayToFile notes in the broker's audit that the records of a plan are copied to a file at path, and returns where they are: one
// range for each run of selected records, in order of partition and offset, for the caller to read and write. Fails with
// ErrNotFound, ErrWrongState when the plan is not ready, and ErrPositionOutOfRange when records of it are gone.
func (a *Admin) ReplayToFile(ctx context.Context, planID, path, reason string) ([]ReplayRange, error) {
	if path == "" {
		return nil, invalid("the path of the file is empty", "the audit says where the records went")
	}
	if err := checkReason("a replay", reason); err != nil {
		return nil, err
	}
	plan, err := a.plan(ctx, "copy plan "+planID+" to a file", true, &pb.ReplayAdmin{Op: opStartReplay, Id: planID,
		Target: &pb.ReplayTarget{Kind: targetFile, Name: path}, Reason: reason, IdempotencyKey: a.c.key(), Stops: &pb.ReplayStops{}})
	if err != nil {
		return nil, err
	}
	return plan.Partitions, nil
}

// Replay returns a replay as it is now. Fails with ErrNotFound.
func (a *Admin) Replay(ctx context.Context, id string) (*ReplayJob, error) {
	return a.job(ctx, "show replay "+id, false, &pb.ReplayAdmin{Op: opReplayStatus, Id: id})
}

// Replays returns all replays that the broker keeps, the newest first.
func (a *Admin) Replays(ctx context.Context) ([]*ReplayJob, error) {
	list, err := a.replayAdmin(ctx, "list replays", false, &pb.ReplayAdmin{Op: opListReplays})
	if err != nil {
		return nil, err
	}
	var jobs []*ReplayJob
	for _, j := range list.GetJobs() {
		jobs = append(jobs, jobOf(j))
	}
	return jobs, nil
}

// PauseReplay holds a replay back; what is out stays out. Fails with ErrNotFound, ErrWrongState when it has ended.
func (a *Admin) PauseReplay(ctx context.Context, id, reason string) (*ReplayJob, error) {
	return a.changeReplay(ctx, "pause", opPauseReplay, id, reason)
}

// ResumeReplay goes on with a paused replay. Fails with ErrNotFound, ErrWrongState when it is not paused.
func (a *Admin) ResumeReplay(ctx context.Context, id, reason string) (*ReplayJob, error) {
	return a.changeReplay(ctx, "resume", opResumeReplay, id, reason)
}

// CancelReplay ends a replay; what was delivered or stored stays so. Fails with ErrNotFound, ErrWrongState when it has ended.
func (a *Admin) CancelReplay(ctx context.Context, id, reason string) (*ReplayJob, error) {
	return a.changeReplay(ctx, "cancel", opCancelReplay, id, reason)
}

func (a *Admin) changeReplay(ctx context.Context, verb string, op uint32, id, reason string) (*ReplayJob, error) {
	if err := checkReason("changing a replay", reason); err != nil {
		return nil, err
	}
	return a.job(ctx, verb+" replay "+id, true, &pb.ReplayAdmin{Op: op, Id: id, Reason: reason})
}

// ReplayDiff returns what a replay has changed so far: what was redelivered, acked, failed, is open, and was there already. Fails
// with ErrNotFound.
func (a *Admin) ReplayDiff(ctx context.Context, id string) (*ReplayJob, error) {
	return a.job(ctx, "show what replay "+id+" changed", false, &pb.ReplayAdmin{Op: opReplayDiff, Id: id})
}

// AwaitReplay waits until a replay does not run any more: it is done, paused, cancelled or failed. Fails with ErrNotFound, and
// ErrDeadlineExceeded when the context ends first; the replay goes on then.
func (a *Admin) AwaitReplay(ctx context.Context, id string) (*ReplayJob, error) {
	for {
		job, err := a.Replay(ctx, id)
		if err != nil || job.State != ReplayRunning {
			return job, err
		}
		if !pause(ctx, replayPoll) {
			return nil, newError(codes.DeadlineExceeded, "replay "+id+" still runs: "+ctx.Err().Error(),
				fmt.Sprintf("%d of %d records are done", job.Done, job.Records), "the replay goes on; wait longer").because(ctx)
		}
	}
}

func (a *Admin) plan(ctx context.Context, what string, changes bool, header *pb.ReplayAdmin) (*ReplayPlan, error) {
	list, err := a.replayOf(ctx, what, changes, header)
	if err != nil {
		return nil, err
	}
	if len(list.GetPlans()) != 1 {
		return nil, ofTheOtherKind(what, len(list.GetPlans()), "plans")
	}
	return planOf(list.GetPlans()[0]), nil
}

func (a *Admin) job(ctx context.Context, what string, changes bool, header *pb.ReplayAdmin) (*ReplayJob, error) {
	list, err := a.replayOf(ctx, what, changes, header)
	if err != nil {
		return nil, err
	}
	if len(list.GetJobs()) != 1 {
		return nil, ofTheOtherKind(what, len(list.GetJobs()), "replays")
	}
	return jobOf(list.GetJobs()[0]), nil
}

func ofTheOtherKind(what string, found int, of string) *Error {
	return newError(codes.NotFound, fmt.Sprintf("the answer to %s has %d %s", what, found, of),
		"the id is of the other kind: plans begin with p-, replays with j-", "list plans and replays")
}

func (a *Admin) replayOf(ctx context.Context, what string, changes bool, header *pb.ReplayAdmin) (*pb.ReplayList, error) {
	if header.GetId() == "" && header.GetOp() != opPlanReplay {
		return nil, invalid("the id of a plan or replay is empty", "PlanReplay and StartReplay give them")
	}
	return a.replayAdmin(ctx, what, changes, header)
}

func (a *Admin) replayAdmin(ctx context.Context, what string, changes bool, header *pb.ReplayAdmin) (*pb.ReplayList, error) {
	list := &pb.ReplayList{}
	err := a.c.call(ctx, &call{what: what, kind: wire.ReplayAdmin, header: header, changes: changes}, nil, list)
	return list, err
}

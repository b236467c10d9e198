package spillway

import (
	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
)

const (
	maxPublishAttempts  = 5
	maxReadAttempts     = 4
	maxAdminAttempts    = 3
	maxChecksumAttempts = 3
	refreshMs           = 100
	freeRefreshes       = 2
	// freeUnknownOutcomes: times that a change of leader in the middle of a call costs nothing.
	freeUnknownOutcomes = 2
)

// verdict: whether to try again after delayMs, what that took from the budget, and why it failed otherwise.
type verdict struct {
	again          bool
	delayMs        int64
	outcomeUnknown bool
	cost           int
	err            *pb.Error
}

// retries decides whether and when what failed is tried again: by the class of its error, its attempts, the client's one
// retry budget and the time left. Guarded by the client's lock.
type retries struct {
	budget        *core.RetryBudget
	reconnectCost int
}

func (t *retries) afterPublish(e *pb.Error, attempts int, leftMs int64, r int) verdict {
	limit := maxPublishAttempts
	if isCode(e, codes.ChecksumMismatch) {
		limit = maxChecksumAttempts
	}
	return t.after(e, true, attempts, leftMs, limit, r)
}

func (t *retries) afterRead(e *pb.Error, attempts int, leftMs int64, r int) verdict {
	return t.after(e, false, attempts, leftMs, maxReadAttempts, r)
}

func (t *retries) afterAdmin(e *pb.Error, attempts int, leftMs int64, r int) verdict {
	return t.after(e, false, attempts, leftMs, maxAdminAttempts, r)
}

// afterSubscribe: subscribing is tried for as long as the subscription is open and costs nothing, but it waits.
func (t *retries) afterSubscribe(e *pb.Error, attempts, r int) verdict {
	if waitsForLeader(e) {
		return verdict{again: true, delayMs: leaderDelayMs(e), err: e}
	}
	decision := decide(e, false)
	lookedEnough := decision == core.RefreshThenRetry && attempts >= maxReadAttempts
	return verdict{again: decision != core.Fail && !lookedEnough, delayMs: delayMs(e, decision, attempts, r), err: e}
}

// waitsForLeader: nothing was done, and nothing is wrong: the call waits for the leader of the cluster.
func waitsForLeader(e *pb.Error) bool {
	return isCode(e, codes.NotLeader) || isCode(e, codes.LeaderElection)
}

// failureOf is 1 when the error counts as a failed attempt, else 0.
func failureOf(e *pb.Error) int {
	if waitsForLeader(e) {
		return 0
	}
	return 1
}

func leaderDelayMs(e *pb.Error) int64 {
	return core.RequestBackoff.AtLeast(refreshMs, int64(e.GetRetryAfterMs()))
}

func decide(e *pb.Error, publish bool) core.Decision {
	return core.Classify(retryClass(e), codes.Code(e.GetCode()), publish, true)
}

func (t *retries) after(e *pb.Error, publish bool, attempts int, leftMs int64, limit, r int) verdict {
	if waitsForLeader(e) {
		delay := leaderDelayMs(e)
		return verdict{again: delay+core.RequestBackoff.MinAttemptMs <= leftMs, delayMs: delay, err: e}
	}
	unknown := retryClass(e) == core.UnknownOutcome
	decision := decide(e, publish)
	delay := delayMs(e, decision, attempts, r)
	if decision == core.Fail || attempts >= limit || delay+core.RequestBackoff.MinAttemptMs > leftMs {
		return verdict{outcomeUnknown: unknown, err: e}
	}
	isFree := decision == core.RefreshThenRetry && attempts <= freeRefreshes
	if isCode(e, codes.ReplicationTimeout) {
		isFree = attempts <= freeUnknownOutcomes
	}
	if isFree {
		return verdict{again: true, delayMs: delay, outcomeUnknown: unknown, err: e}
	}
	cost := t.budget.Take(core.BackoffOf(codes.Code(e.GetCode())))
	if cost == 0 {
		return verdict{outcomeUnknown: unknown, err: exhausted(e)}
	}
	return verdict{again: true, delayMs: delay, outcomeUnknown: unknown, cost: cost, err: e}
}

func delayMs(e *pb.Error, decision core.Decision, attempts, r int) int64 {
	delay := core.RequestBackoff.Delay(core.BackoffOf(codes.Code(e.GetCode())), attempts, r, int64(e.GetRetryAfterMs()))
	if decision == core.RefreshThenRetry {
		delay = max(refreshMs, delay)
	}
	return delay
}

// exhausted keeps the class of the last error, which tells whether the outcome is known.
func exhausted(last *pb.Error) *pb.Error {
	e := wireError(codes.RetryBudgetExhausted, last.GetMessage(),
		"too much has failed lately for another retry; the last cause: "+last.GetReason()+", "+last.GetCause(),
		"look at the broker's health; successes refill the budget")
	e.Retry = pb.RetryClass(retryClass(last))
	return e
}

// chargeReconnect is one charge for sending again all that was in flight, whatever that is; false = not allowed.
func (t *retries) chargeReconnect() bool {
	t.reconnectCost = t.budget.Take(core.Transient)
	return t.reconnectCost > 0
}

// onSuccess: cost is what the call's last retry took, 0 when it was a first attempt.
func (t *retries) onSuccess(cost int) {
	t.budget.OnSuccess(cost)
	if t.reconnectCost > 0 {
		t.budget.OnSuccess(t.reconnectCost)
		t.reconnectCost = 0
	}
}

// Package core is the resilience contract without sockets, clocks or goroutines: time and randomness come in, decisions
// come out. The same vectors drive it in every language. Nothing in it is safe for concurrent use.
package core

// MaxR is the largest random number r.
const MaxR = 65535

// Scaled is a random share of a maximum: r from 0 to MaxR chooses it.
func Scaled(maximum int64, r int) int64 { return maximum * int64(r) / MaxR }

// BackoffKind says which first delay an error asks for.
type BackoffKind uint8

// The kinds.
const (
	Transient BackoffKind = iota
	Throttle
)

// Backoff is capped exponential delay with full jitter (Brooker, "Exponential Backoff and Jitter"), never sooner than
// the peer asked for. Times are in ms.
type Backoff struct {
	BaseMs            int64
	ThrottleBaseMs    int64
	CapMs             int64
	RetryAfterSlackMs int64
	MinAttemptMs      int64
}

// Backoffs of the contract.
var (
	RequestBackoff = Backoff{BaseMs: 50, ThrottleBaseMs: 1000, CapMs: 5000, RetryAfterSlackMs: 5000, MinAttemptMs: 50}
	ConnectBackoff = Backoff{BaseMs: 100, ThrottleBaseMs: 1000, CapMs: 10000, RetryAfterSlackMs: 5000, MinAttemptMs: 50}
)

// Delay before retry number retryNo (1 = the first), whatever the deadline.
func (b Backoff) Delay(kind BackoffKind, retryNo, r int, retryAfterMs int64) int64 {
	base := b.BaseMs
	if kind == Throttle {
		base = b.ThrottleBaseMs
	}
	top := min(b.CapMs, base<<min(retryNo-1, 40))
	return b.AtLeast(Scaled(top, r), retryAfterMs)
}

// AtLeast makes a delay no shorter than the peer asked for, within the slack.
func (b Backoff) AtLeast(delayMs, retryAfterMs int64) int64 {
	return max(delayMs, min(retryAfterMs, delayMs+b.RetryAfterSlackMs))
}

// DelayWithin is Delay, but false when too little time would be left for an attempt.
func (b Backoff) DelayWithin(kind BackoffKind, retryNo, r int, retryAfterMs, remainingMs int64) (int64, bool) {
	delay := b.Delay(kind, retryNo, r, retryAfterMs)
	return delay, delay+b.MinAttemptMs <= remainingMs
}

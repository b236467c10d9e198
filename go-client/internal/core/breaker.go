package core

// BreakerState of an endpoint.
type BreakerState uint8

// The states.
const (
	Closed BreakerState = iota
	Open
	HalfOpen
)

// Outcome of a failed call for the breaker, as the error registry says.
type Outcome uint8

// The outcomes.
const (
	Ignore Outcome = iota
	Failed
	ConnectFailed
)

const (
	buckets            = 10
	bucketMs           = 1000
	minCalls           = 20
	failurePercent     = 50
	slowPercent        = 80
	slowMs             = 2000
	maxConnectFailures = 5
	openBaseMs         = 5000
	openCapMs          = 60000
	probes             = 3
	resetAfterMs       = 60000
)

type bucket struct {
	number              int64
	calls, failed, slow int
}

// Breaker is the circuit breaker of one endpoint (Nygard, "Release It!"): it opens on connection failures in a row, or
// on the share of failed or slow calls in a sliding window, and probes after a jittered time that doubles.
type Breaker struct {
	window          [buckets]bucket
	state           BreakerState
	connectFailures int
	timesOpened     int
	openUntilMs     int64
	probesLeft      int
	probeSuccesses  int
	closedAtMs      int64
}

// NewBreaker returns a closed breaker.
func NewBreaker() *Breaker {
	b := &Breaker{}
	b.forgetCalls()
	return b
}

// State tells where the breaker is.
func (b *Breaker) State() BreakerState { return b.state }

// OpenUntilMs is when an open breaker lets the next probe through.
func (b *Breaker) OpenUntilMs() int64 { return b.openUntilMs }

// IsOpen tells whether it is open at this time; it changes nothing.
func (b *Breaker) IsOpen(nowMs int64) bool { return b.state == Open && nowMs < b.openUntilMs }

// Allow tells whether a call may go; half-open it takes one of the probes.
func (b *Breaker) Allow(nowMs int64) bool {
	if b.state == Open && nowMs >= b.openUntilMs {
		b.state, b.probesLeft, b.probeSuccesses = HalfOpen, probes, 0
	}
	switch b.state {
	case Closed:
		return true
	case HalfOpen:
		if b.probesLeft > 0 {
			b.probesLeft--
			return true
		}
	}
	return false
}

// OnSuccess counts a call that succeeded.
func (b *Breaker) OnSuccess(nowMs, latencyMs int64) { b.count(nowMs, false, false, latencyMs, 0) }

// OnFailure counts a call that failed; Ignore counts nowhere and gives a probe back.
func (b *Breaker) OnFailure(nowMs int64, outcome Outcome, latencyMs int64, r int) {
	if outcome != Ignore {
		b.count(nowMs, true, outcome == ConnectFailed, latencyMs, r)
	} else if b.state == HalfOpen {
		b.probesLeft++
	}
}

func (b *Breaker) count(nowMs int64, failed, connect bool, latencyMs int64, r int) {
	switch b.state {
	case HalfOpen:
		if failed {
			b.open(nowMs, r)
		} else if b.probeSuccesses++; b.probeSuccesses >= probes {
			b.state, b.closedAtMs, b.connectFailures = Closed, nowMs, 0
			b.forgetCalls()
		}
	case Closed:
		if b.timesOpened > 0 && nowMs-b.closedAtMs >= resetAfterMs {
			b.timesOpened = 0
		}
		at := b.bucket(nowMs)
		at.calls++
		if failed {
			at.failed++
		}
		if latencyMs >= slowMs {
			at.slow++
		}
		if connect {
			b.connectFailures++
		} else {
			b.connectFailures = 0
		}
		if b.mustOpen(nowMs) {
			b.open(nowMs, r)
		}
	}
}

func (b *Breaker) bucket(nowMs int64) *bucket {
	number := nowMs / bucketMs
	at := &b.window[number%buckets]
	if at.number != number {
		*at = bucket{number: number}
	}
	return at
}

func (b *Breaker) mustOpen(nowMs int64) bool {
	oldest := nowMs/bucketMs - buckets
	var sum bucket
	for _, at := range b.window {
		if at.number > oldest {
			sum.calls += at.calls
			sum.failed += at.failed
			sum.slow += at.slow
		}
	}
	return b.connectFailures >= maxConnectFailures ||
		sum.calls >= minCalls && (sum.failed*100 >= failurePercent*sum.calls || sum.slow*100 >= slowPercent*sum.calls)
}

func (b *Breaker) open(nowMs int64, r int) {
	b.timesOpened++
	open := min(openCapMs, int64(openBaseMs)<<min(b.timesOpened-1, 20))
	half := open / 2
	b.openUntilMs = nowMs + half + Scaled(open-half, r)
	b.state, b.connectFailures = Open, 0
	b.forgetCalls()
}

func (b *Breaker) forgetCalls() {
	for i := range b.window {
		b.window[i] = bucket{number: -1 << 62}
	}
}

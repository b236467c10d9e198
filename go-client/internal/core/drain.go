package core

import "math"

// DrainStep is one step of a close.
type DrainStep uint8

// The steps.
const (
	DrainHandlers      DrainStep = iota // let running handlers finish; hand nothing more to them
	DrainSettle                         // give back what is not settled, and wait until all settlements are answered
	DrainUnsubscribe                    // tell the broker that the subscription is over
	DrainSubscriptions                  // close each subscription
	DrainProducers                      // close each producer: send what is buffered and wait for its acks, across a reconnect
	DrainBye                            // say goodbye and wait for the answer
	DrainEnd                            // end it; what has no outcome fails now
)

const byeMs = 1000

// Steps in their order, by what is closed. Consumers stop first, because their handlers may still publish.
var (
	DrainOfClient       = []DrainStep{DrainSubscriptions, DrainProducers, DrainBye, DrainEnd}
	DrainOfSubscription = []DrainStep{DrainHandlers, DrainSettle, DrainUnsubscribe, DrainEnd}
)

// Drain says in which order something is closed, and how long each step may take. Steps that need a connection are left out
// without one, and past the deadline everything but the last step is.
type Drain struct {
	steps      []DrainStep
	deadlineMs int64
	cut        bool
}

// NewDrain begins a close.
func NewDrain(steps []DrainStep, timeoutMs, nowMs int64) *Drain {
	return &Drain{steps: steps, deadlineMs: nowMs + timeoutMs}
}

// Next says what to do now that the step before is done, or its time is over; DrainEnd comes last, and again if asked again.
func (d *Drain) Next(connected bool, nowMs int64) DrainStep {
	for len(d.steps) > 1 {
		step := d.steps[0]
		d.steps = d.steps[1:]
		needsConnection := step == DrainSettle || step == DrainUnsubscribe || step == DrainBye
		if nowMs >= d.deadlineMs {
			d.cut = true
		} else if connected || !needsConnection {
			return step
		}
	}
	return DrainEnd
}

// LimitMs is how long the step may take from now on.
func (d *Drain) LimitMs(step DrainStep, nowMs int64) int64 {
	limit := int64(math.MaxInt64)
	switch step {
	case DrainBye:
		limit = byeMs
	case DrainEnd:
		limit = 0
	}
	return max(0, min(limit, d.deadlineMs-nowMs))
}

// IsCut tells whether steps were left out because the time was over.
func (d *Drain) IsCut() bool { return d.cut }

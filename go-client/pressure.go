package spillway

import (
	"fmt"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
)

// PressureState of a broker, from well to worse.
type PressureState uint8

// The states.
const (
	PressureNormal PressureState = iota
	PressureElevated
	PressureThrottled
	PressureOverloaded
	PressureReadOnly
)

var pressureStates = [...]string{"NORMAL", "ELEVATED", "THROTTLED", "OVERLOADED", "READ_ONLY"}

func (s PressureState) String() string { return pressureStates[min(int(s), len(pressureStates)-1)] }

// Pressure is what a broker has said of itself, as long as it stands.
type Pressure struct {
	State PressureState
	// Reasons: the first is the cause. QUOTA, QUEUE_DELAY, MEMORY, DISK_SPACE, DISK_LATENCY, REPLICATION, CPU, CONSUMER_LAG, ADMIN,
	// or none when the broker did not say.
	Reasons []string
	// Of is what it was said of: "connection" for all that the client publishes, a topic, or topic/partition.
	Of string
	// Scope is what it concerns, in the broker's words.
	Scope string
	// RetryAfter is how long nothing is sent.
	RetryAfter time.Duration
}

// Reason is the cause; NONE when the broker did not say.
func (p Pressure) Reason() string {
	if len(p.Reasons) == 0 {
		return "NONE"
	}
	return p.Reasons[0]
}

func (p Pressure) String() string {
	return fmt.Sprintf("%v because of %s for %s, retry after %v", p.State, p.Reason(), p.Scope, p.RetryAfter)
}

// WithOnPressure sets who hears each change of the broker's pressure, on the connection, on each topic and each partition that is published to;
// one change after the other. It must be quick. Default: nobody.
func WithOnPressure(listener func(Pressure)) Option {
	return func(o *options) error { o.onPressure = listener; return nil }
}

// Pressure is what the broker has said last for all that this client publishes.
func (c *Client) Pressure() Pressure {
	c.mu.Lock()
	defer c.unlock()
	return c.flow.pressureNow()
}

// Pressure is the worst of what the broker has said for the connection, for this topic and for its partitions.
func (p *Producer) Pressure() Pressure {
	p.c.mu.Lock()
	defer p.c.unlock()
	worst := p.c.pressureOn(p)
	for _, part := range p.parts {
		if own := part.handle.pressure(); own.State > worst.State {
			worst = own
		}
	}
	return worst
}

// MayPublish tells, without waiting, whether a record that is published now could be sent at once: there is a connection and space in
// the buffer, and the broker lets a partition at least have something. Pressure says why not.
func (p *Producer) MayPublish() bool {
	if p.space.used.Load() >= p.space.limit {
		return false
	}
	p.c.mu.Lock()
	defer p.c.unlock()
	if p.closed || !p.c.maySend() || p.c.isHeld(p) {
		return false
	}
	for _, part := range p.parts {
		h := &part.handle
		if h.state != handleEnded && h.isDue() && (h.state != handleOpen || h.credit.admits()) && len(part.again) == 0 {
			return true
		}
	}
	return false
}

func pressureOf(of string, v *core.PressureView, nowMs int64) Pressure {
	p := Pressure{State: PressureState(v.State), Of: of, Scope: v.Scope, RetryAfter: time.Duration(v.RetryAfterMs(nowMs)) * time.Millisecond}
	for _, reason := range v.Reasons {
		p.Reasons = append(p.Reasons, reasonName(reason))
	}
	return p
}

func reasonName(reason uint32) string {
	if name, ok := pb.PressureReason_name[int32(reason)]; ok {
		return name[len("R_"):]
	}
	return "NONE"
}

func reasonsOf(reasons []pb.PressureReason) []uint32 {
	var all []uint32
	for _, reason := range reasons {
		all = append(all, uint32(reason))
	}
	return all
}

// onPressureChanged with the client's lock held.
func (c *Client) onPressureChanged(p Pressure) {
	c.measure(func(m Metrics) { m.OnPressure(p) })
	if c.opts.onPressure == nil {
		return
	}
	c.pressures = append(c.pressures, p)
	c.later(c.tellPressures)
}

// tellPressures in their order, whichever goroutines tell them.
func (c *Client) tellPressures() {
	c.mu.Lock()
	if c.telling {
		c.unlock()
		return // another goroutine takes these, too
	}
	for c.telling = true; len(c.pressures) > 0; {
		next := c.pressures[0]
		c.pressures = c.pressures[1:]
		c.unlock()
		c.opts.onPressure(next)
		c.mu.Lock()
	}
	c.telling = false
	c.unlock()
}

// pressure of one publisher.
func (h *pubHandle) pressure() Pressure {
	return pressureOf(h.scope(), &h.view, h.part.producer.c.link.nowMs())
}

func (h *pubHandle) tellWhen(changed bool) {
	if changed {
		h.part.producer.c.onPressureChanged(h.pressure())
	}
}

func (h *pubHandle) scope() string { return fmt.Sprintf("%s/%d", h.part.producer.topic, h.part.index) }

// throttled is the error of a batch whose time is over while the broker lets nothing through; nil when that is not why.
func (p *partPublisher) throttled(what string) *Error {
	if p.producer.c.usable() == nil {
		return nil
	}
	worst := p.producer.c.pressureOn(p.producer)
	if own := p.handle.pressure(); own.State > worst.State {
		worst = own
	}
	code, reason, why := codes.Throttled, worst.Reason(), "the broker asked to wait"
	switch {
	case worst.State >= PressureThrottled:
		if worst.State == PressureOverloaded {
			code = codes.Overloaded
		} else if worst.State == PressureReadOnly {
			code = codes.ReadOnly
		}
	case p.handle.state == handleOpen && len(p.sent) == 0 && !p.handle.credit.admits():
		reason, why = "CREDIT", "the broker's credit is used up: "+p.handle.credit.String()
		worst.Scope = p.handle.scope()
	default:
		return nil
	}
	err := newError(code, what, fmt.Sprintf("throttled, because of %s for %s: %s; nothing was stored", reason, worst.Scope, why),
		"publish more slowly, or allow a longer delivery timeout")
	err.RetryAfter = worst.RetryAfter
	err.Details = map[string]string{"pressure_state": worst.State.String(), "pressure_reason": reason, "pressure_scope": worst.Scope}
	return err
}

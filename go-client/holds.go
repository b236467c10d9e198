package spillway

import (
	"strings"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
)

// maxHoldMs: one batch is held back for longer the more often it is refused; the others are not.
const maxHoldMs = 1_000

// held names what waits together after a refusal for load: what is published to a topic, all or of one class.
type held struct {
	topic string
	class int64
}

const (
	anyClass     = -1
	classOfTopic = -2 // none was given, so that it is the topic's
)

// reach of a refusal for load: what is refused as well if it is sent before the time is over.
type reach uint8

const (
	reachPartition reach = iota // the broker did not say
	reachClass
	reachTopic
	reachConnection
)

func reachOf(e *pb.Error) reach {
	scope := e.GetMetadata()["scope"]
	switch {
	case e.GetMetadata()["shed_class"] != "":
		return reachClass
	case scope == "":
		return reachPartition
	case strings.HasPrefix(scope, "topic:"), strings.HasPrefix(scope, "principal-topic:"):
		return reachTopic
	}
	return reachConnection // of the broker, the failure domain, the principal or the connection itself
}

// holds that concern what this producer publishes.
func (p *Producer) holds() [2]held {
	class := int64(classOfTopic)
	if p.opts.shedClass != nil {
		class = int64(*p.opts.shedClass)
	}
	return [2]held{{p.topic, anyClass}, {p.topic, class}}
}

// isHeld tells whether something of the topic was refused, and its time is not over.
func (c *Client) isHeld(p *Producer) bool {
	if len(c.flow.held) == 0 {
		return false
	}
	for _, key := range p.holds() {
		if view := c.flow.held[key]; view != nil && view.RetryAfterMs(c.link.nowMs()) > 0 {
			return true
		}
	}
	return false
}

// pressureOn is the worst of what is known of the connection and of the topic.
func (c *Client) pressureOn(p *Producer) Pressure {
	worst := c.flow.pressureNow()
	if len(c.flow.held) == 0 {
		return worst
	}
	for _, key := range p.holds() {
		if view := c.flow.held[key]; view != nil && PressureState(view.State) > worst.State {
			worst = pressureOf(key.topic, view, c.link.nowMs())
		}
	}
	return worst
}

// endHolds tells what stands no more, by what ends it.
func (c *Client) endHolds(ends func(*core.PressureView, int64) bool) {
	nowMs := c.link.nowMs()
	for key, view := range c.flow.held {
		if ends(view, nowMs) {
			c.onPressureChanged(pressureOf(key.topic, view, nowMs))
		}
		if view.IsOver(nowMs) {
			delete(c.flow.held, key)
		}
	}
}

func (c *Client) endHoldsOf(p *Producer) {
	if len(c.flow.held) == 0 {
		return
	}
	nowMs := c.link.nowMs()
	for _, key := range p.holds() {
		if view := c.flow.held[key]; view != nil && view.Ack(core.Normal, 0, nowMs) {
			c.onPressureChanged(pressureOf(key.topic, view, nowMs))
		}
	}
}

// onLoadRefusal: the broker has refused something of this publisher for load, and it is tried again after that time. What would be
// refused for the same reason waits, too: it stays in the buffer rather than being sent and refused one by one.
func (h *pubHandle) onLoadRefusal(e *pb.Error, waitMs int64) {
	state, ok := loadOf(e)
	if !ok {
		return
	}
	p := h.part.producer
	c := p.c
	var reasons []uint32
	if number, ok := pb.PressureReason_value["R_"+e.GetMetadata()["reason"]]; ok {
		reasons = []uint32{uint32(number)}
	}
	scope := e.GetMetadata()["scope"]
	if scope == "" {
		scope = h.scope()
	}
	holdMs := min(waitMs, max(maxHoldMs, int64(e.GetRetryAfterMs())))
	c.measure(func(m Metrics) { m.OnThrottled(scope, time.Duration(holdMs)*time.Millisecond) })
	switch reach := reachOf(e); reach {
	case reachPartition:
		h.tellWhen(h.view.Refused(state, reasons, scope, waitMs, c.link.nowMs()))
	case reachConnection:
		changed := c.flow.view.Refused(state, reasons, scope, holdMs, c.flow.nowMs())
		c.flow.window.OnRefused()
		c.tellConnPressureWhen(changed)
	default:
		key := p.holds()[0]
		if reach == reachClass {
			key = p.holds()[1]
		}
		view := c.flow.held[key]
		if view == nil {
			view = &core.PressureView{}
			c.flow.held[key] = view
		}
		if view.Refused(state, reasons, scope, holdMs, c.link.nowMs()) {
			c.onPressureChanged(pressureOf(key.topic, view, c.link.nowMs()))
		}
	}
}

func loadOf(e *pb.Error) (state core.PressureState, ok bool) {
	switch codes.Code(e.GetCode()) {
	case codes.Throttled, codes.QueueFull:
		return core.Throttled, true
	case codes.Overloaded:
		return core.Overloaded, true
	case codes.ReadOnly:
		return core.ReadOnly, true
	}
	return core.Normal, false
}

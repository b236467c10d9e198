package spillway

import (
	"fmt"
	"sync"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
)

const maxGateMs = 30_000

// flow lets batches out to the connection: as many as the window allows, none before the gate the broker set, the
// partitions in turn. Guarded by the client's lock.
type flow struct {
	window   *core.Window
	start    time.Time
	view     core.PressureView
	held     map[held]*core.PressureView
	inFlight int
	runnable []*partPublisher
	spare    []*partPublisher

	inbox sync.Mutex // publishers that goroutines without the client's lock have woken
	woken []*partPublisher
}

// wakePart says that the partition has work. Without the client's lock.
func (c *Client) wakePart(p *partPublisher) {
	c.flow.inbox.Lock()
	c.flow.woken = append(c.flow.woken, p)
	c.flow.inbox.Unlock()
	c.wakeSender()
}

func (f *flow) reset(state core.PressureState, now time.Time) (changed bool) {
	f.window = core.NewWindow()
	f.window.OnState(state)
	f.start, f.inFlight, f.held = now, 0, map[held]*core.PressureView{}
	return f.view.Connected(state, 0)
}

func pressure(state pb.PressureState) core.PressureState {
	if state < 0 || state > pb.PressureState_P_READ_ONLY {
		return core.Overloaded
	}
	return core.PressureState(state)
}

func (f *flow) nowMs() int64 { return time.Since(f.start).Milliseconds() }

func (c *Client) maySend() bool {
	cn := c.usable()
	return cn != nil && c.flow.inFlight < c.flow.window.Limit() && c.flow.view.RetryAfterMs(c.flow.nowMs()) == 0 && cn.writable()
}

// obstacle says why nothing can be sent on the connection there is; for the error of a batch whose time is over.
func (f *flow) obstacle() string {
	if f.view.RetryAfterMs(f.nowMs()) > 0 {
		return "the broker asked to wait, its state is " + PressureState(f.view.State).String()
	}
	if f.inFlight >= f.window.Limit() {
		return fmt.Sprintf("%d batches are in flight, the window allows no more", f.inFlight)
	}
	return "the connection does not take more bytes"
}

func (c *Client) onAcked(state pb.PressureState, throttleMs uint32) {
	c.flow.window.OnAck(c.flow.inFlight)
	c.flow.inFlight--
	changed := c.flow.view.Ack(pressure(state), int64(throttleMs), c.flow.nowMs())
	c.onPressure(pressure(state), throttleMs, "connection", changed)
}

// onRefused: only a refusal for load says something about the window.
func (f *flow) onRefused(e *pb.Error) {
	if core.BackoffOf(codes.Code(e.GetCode())) == core.Throttle {
		f.window.OnSignal(core.SignalThrottled, f.nowMs())
	}
}

// onConnPressure: the broker says how it is, for the whole connection.
func (c *Client) onConnPressure(cn *conn, signal *pb.Backpressure) {
	if cn == c.link.publishing {
		c.perform(c.link.machine.Pressure(pressure(signal.GetState())))
		changed := c.flow.view.Signal(core.PressureSignal{Seq: signal.GetSeq(), State: pressure(signal.GetState()),
			Reasons: reasonsOf(signal.GetReasons()), Scope: signal.GetScope(), RetryAfterMs: int64(signal.GetRetryAfterMs()),
			ValidForMs: int64(signal.GetValidForMs())}, c.flow.nowMs())
		c.onPressure(pressure(signal.GetState()), signal.GetRetryAfterMs(), signal.GetScope(), changed)
	}
}

func (c *Client) onPressure(state core.PressureState, retryAfterMs uint32, scope string, changed bool) {
	f := &c.flow
	c.tellConnPressureWhen(changed)
	if state == core.Normal && retryAfterMs == 0 {
		return
	}
	signal := core.SignalOverloaded
	switch state {
	case core.Elevated:
		signal = core.SignalElevated
	case core.Normal, core.Throttled:
		signal = core.SignalThrottled
	}
	f.window.OnSignal(signal, f.nowMs())
	if state != core.Elevated {
		wait := time.Duration(min(retryAfterMs, maxGateMs)) * time.Millisecond
		c.measure(func(m Metrics) { m.OnThrottled(scope, wait) })
	}
}

func (c *Client) tellConnPressureWhen(changed bool) {
	if !changed {
		return
	}
	c.flow.window.OnState(c.flow.view.State)
	c.onPressureChanged(c.flow.pressureNow())
}

func (f *flow) pressureNow() Pressure { return pressureOf("connection", &f.view, f.nowMs()) }

// run queues a publisher that has something to do for its turn.
func (f *flow) run(p *partPublisher) {
	if !p.queued {
		p.queued = true
		f.runnable = append(f.runnable, p)
	}
}

// pump gives each publisher that has something to do its turn, until the window is full.
func (c *Client) pump() {
	f := &c.flow
	f.inbox.Lock()
	for i, p := range f.woken {
		f.run(p)
		f.woken[i] = nil
	}
	f.woken = f.woken[:0]
	f.inbox.Unlock()
	turns := f.runnable
	f.runnable, f.spare = f.spare[:0], nil
	for i, p := range turns {
		turns[i] = nil
		p.queued = false
		if p.pump() {
			f.run(p)
		}
	}
	f.spare = turns[:0]
}

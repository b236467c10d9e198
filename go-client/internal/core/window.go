package core

// PressureState of a broker; unknown ones count as Overloaded.
type PressureState uint8

// The states, as on the wire.
const (
	Normal PressureState = iota
	Elevated
	Throttled
	Overloaded
	ReadOnly
)

// Signal says why the window shrinks.
type Signal uint8

// The signals.
const (
	SignalElevated Signal = iota
	SignalThrottled
	SignalOverloaded
	SignalTimeout
)

// Window says how many batches may be unanswered on a connection: it grows by one per full window of acks while it is
// used and the broker is at ease, and shrinks by a share on pressure (additive increase, multiplicative decrease: Chiu
// and Jain). After a refusal of the whole connection one batch goes first, and each ack lets one more go until the window is full.
type Window struct {
	limit        int
	ramp         int // how many may be unanswered while it fills again; 0: as many as the limit
	acks         int
	hasShrunk    bool
	lastShrinkMs int64
	state        PressureState
}

const (
	windowInitial    = 16
	windowMin        = 1
	windowMax        = 256
	windowCooldownMs = 100
)

// NewWindow returns a window as of a new connection.
func NewWindow() *Window { return &Window{limit: windowInitial} }

// Limit is the number of batches that may be unanswered.
func (w *Window) Limit() int {
	if w.ramp > 0 {
		return min(w.ramp, w.limit)
	}
	return w.limit
}

// OnRefused: what was sent was refused because of all that this connection sends.
func (w *Window) OnRefused() { w.ramp = 1 }

// OnState tells the broker's state; the window grows in Normal only.
func (w *Window) OnState(state PressureState) { w.state = state }

// OnAck counts an ack; inFlight are the batches unanswered when it came, itself among them.
func (w *Window) OnAck(inFlight int) {
	if w.ramp > 0 {
		if w.ramp++; w.ramp >= w.limit {
			w.ramp = 0
		}
		return
	}
	if w.state != Normal || inFlight*2 < w.limit {
		return
	}
	w.acks++
	if w.acks >= w.limit {
		w.acks = 0
		w.limit = min(windowMax, w.limit+1)
	}
}

// OnSignal shrinks the window, at most once in 100 ms.
func (w *Window) OnSignal(signal Signal, nowMs int64) {
	if w.hasShrunk && nowMs-w.lastShrinkMs < windowCooldownMs {
		return
	}
	keep := 7
	if signal == SignalElevated {
		keep = 9
	}
	w.limit = max(windowMin, w.limit*keep/10)
	w.acks = 0
	w.hasShrunk, w.lastShrinkMs = true, nowMs
}

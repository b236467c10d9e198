package core

import "slices"

// Reasons of pressure that this side gives, as on the wire.
const (
	PressureQuota = 1
)

const (
	maxGateMs       = 30_000
	minValidMs      = 3_000
	refusalStandsMs = 1_000
)

// PressureView is what is known of a broker's pressure: on a connection, or on one publisher. What a broker says stands for the
// time it says, so that a word that never comes blocks nobody for ever. Each event returns whether something changed that is worth
// telling: the state, its reasons or its scope.
type PressureView struct {
	State   PressureState
	Reasons []uint32 // the first is the cause
	Scope   string

	seq     uint64
	gateMs  int64
	untilMs int64
	refused bool // it is what a refusal said, and the next success ends it
}

// IsOver tells that nothing is known any more, and nothing has to wait.
func (v *PressureView) IsOver(nowMs int64) bool { return v.State == Normal && nowMs >= v.gateMs }

// RetryAfterMs is how long nothing should be sent.
func (v *PressureView) RetryAfterMs(nowMs int64) int64 { return max(0, v.gateMs-nowMs) }

// Connected: to a broker that was in this state when the session began.
func (v *PressureView) Connected(state PressureState, nowMs int64) bool {
	v.seq, v.gateMs, v.refused = 0, nowMs, false
	if state == Normal {
		return v.clear()
	}
	return v.set(state, nil, "connection", nowMs+minValidMs)
}

// PressureSignal is what a broker says.
type PressureSignal struct {
	Seq          uint64 // older ones count no more; 0 is always new
	State        PressureState
	Reasons      []uint32
	Scope        string
	RetryAfterMs int64
	ValidForMs   int64 // 0: three times RetryAfterMs, at least 3 s
}

// Signal says how the broker is.
func (v *PressureView) Signal(s PressureSignal, nowMs int64) bool {
	if s.Seq > 0 && s.Seq <= v.seq {
		return false
	}
	v.seq, v.refused = max(v.seq, s.Seq), false
	if s.State == Normal && s.RetryAfterMs == 0 {
		v.gateMs = nowMs
		return v.clear()
	}
	if s.State != Elevated {
		v.gateMs = nowMs + min(s.RetryAfterMs, maxGateMs)
	}
	if s.State == Normal {
		s.State = Throttled
	}
	valid := s.ValidForMs
	if valid == 0 {
		valid = max(3*s.RetryAfterMs, minValidMs)
	}
	return v.set(s.State, s.Reasons, s.Scope, max(nowMs+valid, v.gateMs))
}

// Ack carries a state, too. It ends a refusal whose time is over, and no signal: what is over is said by another one.
func (v *PressureView) Ack(state PressureState, throttleMs, nowMs int64) bool {
	changed := v.refused && nowMs >= v.gateMs && v.clear()
	if state == Normal && throttleMs == 0 {
		return changed
	}
	var reasons []uint32
	if state == Normal {
		state, reasons = Throttled, []uint32{PressureQuota}
	}
	if state != Elevated {
		v.gateMs = max(v.gateMs, nowMs+min(throttleMs, maxGateMs))
	}
	until := nowMs + max(3*throttleMs, minValidMs)
	switch {
	case state < v.State:
		return changed
	case state == v.State:
		v.untilMs = max(v.untilMs, until)
		return changed
	}
	return v.set(state, reasons, "connection", until) || changed
}

// Refused: a request was refused for load, and is tried again after that time at the earliest.
func (v *PressureView) Refused(state PressureState, reasons []uint32, scope string, retryAfterMs, nowMs int64) bool {
	if state < v.State && !v.refused {
		return false
	}
	v.refused = true
	v.gateMs = max(v.gateMs, nowMs+min(retryAfterMs, maxGateMs))
	return v.set(state, reasons, scope, v.gateMs+refusalStandsMs)
}

// Timer ends what stands no more.
func (v *PressureView) Timer(nowMs int64) bool {
	return v.State != Normal && nowMs >= v.untilMs && v.clear()
}

func (v *PressureView) clear() bool {
	changed := v.State != Normal
	v.State, v.Reasons, v.Scope, v.refused = Normal, nil, "", false
	return changed
}

func (v *PressureView) set(state PressureState, reasons []uint32, scope string, untilMs int64) bool {
	changed := v.State != state || v.Scope != scope || !slices.Equal(v.Reasons, reasons)
	v.State, v.Reasons, v.Scope, v.untilMs = state, reasons, scope, untilMs
	return changed
}

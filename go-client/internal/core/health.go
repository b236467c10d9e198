package core

import "slices"

// HealthState of a client, as on the wire.
type HealthState uint8

// The states.
const (
	HealthReady HealthState = iota
	HealthDegraded
	HealthCritical
	HealthDraining
)

// HealthReason says why a client is not HealthReady, as on the wire.
type HealthReason uint32

// The reasons.
const (
	ReasonGC           HealthReason = 1
	ReasonMemory       HealthReason = 2
	ReasonIOWait       HealthReason = 3
	ReasonSchedLatency HealthReason = 7
	ReasonManual       HealthReason = 8
)

// HealthSample is what was measured at one moment. Shares are per mille; 0 where a part cannot be measured.
type HealthSample struct {
	GCCPUPm, HeapPm, MemPm                  uint32
	SchedP99Us                              uint32
	PsiMemSomePm, PsiMemFullPm, PsiIOFullPm uint32
	Inflight, MaxInflight                   uint32
	AppState                                HealthState // what the application says of itself
	AppUtilPm                               uint32
}

const (
	fullPm          = 1_000
	enterPm         = 800
	leavePm         = 600
	criticalPm      = 950
	leaveCriticalPm = 800
	enterAfter      = 2
	leaveAfter      = 5
	handoffAfterMs  = 10_000
	minReportGapMs  = 200

	schedFullUs      = 10_000
	psiMemSomeFullPm = 100
	psiMemFullFullPm = 50
	psiIOFullFullPm  = 200
)

// HealthMachine decides how a client is, from samples, and when the broker is told. What is measured counts by the worst part;
// how many handlers are busy counts for the utilisation only: a client that has work is not ill. Each event returns whether a
// report is due now.
type HealthMachine struct {
	intervalMs int64
	gcFullPm   uint32 // the share of the collector that counts as 1,000

	state       HealthState
	reasons     []HealthReason
	utilPm      uint32
	degraded    bool
	critical    bool
	above       int // samples in a row
	below       int
	belowMemory int
	app         HealthState
	draining    bool
	illSinceMs  int64
	handoff     bool
	nextMs      int64
	sampled     bool
	reported    bool
	reportedMs  int64
	due         bool
}

// NewHealthMachine returns one that is ready.
func NewHealthMachine(intervalMs int64, gcFullPm uint32) *HealthMachine {
	return &HealthMachine{intervalMs: intervalMs, gcFullPm: gcFullPm}
}

// State it is in.
func (m *HealthMachine) State() HealthState { return m.state }

// Reasons why it is not ready, the worst first.
func (m *HealthMachine) Reasons() []HealthReason { return m.reasons }

// UtilPm is the worst part of the last sample, handlers included.
func (m *HealthMachine) UtilPm() uint32 { return m.utilPm }

// HandoffRequested tells that somebody else should have its work.
func (m *HealthMachine) HandoffRequested() bool { return m.handoff }

// Brakes tells that it should take nothing new: there is no memory for it.
func (m *HealthMachine) Brakes() bool { return m.critical }

// WantsSample tells that it is time for one.
func (m *HealthMachine) WantsSample(nowMs int64) bool { return nowMs >= m.nextMs }

type healthPart struct {
	reason HealthReason
	pm     uint32
}

// Sample takes what was measured.
func (m *HealthMachine) Sample(s HealthSample, nowMs int64) bool {
	m.nextMs = nowMs + m.intervalMs
	m.sampled, m.due = true, true
	m.app = min(s.AppState, HealthCritical)
	memory := max(s.HeapPm, s.MemPm)
	parts := []healthPart{
		{ReasonGC, share(s.GCCPUPm, m.gcFullPm)},
		{ReasonMemory, min(fullPm, max(memory, share(s.PsiMemSomePm, psiMemSomeFullPm), share(s.PsiMemFullPm, psiMemFullFullPm)))},
		{ReasonIOWait, share(s.PsiIOFullPm, psiIOFullFullPm)},
		{ReasonSchedLatency, share(s.SchedP99Us, schedFullUs)},
		{ReasonManual, min(fullPm, s.AppUtilPm)},
	}
	slices.SortStableFunc(parts, func(a, b healthPart) int { return int(b.pm) - int(a.pm) })
	worst := parts[0].pm
	m.utilPm = max(worst, share(s.Inflight, s.MaxInflight))
	m.judge(worst, memory)
	m.explain(parts)
	m.settle(nowMs)
	return m.isDue(nowMs)
}

// Drain says whether the client is being closed.
func (m *HealthMachine) Drain(draining bool, nowMs int64) bool {
	m.draining = draining
	m.settle(nowMs)
	return m.isDue(nowMs)
}

// Connected: to a broker that has heard nothing yet.
func (m *HealthMachine) Connected(nowMs int64) bool {
	m.reported, m.due = false, true
	return m.isDue(nowMs)
}

// Timer: time has passed; some times a second.
func (m *HealthMachine) Timer(nowMs int64) bool { return m.isDue(nowMs) }

func share(part, whole uint32) uint32 {
	if whole == 0 {
		return 0
	}
	return uint32(min(fullPm, uint64(part)*fullPm/uint64(whole)))
}

func (m *HealthMachine) judge(worst, memory uint32) {
	m.above, m.below = inARow(m.above, worst >= enterPm), inARow(m.below, worst < leavePm)
	m.belowMemory = inARow(m.belowMemory, memory < leaveCriticalPm)
	if m.above >= enterAfter {
		m.degraded = true
	} else if m.below >= leaveAfter {
		m.degraded = false
	}
	if memory >= criticalPm {
		m.critical = true
	} else if m.belowMemory >= leaveAfter {
		m.critical = false
	}
}

func inARow(count int, holds bool) int {
	if holds {
		return count + 1
	}
	return 0
}

// explain: what is above the line that has to be passed to be well again. When nothing is, the old reasons stand.
func (m *HealthMachine) explain(parts []healthPart) {
	var reasons []HealthReason
	for _, part := range parts {
		if part.pm >= leavePm || part.reason == ReasonManual && m.app != HealthReady {
			reasons = append(reasons, part.reason)
		}
	}
	if len(reasons) > 0 {
		m.reasons = reasons
	}
}

func (m *HealthMachine) settle(nowMs int64) {
	before := m.state
	switch {
	case m.critical:
		m.state = max(HealthCritical, m.app)
	case m.degraded:
		m.state = max(HealthDegraded, m.app)
	default:
		m.state = m.app
	}
	if m.state == HealthReady {
		m.illSinceMs = nowMs
		m.reasons = nil
	}
	m.handoff = m.state == HealthCritical || nowMs-m.illSinceMs >= handoffAfterMs
	if m.draining {
		m.state = HealthDraining
	}
	m.due = m.due || m.state != before
}

func (m *HealthMachine) isDue(nowMs int64) bool {
	if !m.due || !m.sampled && m.state != HealthDraining || m.reported && nowMs-m.reportedMs < minReportGapMs {
		return false
	}
	m.due, m.reported, m.reportedMs = false, true, nowMs
	return true
}

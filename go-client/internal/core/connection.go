package core

import (
	"math"
	"slices"

	"github.com/spillway-io/spillway/go-client/internal/codes"
)

// ConnectionState says where a ConnectionMachine is.
type ConnectionState uint8

// The states.
const (
	Idle ConnectionState = iota
	Connecting
	Handshaking
	Ready
	Pressured // connected, and the broker is under pressure
	Draining  // connected to a broker that is to be left: nothing new is started there
	BackingOff
	Blocked // every endpoint refused what only another configuration can mend
	Ended
)

// ActionKind says what is to be done.
type ActionKind uint8

// The actions.
const (
	Dial              ActionKind = iota // connect and shake hands
	Use                                 // there is a connection again: reopen everything on it
	DrainConnection                     // start nothing new on this connection
	MovePublishers                      // from now on publishers and requests use this connection
	MoveSubscriptions                   // from now on subscriptions use this connection
	CloseConnection                     // end this connection
	Lost                                // there is no connection any more
	RoundFailed                         // no endpoint could be connected to; it names none
)

// Action is one thing to be done, and with which candidate.
type Action struct {
	Kind      ActionKind
	Candidate *Candidate
}

const (
	firstDelayMs   = 100
	blockedMs      = 60_000
	stableMs       = 30_000
	defaultGraceMs = 5_000
	homeAfterMs    = 60_000
	homeSpreadMs   = 30_000
)

// ConnectionMachine decides to which endpoint a client is connected. Each event returns what is to be done now, in order.
// Endpoints are tried in the order of FailoverOrder; after a round without success it waits, longer from round to round. When the
// broker goes away, or the home zone is back, it connects elsewhere first and leaves the old connection once nothing is under way
// there, or its grace is over (make before break). Times are ms of one monotonic clock.
type ConnectionMachine struct {
	candidates []*Candidate
	ownZone    string
	round      []*Candidate
	actions    []Action
	state      ConnectionState
	dialing    *Candidate
	active     *Candidate
	heir       *Candidate // connected, and takes over from the active one

	publishersMoved, subscriptionsMoved bool
	publishing, consuming               bool
	failedRounds                        int
	readySinceMs                        int64
	wakeAtMs                            int64
	graceEndMs                          int64
	homeAtMs                            int64
	reconnectAfterMs                    int64
}

// NewConnectionMachine returns an idle one; an empty zone means no preference.
func NewConnectionMachine(candidates []*Candidate, ownZone string) *ConnectionMachine {
	return &ConnectionMachine{candidates: candidates, ownZone: ownZone, homeAtMs: math.MaxInt64}
}

// State tells where it is.
func (m *ConnectionMachine) State() ConnectionState { return m.state }

// Active is the connection in use; while it drains, the one to be left.
func (m *ConnectionMachine) Active() *Candidate { return m.active }

// WakeAtMs is when BackingOff or Blocked ends.
func (m *ConnectionMachine) WakeAtMs() int64 { return m.wakeAtMs }

// Start connects from now on.
func (m *ConnectionMachine) Start(nowMs int64, r int) []Action {
	m.beginRound(nowMs, r)
	return m.done()
}

// Connected: TCP is there; the handshake begins.
func (m *ConnectionMachine) Connected(c *Candidate) []Action {
	if c == m.dialing && m.state == Connecting {
		m.state = Handshaking
	}
	return m.done()
}

// HelloOk ends a Dial; zone is where the broker says it is, empty when it does not say.
func (m *ConnectionMachine) HelloOk(c *Candidate, zone string, pressure PressureState, latencyMs, nowMs int64, r int) []Action {
	if c != m.dialing || c == nil {
		return m.done()
	}
	m.dialing = nil
	c.Breaker.OnSuccess(nowMs, latencyMs)
	c.pressure, c.drainingUntilMs = pressure, math.MinInt64
	if zone != "" {
		c.zone = zone
	}
	if m.active == nil {
		m.use(c, nowMs, r)
		m.act(Use, c)
		return m.done()
	}
	m.heir, m.publishersMoved, m.subscriptionsMoved = c, false, false
	if m.state != Draining {
		m.drain(nowMs + defaultGraceMs)
	}
	m.leave(nowMs, r)
	return m.done()
}

// Failed ends a Dial.
func (m *ConnectionMachine) Failed(c *Candidate, code codes.Code, nowMs int64, r int) []Action {
	if c == m.dialing && c != nil {
		m.dialing = nil
		c.failedMs = nowMs
		c.Breaker.OnFailure(nowMs, ConnectFailed, 0, r)
		if isRefusal(code) {
			c.blockedUntilMs = nowMs + blockedMs
		}
		m.dialNext(nowMs, r)
	}
	return m.done()
}

// Pressure: the broker says how it is, for the whole connection.
func (m *ConnectionMachine) Pressure(state PressureState) []Action {
	if m.active != nil && (m.state == Ready || m.state == Pressured) {
		m.active.pressure = state
		m.state = readyState(state)
	}
	return m.done()
}

// GoAway: the broker leaves. Without a grace what is under way has 5 s.
func (m *ConnectionMachine) GoAway(graceMs, reconnectAfterMs, nowMs int64, r int) []Action {
	if m.active != nil && (m.state == Ready || m.state == Pressured) {
		if graceMs <= 0 {
			graceMs = defaultGraceMs
		}
		m.reconnectAfterMs = reconnectAfterMs
		m.drain(nowMs + graceMs)
		m.active.drainingUntilMs = m.graceEndMs + reconnectAfterMs
		if m.dialing == nil && m.heir == nil {
			m.round = slices.DeleteFunc(FailoverOrder(m.candidates, m.ownZone, nowMs), func(c *Candidate) bool { return c == m.active })
			m.dialNext(nowMs, r)
		}
	}
	return m.done()
}

// Load says what is under way on the active connection. Tell it before GoAway and HelloOk, and often while it is Draining.
func (m *ConnectionMachine) Load(publishing, consuming bool, nowMs int64, r int) []Action {
	m.publishing, m.consuming = publishing, consuming
	if m.state == Draining {
		m.leave(nowMs, r)
	}
	return m.done()
}

// LostConnection: a connection ended that the machine did not close.
func (m *ConnectionMachine) LostConnection(c *Candidate, nowMs int64, r int) []Action {
	if m.state == Ended || c == nil || c != m.active && c != m.heir {
		return m.done()
	}
	c.failedMs = nowMs
	if c == m.heir || m.state != Draining {
		c.Breaker.OnFailure(nowMs, ConnectFailed, 0, r)
	}
	switch {
	case c == m.heir:
		m.heir = nil
		if m.active != nil && (m.publishersMoved || m.subscriptionsMoved) {
			m.act(CloseConnection, m.active)
			m.disconnected(nowMs, r)
		}
	case m.heir != nil:
		m.takeOver(nowMs, r)
	default:
		m.disconnected(nowMs, r)
	}
	return m.done()
}

// Timer: time has passed; some times a second.
func (m *ConnectionMachine) Timer(nowMs int64, r int) []Action {
	switch m.state {
	case BackingOff, Blocked:
		if nowMs >= m.wakeAtMs {
			m.beginRound(nowMs, r)
		}
	case Draining:
		m.leave(nowMs, r)
	case Ready, Pressured:
		if nowMs >= m.homeAtMs && m.dialing == nil {
			m.round = slices.DeleteFunc(FailoverOrder(m.candidates, m.ownZone, nowMs),
				func(c *Candidate) bool { return c.zone != m.ownZone || c == m.active })
			m.dialNext(nowMs, r)
		}
	}
	return m.done()
}

// Close is for good; later events change nothing.
func (m *ConnectionMachine) Close() []Action {
	if m.active != nil {
		m.act(CloseConnection, m.active)
	}
	if m.heir != nil {
		m.act(CloseConnection, m.heir)
	}
	m.state, m.active, m.heir, m.dialing = Ended, nil, nil, nil
	return m.done()
}

// ---- decisions

func (m *ConnectionMachine) beginRound(nowMs int64, r int) {
	m.state = Connecting
	m.round = FailoverOrder(m.candidates, m.ownZone, nowMs)
	m.dialNext(nowMs, r)
}

func (m *ConnectionMachine) dialNext(nowMs int64, r int) {
	panicking := isPanic(m.candidates, nowMs)
	for len(m.round) > 0 {
		next := m.round[0]
		m.round = m.round[1:]
		if panicking || next.Breaker.Allow(nowMs) {
			m.dialing = next
			if m.active == nil {
				m.state = Connecting
			}
			m.act(Dial, next)
			return
		}
	}
	if m.active != nil {
		m.planReturn(nowMs, r)
		return
	}
	m.failedRounds++
	m.actions = append(m.actions, Action{Kind: RoundFailed})
	first, all := int64(math.MaxInt64), true
	for _, c := range m.candidates {
		all = all && c.isBlocked(nowMs)
		first = min(first, c.blockedUntilMs)
	}
	if all {
		m.state, m.wakeAtMs = Blocked, first
	} else {
		m.pause(ConnectBackoff.Delay(Transient, m.failedRounds, r, 0), nowMs)
	}
}

func (m *ConnectionMachine) pause(delayMs, nowMs int64) {
	m.state, m.wakeAtMs = BackingOff, nowMs+delayMs
}

func (m *ConnectionMachine) use(c *Candidate, nowMs int64, r int) {
	m.active, m.state, m.readySinceMs, m.reconnectAfterMs = c, readyState(c.pressure), nowMs, 0
	m.planReturn(nowMs, r)
}

// planReturn: far from home, it looks from time to time whether the home zone is back; clients do not return all at once.
func (m *ConnectionMachine) planReturn(nowMs int64, r int) {
	m.homeAtMs = math.MaxInt64
	away := m.active != nil && m.ownZone != "" && m.active.zone != m.ownZone
	if away && slices.ContainsFunc(m.candidates, func(c *Candidate) bool { return c.zone == m.ownZone }) {
		m.homeAtMs = nowMs + homeAfterMs + Scaled(homeSpreadMs, r)
	}
}

func readyState(pressure PressureState) ConnectionState {
	if pressure == Normal {
		return Ready
	}
	return Pressured
}

func (m *ConnectionMachine) drain(graceEndMs int64) {
	m.state, m.graceEndMs = Draining, graceEndMs
	m.act(DrainConnection, m.active)
}

// leave moves what has nothing under way any more, and everything once the grace is over.
func (m *ConnectionMachine) leave(nowMs int64, r int) {
	over := nowMs >= m.graceEndMs
	if m.heir == nil {
		if over || !m.publishing && !m.consuming && m.dialing == nil {
			m.act(CloseConnection, m.active)
			m.disconnected(nowMs, r)
		}
		return
	}
	if !m.publishersMoved && (over || !m.publishing) {
		m.publishersMoved = true
		m.act(MovePublishers, m.heir)
	}
	if !m.subscriptionsMoved && (over || !m.consuming) {
		m.subscriptionsMoved = true
		m.act(MoveSubscriptions, m.heir)
	}
	if m.publishersMoved && m.subscriptionsMoved {
		m.act(CloseConnection, m.active)
		heir := m.heir
		m.heir = nil
		m.use(heir, nowMs, r)
	}
}

// takeOver: the connection that was to be left is gone already.
func (m *ConnectionMachine) takeOver(nowMs int64, r int) {
	if !m.publishersMoved {
		m.act(MovePublishers, m.heir)
	}
	if !m.subscriptionsMoved {
		m.act(MoveSubscriptions, m.heir)
	}
	heir := m.heir
	m.heir = nil
	m.use(heir, nowMs, r)
}

func (m *ConnectionMachine) disconnected(nowMs int64, r int) {
	m.act(Lost, m.active)
	m.active, m.homeAtMs = nil, math.MaxInt64
	if nowMs-m.readySinceMs > stableMs {
		m.failedRounds = 0
	} else {
		m.failedRounds++
	}
	if m.dialing != nil {
		m.state = Connecting
		return
	}
	delayMs := Scaled(firstDelayMs, r)
	if m.failedRounds > 1 {
		delayMs = ConnectBackoff.Delay(Transient, m.failedRounds-1, r, 0)
	}
	if len(m.candidates) == 1 {
		delayMs = ConnectBackoff.AtLeast(delayMs, m.reconnectAfterMs)
	}
	m.pause(delayMs, nowMs)
	m.reconnectAfterMs = 0
}

// isRefusal: errors that only another configuration can mend.
func isRefusal(code codes.Code) bool {
	return code == codes.UnsupportedVersion || code == codes.UnsupportedFeature || code == codes.Unauthenticated ||
		code == codes.PermissionDenied
}

func (m *ConnectionMachine) act(kind ActionKind, c *Candidate) {
	m.actions = append(m.actions, Action{kind, c})
}

func (m *ConnectionMachine) done() []Action {
	actions := m.actions
	m.actions = nil
	return actions
}

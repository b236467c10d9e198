package core

import (
	"math"
	"slices"

	"github.com/spillway-io/spillway/go-client/internal/codes"
)

const (
	firstDelayMs   = 100
	blockedMs      = 60_000
	stableMs       = 30_000
	defaultGraceMs = 5_000
	deposedGraceMs = 1_000
	// leaderlessDelayMs: until there is a leader. Elections are short, so that the pauses do not grow.
	leaderlessDelayMs = 400
)

// ConnectionMachine decides to which endpoint a client is connected. Each event returns what is to be done now, in order.
// Endpoints are tried in the order of FailoverOrder; after a round without success it waits, longer from round to round. When the
// broker goes away, or the home zone is back, it connects elsewhere first and leaves the old connection once nothing is under way
// there, or its grace is over (make before break). In a cluster all work is at the leader: the other nodes say where that is, and
// are asked in turn while there is none. Times are ms of one monotonic clock.
type ConnectionMachine struct {
	known   knownEndpoints
	prefers Preference
	round   round
	actions []Action
	state   ConnectionState
	dialing *Candidate
	active  *Candidate
	heir    *Candidate // connected, and takes over from the active one

	publishersMoved, subscriptionsMoved bool
	publishing, consuming               bool
	failedRounds                        int
	readySinceMs                        int64
	wakeAtMs                            int64
	graceEndMs                          int64
	homeAtMs                            int64
	reconnectAfterMs                    int64
}

// NewConnectionMachine returns an idle one. The configured candidates are never forgotten.
func NewConnectionMachine(configured []*Candidate, prefers Preference) *ConnectionMachine {
	return &ConnectionMachine{known: knownEndpoints{slices.Clone(configured), len(configured)}, prefers: prefers,
		homeAtMs: math.MaxInt64}
}

// Known are all endpoints that may be tried: the configured ones, then those that a cluster has named.
func (m *ConnectionMachine) Known() []*Candidate { return m.known.all }

// State tells where it is.
func (m *ConnectionMachine) State() ConnectionState { return m.state }

// Active is the connection in use; while it drains, the one to be left.
func (m *ConnectionMachine) Active() *Candidate { return m.active }

// WakeAtMs is when BackingOff or Blocked ends.
func (m *ConnectionMachine) WakeAtMs() int64 { return m.wakeAtMs }

// Know what a broker has named as the nodes of its cluster, to this connection or to another one.
func (m *ConnectionMachine) Know(nodes []Node) {
	if !isCluster(nodes) {
		return
	}
	m.known.replaceLearned(nodes)
	if m.prefers.Nearest {
		m.known.locate(nodes)
	}
}

// Start connects from now on.
func (m *ConnectionMachine) Start(nowMs int64, r int) []Action {
	if m.state != Ended {
		m.beginRound(nowMs, r)
	}
	return m.done()
}

// Connected: TCP is there; the handshake begins.
func (m *ConnectionMachine) Connected(c *Candidate) []Action {
	if c == m.dialing && m.state == Connecting {
		m.state = Handshaking
	}
	return m.done()
}

// HelloOk ends a Dial.
func (m *ConnectionMachine) HelloOk(c *Candidate, broker Welcome, latencyMs, nowMs int64, r int) []Action {
	if c != m.dialing || c == nil {
		return m.done()
	}
	m.dialing = nil
	c.Breaker.OnSuccess(nowMs, latencyMs)
	c.pressure, c.drainingUntilMs = broker.Pressure, math.MinInt64
	if broker.Zone != "" {
		c.zone = broker.Zone
	}
	c.clustered = isCluster(broker.Nodes)
	m.Know(broker.Nodes)
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
func (m *ConnectionMachine) Failed(c *Candidate, why Refusal, nowMs int64, r int) []Action {
	if c != m.dialing || c == nil {
		return m.done()
	}
	m.dialing = nil
	if why.isOfFollower() {
		c.Breaker.OnFailure(nowMs, Ignore, 0, r)
		m.round.sawFollower(why.RetryAfterMs)
		if why.Code == codes.NotLeader && m.seeksLeader() && m.follow(c, why.Redirect, nowMs) {
			return m.done()
		}
	} else {
		c.failedMs = nowMs
		c.Breaker.OnFailure(nowMs, ConnectFailed, 0, r)
		m.round.failed(c)
		if why.needsOtherConfiguration() {
			c.blockedUntilMs = nowMs + blockedMs
		}
	}
	m.dialNext(nowMs, r)
	return m.done()
}

// Pressure: the broker says how it is, for the whole connection.
func (m *ConnectionMachine) Pressure(state PressureState) []Action {
	if m.isInUse() {
		m.active.pressure = state
		m.state = readyState(state)
	}
	return m.done()
}

// GoAway: the broker leaves, or leads no more.
func (m *ConnectionMachine) GoAway(broker Farewell, nowMs int64, r int) []Action {
	if m.isInUse() {
		first := ""
		if isCluster(broker.Nodes) {
			for _, node := range broker.Nodes {
				m.known.learn(node)
				if first == "" && node != m.active.Endpoint && !m.prefers.Nearest {
					first = node
				}
			}
		}
		if broker.GraceMs <= 0 {
			broker.GraceMs = defaultGraceMs
		}
		m.goElsewhere(broker, first, nowMs, r)
	}
	return m.done()
}

// NotLeader: a call on the active connection was answered with NOT_LEADER; an empty redirect was not said.
func (m *ConnectionMachine) NotLeader(redirect string, nowMs int64, r int) []Action {
	if m.isInUse() {
		m.goElsewhere(Farewell{GraceMs: deposedGraceMs}, redirect, nowMs, r)
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
			m.round = round{rest: slices.DeleteFunc(FailoverOrder(m.known.all, m.prefers, nowMs),
				func(c *Candidate) bool { return !m.prefers.isHome(c) || c == m.active })}
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
	m.round = round{rest: FailoverOrder(m.known.all, m.prefers, nowMs)}
	m.dialNext(nowMs, r)
}

func (m *ConnectionMachine) dialNext(nowMs int64, r int) {
	panicking := isPanic(m.known.all, nowMs)
	for next := m.round.poll(); next != nil; next = m.round.poll() {
		if panicking || next.Breaker.Allow(nowMs) {
			m.dial(next)
			return
		}
	}
	if m.active != nil {
		m.planReturn(nowMs, r)
		return
	}
	m.actions = append(m.actions, Action{Kind: RoundFailed})
	if m.round.seenFollower {
		m.pause(ConnectBackoff.AtLeast(Scaled(leaderlessDelayMs, r), m.round.retryAfterMs), nowMs)
		return
	}
	m.failedRounds++
	first, all := int64(math.MaxInt64), true
	for _, c := range m.known.all {
		all = all && c.isBlocked(nowMs)
		first = min(first, c.blockedUntilMs)
	}
	if all {
		m.state, m.wakeAtMs = Blocked, first
	} else {
		m.pause(ConnectBackoff.Delay(Transient, m.failedRounds, r, 0), nowMs)
	}
}

func (m *ConnectionMachine) dial(c *Candidate) {
	m.dialing, c.dialed = c, true
	if m.active == nil {
		m.state = Connecting
	}
	m.act(Dial, c)
}

// seeksLeader: a reader of the nearest goes on to the next node as long as it has one.
func (m *ConnectionMachine) seeksLeader() bool {
	return !m.prefers.Nearest || m.active == nil && len(m.round.rest) == 0
}

// follow dials where a node that refused says that the leader is.
func (m *ConnectionMachine) follow(from *Candidate, redirect string, nowMs int64) bool {
	if redirect == "" || redirect == from.Endpoint || m.active != nil && redirect == m.active.Endpoint {
		return false
	}
	to := m.known.learn(redirect)
	if to.isBlocked(nowMs) || !m.round.mayFollow(to) {
		return false
	}
	m.dialOutOfTurn(to)
	return true
}

// dialOutOfTurn: whoever names a leader should know; the breaker is not asked.
func (m *ConnectionMachine) dialOutOfTurn(c *Candidate) {
	m.round.remove(c)
	m.dial(c)
}

// goElsewhere leaves the active connection; first is tried first, unless it is empty.
func (m *ConnectionMachine) goElsewhere(broker Farewell, first string, nowMs int64, r int) {
	leaving := m.active
	m.reconnectAfterMs = broker.ReconnectAfterMs
	m.drain(nowMs + broker.GraceMs)
	leaving.drainingUntilMs = m.graceEndMs + broker.ReconnectAfterMs
	if m.dialing == nil && m.heir == nil {
		m.round = round{rest: FailoverOrder(m.known.all, m.prefers, nowMs)}
		m.round.remove(leaving)
		if first != "" && first != leaving.Endpoint {
			if to := m.known.learn(first); !to.isBlocked(nowMs) {
				m.dialOutOfTurn(to)
				return
			}
		}
		m.dialNext(nowMs, r)
	}
}

func (m *ConnectionMachine) isInUse() bool {
	return m.active != nil && (m.state == Ready || m.state == Pressured)
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
	away := m.active != nil && m.prefers.isAway(m.active)
	if away && slices.ContainsFunc(m.known.all, m.prefers.isHome) {
		m.homeAtMs = nowMs + m.prefers.lookAfterMs(m.known.all, r)
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
	if len(m.known.all) == 1 {
		delayMs = ConnectBackoff.AtLeast(delayMs, m.reconnectAfterMs)
	}
	m.pause(delayMs, nowMs)
	m.reconnectAfterMs = 0
}

func (m *ConnectionMachine) act(kind ActionKind, c *Candidate) {
	m.actions = append(m.actions, Action{kind, c})
}

func (m *ConnectionMachine) done() []Action {
	actions := m.actions
	m.actions = nil
	return actions
}

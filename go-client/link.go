package spillway

import (
	"math"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
)

// stableAfter: what lasts this long begins its count of failures anew when it ends.
const stableAfter = 30 * time.Second

// peer is one endpoint and its connection.
type peer struct {
	candidate *core.Candidate
	cn        *conn
	tried     bool // whether it was dialled before
}

// reconnects of all clients of this process.
var reconnects struct {
	sync.Mutex
	limit core.ConnectLimit
	start time.Time
}

// awaitTurn waits until the process may connect again; false when stop ended it.
func awaitTurn(stop <-chan struct{}) bool {
	reconnects.Lock()
	if reconnects.start.IsZero() {
		reconnects.start = time.Now()
	}
	wait := reconnects.limit.Take(time.Since(reconnects.start).Milliseconds())
	reconnects.Unlock()
	timer := time.NewTimer(time.Duration(wait) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
		return false
	}
}

// link keeps the client connected: it does what its machine decides. There is one connection, and for a moment two while the
// client moves from a broker that goes away to another. Guarded by the client's lock, but for first, start and conns.
type link struct {
	first      chan error // the outcome of the first round
	start      time.Time
	conns      atomic.Pointer[[]*conn] // those that are open
	machine    *core.ConnectionMachine
	peers      map[*core.Candidate]*peer
	callee     *peer // where publishers and requests are; its breaker counts their outcomes
	publishing *conn // the connection of publishers and requests
	consuming  *conn // the connection on which subscriptions may be opened
	draining   bool  // nothing new is sent on the connection of publishers
	wasReady   bool
	lastError  *pb.Error
}

func (l *link) init(endpoints []string, prefers core.Preference) {
	l.first = make(chan error, 1)
	l.start = time.Now()
	l.lastError = wireError(codes.ConnectFailed, "not connected yet", "no attempt was made", "wait")
	l.peers = map[*core.Candidate]*peer{}
	var candidates []*core.Candidate
	for _, endpoint := range endpoints {
		candidates = append(candidates, core.NewCandidate(endpoint))
	}
	l.machine = core.NewConnectionMachine(candidates, prefers)
}

// peer of a candidate, which the machine may have learned of since; nil for none.
func (l *link) peer(candidate *core.Candidate) *peer {
	p := l.peers[candidate]
	if p == nil && candidate != nil {
		p = &peer{candidate: candidate}
		l.peers[candidate] = p
	}
	return p
}

// forget what the machine has forgotten.
func (l *link) forget() {
	for candidate, p := range l.peers {
		if p.cn == nil && !slices.Contains(l.machine.Known(), candidate) {
			delete(l.peers, candidate)
		}
	}
}

func (l *link) nowMs() int64 { return time.Since(l.start).Milliseconds() }

func (l *link) timeOf(ms int64) time.Time { return l.start.Add(time.Duration(ms) * time.Millisecond) }

// onOutcome tells the breaker of the current endpoint how a call ended; nil is a success.
func (l *link) onOutcome(e *pb.Error, latency time.Duration, r int) {
	if l.callee == nil || l.publishing == nil {
		return
	}
	breaker := l.callee.candidate.Breaker
	if e == nil {
		breaker.OnSuccess(l.nowMs(), latency.Milliseconds())
		return
	}
	outcome := core.Ignore
	if info, ok := codes.Lookup(codes.Code(e.GetCode())); ok && info.Breaker == "FAIL" {
		outcome = core.Failed
	} else if ok && info.Breaker == "CONN_FAIL" {
		outcome = core.ConnectFailed
	}
	breaker.OnFailure(l.nowMs(), outcome, latency.Milliseconds(), r)
}

// perform does what the machine has decided, with the lock held.
func (c *Client) perform(actions []core.Action) {
	for _, action := range actions {
		p := c.link.peer(action.Candidate)
		switch action.Kind {
		case core.Dial:
			c.running.Add(1)
			go c.runDial(p, p.tried)
			p.tried = true
		case core.Use:
			c.link.callee = p
			c.onReady(p.cn)
			c.tellFirst(nil)
		case core.DrainConnection:
			c.onDraining()
		case core.MovePublishers:
			c.link.callee = p
			c.onPublishersMoved(p.cn)
		case core.MoveSubscriptions:
			c.onSubscriptionsMoved(p.cn)
		case core.CloseConnection:
			c.closeConnection(p)
		case core.Lost:
			c.link.callee = nil
			c.onDisconnected(p.candidate.Endpoint, c.link.lastError)
		case core.RoundFailed:
			if c.opts.waitForBroker == 0 && !c.link.wasReady {
				c.tellFirst(fromWire(c.link.lastError))
			}
		}
	}
}

// tellFirst tells Connect, if that still waits.
func (c *Client) tellFirst(failed *Error) {
	var err error
	if failed != nil {
		err = failed
	}
	select {
	case c.link.first <- err:
	default:
	}
}

func (c *Client) tickLink(now time.Time) {
	l := &c.link
	for _, p := range l.peers {
		if p.cn != nil {
			p.cn.tick(now)
		}
	}
	if l.machine.State() == core.Draining {
		c.tellLoad()
	}
	c.perform(l.machine.Timer(l.nowMs(), c.random()))
}

func (c *Client) tellLoad() {
	c.perform(c.link.machine.Load(c.isPublishing(), c.isConsuming(), c.link.nowMs(), c.random()))
}

// runDial connects to one endpoint and tells the machine how that went. A client's first attempt with an endpoint need not
// wait for its turn.
func (c *Client) runDial(p *peer, again bool) {
	defer c.running.Done()
	if again && !awaitTurn(c.stop) {
		return
	}
	l := &c.link
	started := time.Now()
	cn, failed := dial(c, p.candidate.Endpoint, c.stop, func() {
		c.mu.Lock()
		c.perform(l.machine.Connected(p.candidate))
		c.unlock()
	})
	c.mu.Lock()
	defer c.unlock()
	if l.machine.State() == core.Ended {
		if cn != nil {
			cn.nc.Close()
		}
		return
	}
	if failed != nil {
		l.lastError = failed
		cause := fromWire(failed)
		c.measure(func(m Metrics) { m.OnDisconnected(p.candidate.Endpoint, cause) })
		why := core.Refusal{Code: codes.Code(failed.GetCode()), Redirect: hostPort(failed.GetRedirect()),
			RetryAfterMs: int64(failed.GetRetryAfterMs())}
		c.perform(l.machine.Failed(p.candidate, why, l.nowMs(), c.random()))
		return
	}
	p.cn = cn
	c.publishConns()
	c.running.Add(2)
	go func() {
		defer c.running.Done()
		cn.read()
	}()
	go c.runSender(cn)
	c.tellLoad()
	broker := core.Welcome{Zone: zoneOf(cn.hello), Pressure: pressure(cn.hello.GetState()),
		Nodes: nodesOf(cn.hello.GetEndpoints())}
	c.perform(l.machine.HelloOk(p.candidate, broker, time.Since(started).Milliseconds(), l.nowMs(), c.random()))
	l.forget()
	cn.wakeSender()
}

// zoneOf is where the broker says it is; empty when it does not say.
func zoneOf(hello *pb.HelloOk) string {
	if hello.GetZone() != "" {
		return hello.GetZone()
	}
	for _, each := range hello.GetEndpoints() {
		if each.GetBrokerId() == hello.GetBrokerId() {
			return each.GetZone()
		}
	}
	return ""
}

// hostPort is an endpoint as options have it; empty when a broker says nothing that can be dialled.
func hostPort(e *pb.Endpoint) string {
	if e.GetHost() == "" || e.GetPort() == 0 || e.GetPort() > math.MaxUint16 {
		return ""
	}
	return net.JoinHostPort(e.GetHost(), strconv.Itoa(int(e.GetPort())))
}

func hostPorts(endpoints []*pb.Endpoint) []string {
	var all []string
	for _, each := range endpoints {
		if endpoint := hostPort(each); endpoint != "" {
			all = append(all, endpoint)
		}
	}
	return all
}

func (c *Client) publishConns() {
	var open []*conn
	for _, p := range c.link.peers {
		if p.cn != nil {
			open = append(open, p.cn)
		}
	}
	c.link.conns.Store(&open)
}

func (c *Client) peerOf(cn *conn) *peer {
	for _, p := range c.link.peers {
		if p.cn == cn {
			return p
		}
	}
	return nil
}

// closeConnection by our own decision; the machine knows.
func (c *Client) closeConnection(p *peer) {
	cn := p.cn
	p.cn = nil
	c.publishConns()
	if c.link.machine.State() != core.Ended {
		c.link.lastError = wireError(codes.Draining, cn.endpoint+" is left",
			"it goes away, or a broker in the client's zone is back", "the client goes on elsewhere by itself")
	}
	cn.fail(c.link.lastError)
}

// onLost: a connection has failed.
func (c *Client) onLost(cn *conn, why *pb.Error) {
	if p := c.peerOf(cn); p != nil {
		p.cn = nil
		c.publishConns()
		c.link.lastError = why
		c.perform(c.link.machine.LostConnection(p.candidate, c.link.nowMs(), c.random()))
	}
}

func (c *Client) onGoAway(cn *conn, notice *pb.GoAway) {
	if c.isActive(cn) {
		broker := core.Farewell{GraceMs: int64(notice.GetGraceMs()), ReconnectAfterMs: int64(notice.GetReconnectAfterMs()),
			Nodes: hostPorts(notice.GetEndpoints())}
		c.perform(c.link.machine.GoAway(broker, c.link.nowMs(), c.random()))
	}
}

// onNotLeader: a request was answered with an error that says so. All else that is under way there will be, too.
func (c *Client) onNotLeader(cn *conn, e *pb.Error) {
	if c.isActive(cn) {
		c.perform(c.link.machine.NotLeader(hostPort(e.GetRedirect()), c.link.nowMs(), c.random()))
	}
}

// isActive tells the machine what is under way, which may end the move to another connection, and then whether this one is in use.
func (c *Client) isActive(cn *conn) bool {
	c.tellLoad()
	p := c.peerOf(cn)
	return p != nil && p.candidate == c.link.machine.Active()
}

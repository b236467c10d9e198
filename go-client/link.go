package spillway

import (
	"time"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
)

const (
	firstReconnectMs = 100
	blockedFor       = 60 * time.Second
	stableAfter      = 30 * time.Second
	defaultGrace     = 5 * time.Second
)

// candidate is one endpoint and what is known of it.
type candidate struct {
	endpoint     string
	breaker      *core.Breaker
	blockedUntil time.Time
}

// link keeps the client connected. Guarded by the client's lock, but for first.
type link struct {
	first            chan error // the outcome of the first round
	candidates       []*candidate
	begin            int // where the next round begins
	current          *conn
	chosen           *candidate
	wasReady         bool
	failedRounds     int
	reconnectAfterMs int64
	readySince       time.Time
	lastError        *pb.Error
	start            time.Time
}

func (l *link) init(endpoints []string) {
	l.first = make(chan error, 1)
	l.start = time.Now()
	l.lastError = wireError(codes.ConnectFailed, "not connected yet", "no attempt was made", "wait")
	for _, endpoint := range endpoints {
		l.candidates = append(l.candidates, &candidate{endpoint: endpoint, breaker: core.NewBreaker()})
	}
}

func (l *link) nowMs() int64 { return time.Since(l.start).Milliseconds() }

// onOutcome tells the breaker of the current endpoint how a call ended; nil is a success.
func (l *link) onOutcome(e *pb.Error, latency time.Duration, r int) {
	if l.chosen == nil || l.current == nil {
		return
	}
	if e == nil {
		l.chosen.breaker.OnSuccess(l.nowMs(), latency.Milliseconds())
		return
	}
	outcome := core.Ignore
	if info, ok := codes.Lookup(codes.Code(e.GetCode())); ok && info.Breaker == "FAIL" {
		outcome = core.Failed
	} else if ok && info.Breaker == "CONN_FAIL" {
		outcome = core.ConnectFailed
	}
	l.chosen.breaker.OnFailure(l.nowMs(), outcome, latency.Milliseconds(), r)
}

// mayTry: with more than half of the breakers open the fault is probably on this side, and they are ignored.
func (l *link) mayTry(at *candidate) bool {
	nowMs := l.nowMs()
	open := 0
	for _, each := range l.candidates {
		if each.breaker.IsOpen(nowMs) {
			open++
		}
	}
	return time.Now().After(at.blockedUntil) && (open*2 > len(l.candidates) || at.breaker.Allow(nowMs))
}

// runLink connects, waits for the connection's end, and connects again, until the client is closed.
func (c *Client) runLink() {
	defer c.running.Done()
	for {
		cn := c.connectRound()
		if cn == nil {
			c.mu.Lock()
			c.link.failedRounds++
			delay := core.ConnectBackoff.Delay(core.Transient, c.link.failedRounds, c.random(), 0)
			failed := fromWire(c.link.lastError)
			impatient := c.opts.waitForBroker == 0 && !c.link.wasReady
			c.unlock()
			if impatient {
				c.link.first <- failed
				return
			}
			if !c.pause(delay) {
				return
			}
			continue
		}
		select {
		case c.link.first <- nil:
		default:
		}
		<-cn.done
		if !c.pause(c.reconnectDelay()) {
			return
		}
	}
}

// reconnectDelay of a connection that was lost.
func (c *Client) reconnectDelay() int64 {
	c.mu.Lock()
	defer c.unlock()
	l := &c.link
	if time.Since(l.readySince) > stableAfter {
		l.failedRounds = 0
	} else {
		l.failedRounds++
	}
	delay := core.Scaled(firstReconnectMs, c.random())
	if l.failedRounds > 1 {
		delay = core.ConnectBackoff.Delay(core.Transient, l.failedRounds-1, c.random(), 0)
	}
	if len(l.candidates) == 1 {
		delay = core.ConnectBackoff.AtLeast(delay, l.reconnectAfterMs)
	}
	l.reconnectAfterMs = 0
	return delay
}

func (c *Client) pause(ms int64) bool {
	timer := time.NewTimer(time.Duration(ms) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.stop:
		return false
	}
}

// connectRound tries each endpoint once; nil when none answered or the client was closed.
func (c *Client) connectRound() *conn {
	c.mu.Lock()
	begin := c.link.begin
	c.link.begin = 0
	c.unlock()
	for i := range c.link.candidates {
		at := c.link.candidates[(begin+i)%len(c.link.candidates)]
		c.mu.Lock()
		may := c.link.mayTry(at)
		c.unlock()
		if !may {
			continue
		}
		started := time.Now()
		cn, failed := dial(c, at.endpoint, c.stop)
		c.mu.Lock()
		select {
		case <-c.stop:
			c.unlock()
			if cn != nil {
				cn.nc.Close()
			}
			return nil
		default:
		}
		if failed == nil {
			c.connected(at, cn, time.Since(started))
			c.unlock()
			return cn
		}
		c.connectFailed(at, failed)
		c.unlock()
	}
	return nil
}

func (c *Client) connected(at *candidate, cn *conn, took time.Duration) {
	l := &c.link
	at.breaker.OnSuccess(l.nowMs(), took.Milliseconds())
	l.current, l.chosen, l.readySince = cn, at, time.Now()
	c.running.Add(2)
	go func() {
		defer c.running.Done()
		cn.read()
	}()
	go c.runSender(cn)
	c.onReady(cn)
	c.wakeSender()
}

func (c *Client) connectFailed(at *candidate, why *pb.Error) {
	l := &c.link
	at.breaker.OnFailure(l.nowMs(), core.ConnectFailed, 0, c.random())
	if isRefusal(why) {
		at.blockedUntil = time.Now().Add(blockedFor)
	}
	l.lastError = why
	cause := fromWire(why)
	c.measure(func(m Metrics) { m.OnDisconnected(at.endpoint, cause) })
}

// isRefusal: errors that only another configuration can mend.
func isRefusal(e *pb.Error) bool {
	return isCode(e, codes.UnsupportedVersion) || isCode(e, codes.UnsupportedFeature) ||
		isCode(e, codes.Unauthenticated) || isCode(e, codes.PermissionDenied)
}

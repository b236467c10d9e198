package spillway

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

const tickInterval = 20 * time.Millisecond

// Client is a connection to Spillway that heals itself: while it is open it reconnects for ever, reopens its producers
// and subscriptions, and sends again what has no verdict yet. Safe for concurrent use.
type Client struct {
	opts     options
	instance []byte
	wake     chan struct{}
	stop     chan struct{}
	running  sync.WaitGroup

	mu        sync.Mutex
	deferred  []func() // run once the lock is free: callbacks and metrics
	link      link
	flow      flow
	retries   retries
	calls     map[*call]struct{}
	producers map[*Producer]struct{}
	subs      map[*Subscription]struct{}
	closed    bool
}

// Connect connects to the first endpoint that answers. It fails with ErrConnectFailed when none does in time (see
// WithWaitForBroker), ErrUnsupportedVersion or ErrUnauthenticated when one refuses, ErrInvalidArgument for a wrong option.
// The context limits Connect alone; Close ends the client.
func Connect(ctx context.Context, opts ...Option) (*Client, error) {
	if err := checkContext(ctx, "Connect"); err != nil {
		return nil, err
	}
	c := &Client{
		opts: defaults(), instance: make([]byte, 16), wake: make(chan struct{}, 1), stop: make(chan struct{}),
		calls: map[*call]struct{}{}, producers: map[*Producer]struct{}{}, subs: map[*Subscription]struct{}{},
	}
	for _, option := range opts {
		if option == nil {
			return nil, errNilOption
		}
		if err := option(&c.opts); err != nil {
			return nil, err
		}
	}
	if _, err := rand.Read(c.instance); err != nil {
		return nil, invalid("no random instance id", err.Error())
	}
	if err := checkFrame("connect as "+c.opts.name, c.helloHeader()); err != nil {
		return nil, err
	}
	c.retries.budget = core.NewRetryBudget()
	c.flow.reset(core.Normal, time.Now())
	c.link.init(c.opts.endpoints)
	c.running.Add(2)
	go c.runLink()
	go c.runTicks()
	if err := c.awaitFirst(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

func checkContext(ctx context.Context, where string) error {
	if ctx == nil {
		return invalid("the context of "+where+" is nil", "a context says how long to wait; context.Background() is without end")
	}
	return nil
}

func (c *Client) awaitFirst(ctx context.Context) error {
	patience := c.opts.waitForBroker
	if patience == 0 {
		patience = time.Duration(len(c.opts.endpoints)) * (c.opts.connectTimeout + handshakeTimeout)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	var err error
	select {
	case err = <-c.link.first:
		if err == nil {
			return nil
		}
	case <-timer.C:
	case <-ctx.Done():
	}
	c.mu.Lock()
	if err == nil {
		err = fromWire(c.link.lastError)
	}
	c.unlock()
	c.shutDown()
	return err
}

func (c *Client) helloHeader() *pb.Hello {
	return &pb.Hello{
		ClientId: c.opts.name, InstanceId: c.instance, Lang: "go", ClientVersion: Version, Runtime: runtime.Version(),
		Zone: c.opts.zone, FailureDomain: c.opts.failureDomain,
		HeartbeatMs: uint32(c.opts.heartbeat.Milliseconds()), MaxFrame: wire.MaxFrameBytes,
		UnixMs: uint64(time.Now().UnixMilli()),
	}
}

// ---- lock, callbacks, sender

// unlock frees the lock, then runs what must not run under it.
func (c *Client) unlock() {
	deferred := c.deferred
	c.deferred = nil
	c.mu.Unlock()
	for _, run := range deferred {
		run()
	}
}

func (c *Client) later(run func()) { c.deferred = append(c.deferred, run) }

// measure tells the metrics, if there are any, once the lock is free.
func (c *Client) measure(tell func(m Metrics)) {
	if m := c.opts.metrics; m != nil {
		c.later(func() { tell(m) })
	}
}

func (c *Client) wakeSender() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// runSender gives publishing its turns and writes what is queued; the only writer of the connection.
func (c *Client) runSender(cn *conn) {
	defer c.running.Done()
	defer c.wakeSender() // the last wake was perhaps meant for the next connection
	for {
		select {
		case <-c.wake:
		case <-cn.done:
			return
		}
		c.mu.Lock()
		c.pump()
		out := cn.out
		cn.out, cn.spare = cn.spare[:0], nil
		if len(out) > 0 {
			cn.lastWrite = time.Now()
		}
		c.unlock()
		if len(out) > 0 {
			if _, err := cn.nc.Write(out); err != nil {
				cn.end(cn.lost(readFailure(err, cn.heartbeat)))
				return
			}
		}
		c.mu.Lock()
		cn.spare = out[:0]
		more := c.hasMore(cn)
		c.unlock()
		if more {
			c.wakeSender()
		}
	}
}

// hasMore: whether another turn of the sender would get something done. What waits for anything else has its turn when that
// happens, or with the next tick.
func (c *Client) hasMore(cn *conn) bool {
	return len(cn.out) > 0 || len(c.flow.runnable) > 0 && c.maySend()
}

func (c *Client) runTicks() {
	defer c.running.Done()
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			c.tick(now)
		case <-c.stop:
			return
		}
	}
}

func (c *Client) tick(now time.Time) {
	c.mu.Lock()
	defer c.unlock()
	if cn := c.link.current; cn != nil {
		cn.tick(now)
		c.endWhenDrained(cn, now)
	}
	for p := range c.producers {
		p.tick(now)
	}
	for s := range c.subs {
		s.tick(now)
	}
	for call := range c.calls {
		call.tick(now)
	}
	c.pump()
}

// ---- what the link says, with the lock held

func (c *Client) onReady(cn *conn) {
	c.flow.reset(pressure(cn.hello.GetState()), time.Now())
	mayResend := !c.link.wasReady || c.retries.chargeReconnect()
	c.link.wasReady = true
	for p := range c.producers {
		p.onReady(mayResend)
	}
	for s := range c.subs {
		s.onReady()
	}
	for call := range c.calls {
		call.send()
	}
	c.measure(func(m Metrics) { m.OnConnected(cn.endpoint) })
}

func (c *Client) onLost(cn *conn, why *pb.Error) {
	if c.link.current != cn {
		return
	}
	c.link.current = nil
	c.link.lastError = why
	for p := range c.producers {
		p.onLost()
	}
	for s := range c.subs {
		s.onLost()
	}
	c.flow.inFlight = 0
	cause := fromWire(why)
	c.measure(func(m Metrics) { m.OnDisconnected(cn.endpoint, cause) })
}

func (c *Client) onGoAway(cn *conn, notice *pb.GoAway) {
	if c.link.current != cn || cn.draining {
		return
	}
	grace := time.Duration(notice.GetGraceMs()) * time.Millisecond
	if grace == 0 {
		grace = defaultGrace
	}
	cn.draining, cn.graceEnd = true, time.Now().Add(grace)
	c.link.reconnectAfterMs = int64(notice.GetReconnectAfterMs())
	for s := range c.subs {
		s.discardIdle()
	}
}

func (c *Client) endWhenDrained(cn *conn, now time.Time) {
	if cn.draining && (!c.isBusy() || now.After(cn.graceEnd)) {
		cn.fail(wireError(codes.Draining, cn.endpoint+" is going away", "it asked its clients to leave",
			"the client reconnects by itself"))
	}
}

func (c *Client) isBusy() bool {
	if c.flow.inFlight > 0 {
		return true
	}
	for s := range c.subs {
		if s.acks.isBusy() {
			return true
		}
	}
	return false
}

// usable returns the connection for new requests, or nil.
func (c *Client) usable() *conn {
	if cn := c.link.current; cn != nil && !cn.draining {
		return cn
	}
	return nil
}

func (c *Client) disconnectedBecause() string {
	if c.link.current != nil {
		return "the broker is going away"
	}
	return fromWire(c.link.lastError).Error()
}

func (c *Client) random() int { return mathrand.IntN(core.MaxR + 1) }

func (c *Client) onOutcome(e *pb.Error, since time.Time) {
	c.link.onOutcome(e, time.Since(since), c.random())
}

// ---- the end

func errClosed(what string) *Error {
	return newError(codes.ClientClosed, what+" is closed", "close was called", "open a new one")
}

// Close refuses new work, sends what is buffered, waits for its acks, gives leased messages back and disconnects. What has
// no verdict when the context ends fails: ErrClosed when it was never sent, ErrOutcomeUnknown otherwise; Close then returns
// an error that says so. A context without a deadline gets 10 s. Closing twice is fine.
func (c *Client) Close(ctx context.Context) error {
	if err := checkContext(ctx, "Close"); err != nil {
		return err
	}
	ctx, cancel := closeContext(ctx)
	defer cancel()
	c.mu.Lock()
	if c.closed {
		c.unlock()
		return nil
	}
	c.closed = true
	var producers []*Producer
	var subs []*Subscription
	for p := range c.producers {
		producers = append(producers, p)
	}
	for s := range c.subs {
		subs = append(subs, s)
	}
	c.unlock()
	var failed error
	for _, s := range subs {
		if err := s.Close(ctx); err != nil && failed == nil {
			failed = err
		}
	}
	for _, p := range producers {
		if err := p.Close(ctx); err != nil && failed == nil {
			failed = err
		}
	}
	c.sayBye(ctx)
	c.shutDown()
	return failed
}

func closeContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, 10*time.Second)
}

func (c *Client) sayBye(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	answered := make(chan struct{})
	c.mu.Lock()
	if cn := c.link.current; cn != nil {
		cn.request(wire.Bye, 0, &pb.Bye{Reason: "closed"}, signal(answered))
	} else {
		close(answered)
	}
	c.unlock()
	select {
	case <-answered:
	case <-ctx.Done():
	}
}

// signal is closed by any answer.
type signal chan struct{}

func (s signal) onResponse(*wire.Frame) { close(s) }
func (s signal) onError(*pb.Error)      { close(s) }

func (c *Client) shutDown() {
	c.mu.Lock()
	select {
	case <-c.stop:
		c.unlock()
		return
	default:
		close(c.stop)
	}
	c.closed = true
	cause := errClosed("the client")
	for call := range c.calls {
		call.fail(cause)
	}
	for p := range c.producers {
		p.end(cause)
	}
	for s := range c.subs {
		s.end(cause)
	}
	if cn := c.link.current; cn != nil {
		cn.fail(wireError(codes.ClientClosed, cause.What, cause.Why, cause.NextStep))
	}
	c.unlock()
	c.running.Wait()
}

func (c *Client) refuseClosed() error {
	if c.closed {
		return errClosed("the client")
	}
	return nil
}

// String names the client and its endpoints.
func (c *Client) String() string {
	return fmt.Sprintf("spillway client %q of %v", c.opts.name, c.opts.endpoints)
}

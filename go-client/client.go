package spillway

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
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
	stop     chan struct{}
	running  sync.WaitGroup

	toggles atomic.Pointer[toggles] // the last good set

	mu        sync.Mutex
	deferred  []func() // run once the lock is free: callbacks and metrics
	link      link
	flow      flow
	health    healthReporter
	refresh   refresher
	pressures []Pressure // to be told to the listener
	telling   bool       // a goroutine does
	retries   retries
	calls     map[*call]struct{}
	producers map[*Producer]struct{}
	subs      map[*Subscription]struct{}
	readers   map[*Client]*Subscription // of the nearest node, each with a link of its own
	parent    *Client                   // whose reader this is; nil for a client
	closed    bool
}

func newClient() *Client {
	return &Client{
		opts: defaults(), instance: make([]byte, 16), stop: make(chan struct{}),
		calls: map[*call]struct{}{}, producers: map[*Producer]struct{}{}, subs: map[*Subscription]struct{}{},
		readers: map[*Client]*Subscription{},
	}
}

func (c *Client) init() {
	c.retries.budget = core.NewRetryBudget()
	c.health.machine = core.NewHealthMachine(c.opts.healthInterval.Milliseconds(), gcFullPm)
	c.flow.reset(core.Normal, time.Now())
	c.link.init(c.opts.endpoints, core.Preference{Zone: c.opts.zone, Nearest: c.isReader()})
}

// isReader: it only reads, at the nearest node of a cluster.
func (c *Client) isReader() bool { return c.parent != nil }

// Connect connects to the first endpoint that answers. It fails with ErrConnectFailed when none does in time (see
// WithWaitForBroker), ErrUnsupportedVersion or ErrUnauthenticated when one refuses, ErrInvalidArgument for a wrong option.
// The context limits Connect alone; Close ends the client.
func Connect(ctx context.Context, opts ...Option) (*Client, error) {
	if err := checkContext(ctx, "Connect"); err != nil {
		return nil, err
	}
	c := newClient()
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
	c.init()
	c.mu.Lock()
	c.perform(c.link.machine.Start(c.link.nowMs(), c.random()))
	c.unlock()
	c.running.Add(1)
	go c.runTicks()
	if c.opts.healthInterval > 0 {
		c.running.Add(1)
		go c.runHealth()
	}
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
		err = fromWire(c.link.lastError).because(ctx)
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
		UnixMs: uint64(time.Now().UnixMilli()), FollowerReads: c.isReader(), Features: c.features(),
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

// wakeSender wakes the senders; from any goroutine. There is one connection, or two for a moment.
func (c *Client) wakeSender() {
	if conns := c.link.conns.Load(); conns != nil {
		for _, cn := range *conns {
			cn.wakeSender()
		}
	}
}

// runSender gives publishing its turns and writes what is queued; the only writer of the connection.
func (c *Client) runSender(cn *conn) {
	defer c.running.Done()
	for {
		select {
		case <-cn.wake:
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
			cn.wakeSender()
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
	c.tickLink(now)
	c.tickRefresh(now)
	c.tellConnPressureWhen(c.flow.view.Timer(c.flow.nowMs()))
	c.endHolds((*core.PressureView).Timer)
	for p := range c.producers {
		p.tick(now)
	}
	for s := range c.subs {
		s.tick()
	}
	for call := range c.calls {
		call.tick(now)
	}
	if c.reportsHealth() {
		c.tickHealth()
	}
	c.pump()
}

// ---- what the link says, with the lock held

func (c *Client) onReady(cn *conn) {
	mayResend := !c.link.wasReady || c.retries.chargeReconnect()
	c.link.wasReady = true
	c.publishOn(cn, mayResend)
	c.consumeOn(cn)
	c.measure(func(m Metrics) { m.OnConnected(cn.endpoint) })
}

func (c *Client) publishOn(cn *conn, mayResend bool) {
	c.link.publishing, c.link.draining = cn, false
	c.endHolds(func(v *core.PressureView, nowMs int64) bool { return v.Connected(core.Normal, nowMs) })
	c.tellConnPressureWhen(c.flow.reset(pressure(cn.hello.GetState()), time.Now()))
	for p := range c.producers {
		p.onReady(mayResend)
	}
	for call := range c.calls {
		call.send()
	}
}

func (c *Client) consumeOn(cn *conn) {
	c.link.consuming = cn
	for s := range c.subs {
		s.onReady()
	}
}

func (c *Client) onDraining() {
	c.link.draining, c.link.consuming = true, nil
	for s := range c.subs {
		s.onDraining()
	}
}

func (c *Client) onPublishersMoved(cn *conn) {
	mayResend := !c.isPublishing() || c.retries.chargeReconnect()
	for p := range c.producers {
		p.onLost()
	}
	c.publishOn(cn, mayResend)
	c.measure(func(m Metrics) { m.OnConnected(cn.endpoint) })
}

func (c *Client) onSubscriptionsMoved(cn *conn) {
	c.link.consuming = cn
	for s := range c.subs {
		s.onMoved()
	}
}

func (c *Client) onDisconnected(endpoint string, why *pb.Error) {
	c.link.publishing, c.link.consuming = nil, nil
	for p := range c.producers {
		p.onLost()
	}
	for s := range c.subs {
		s.onLost()
	}
	c.flow.inFlight = 0
	cause := fromWire(why)
	c.measure(func(m Metrics) { m.OnDisconnected(endpoint, cause) })
}

func (c *Client) isPublishing() bool { return c.flow.inFlight > 0 }

func (c *Client) isConsuming() bool {
	for s := range c.subs {
		if s.state == handleOpen && s.acks.isBusy() { // what the broker has ended is not under way there
			return true
		}
	}
	return false
}

// usable returns the connection for new publishes and requests, or nil.
func (c *Client) usable() *conn {
	if c.link.draining {
		return nil
	}
	return c.link.publishing
}

func (c *Client) disconnectedBecause() string {
	if c.link.publishing != nil {
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
	producers, subs := slices.Collect(maps.Keys(c.producers)), slices.Collect(maps.Keys(c.subs))
	subs = slices.AppendSeq(subs, maps.Values(c.readers))
	c.unlock()
	var failed error
	keep := func(err error) {
		if err != nil && failed == nil {
			failed = err
		}
	}
	c.drain(ctx, core.DrainOfClient, func(ctx context.Context, step core.DrainStep) {
		switch step {
		case core.DrainSubscriptions:
			for _, s := range subs {
				keep(s.Close(ctx))
			}
		case core.DrainProducers:
			for _, p := range producers {
				keep(p.Close(ctx))
			}
		case core.DrainBye:
			c.sayBye(ctx)
		}
	})
	if ctx.Err() != nil {
		keep(newError(codes.DeadlineExceeded, "the client was closed before everything had its outcome", ctx.Err().Error(),
			"allow more time, or look at the broker's health").because(ctx))
	}
	c.shutDown()
	return failed
}

// drain performs the steps of a close, each with its limit, until the end.
func (c *Client) drain(ctx context.Context, steps []core.DrainStep, perform func(context.Context, core.DrainStep)) {
	deadline, _ := ctx.Deadline()
	d := core.NewDrain(steps, time.Until(deadline).Milliseconds(), c.link.nowMs())
	for {
		c.mu.Lock()
		connected := c.link.publishing != nil
		c.unlock()
		if ctx.Err() != nil {
			return
		}
		step := d.Next(connected, c.link.nowMs())
		if step == core.DrainEnd {
			return
		}
		limit := time.Duration(d.LimitMs(step, c.link.nowMs())) * time.Millisecond
		limited, cancel := withOwnTimeout(ctx, limit)
		perform(limited, step)
		cancel()
	}
}

func closeContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return withOwnTimeout(ctx, 10*time.Second)
}

func (c *Client) sayBye(ctx context.Context) {
	answered := make(chan struct{})
	c.mu.Lock()
	if cn := c.link.publishing; cn != nil {
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
	c.link.lastError = wireError(codes.ClientClosed, cause.What, cause.Why, cause.NextStep)
	c.perform(c.link.machine.Close())
	readers := slices.Collect(maps.Values(c.readers))
	c.unlock()
	for _, s := range readers {
		s.c.mu.Lock()
		s.end(cause)
		s.c.unlock()
	}
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

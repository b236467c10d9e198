package spillway

import (
	"slices"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

const flushAtRecords = 256

// ackSender sends the settlements of one subscription, many at a time, and keeps each until the broker has confirmed it;
// across a reconnect they go out again, and their fences tell whether they still count. Settlements come in on any
// goroutine; the rest is guarded by the client's lock.
type ackSender struct {
	sub     *Subscription
	records atomic.Int32
	inbox   sync.Mutex
	settled []*delivered

	live    map[*delivered]struct{}
	buffer  core.AckBuffer[*pb.AckItem, shipment]
	cn      *conn
	channel uint16
	over    *Error // why nothing is sent any more
}

type bundle = core.AckBundle[*pb.AckItem, shipment]

// shipment is a bundle on its way, from its first sending to its answer.
type shipment struct {
	failures  int
	retryCost int
	sentOn    *conn
	done      chan struct{} // if somebody waits: closed once the broker has answered, or it was given up
}

func (a *ackSender) init(sub *Subscription) {
	a.sub, a.live = sub, map[*delivered]struct{}{}
	a.buffer = core.NewAckBuffer[*pb.AckItem, shipment](core.DefaultAckLimits)
}

// ---- on any goroutine

func (a *ackSender) onSettled(d *delivered) {
	a.inbox.Lock()
	a.settled = append(a.settled, d)
	a.inbox.Unlock()
}

func (a *ackSender) onRecordSettled() {
	if a.records.Add(1) == flushAtRecords {
		a.sub.queue.askFlush()
	}
}

// ---- with the client's lock held

func (a *ackSender) onOpen(cn *conn, channel uint16) {
	a.cn, a.channel = cn, channel
	a.buffer.Open()
	a.flush()
}

func (a *ackSender) onLost() {
	a.cn = nil
	a.buffer.Lost()
}

// tick sends settlements that have waited, and forgets batches whose leases are over.
func (a *ackSender) tick() {
	a.flush()
	nowMs := a.sub.c.link.nowMs()
	for d := range a.live {
		if d.leaseOver(nowMs) {
			delete(a.live, d)
		}
	}
}

func (a *ackSender) flush() {
	a.records.Store(0)
	a.inbox.Lock()
	settled := a.settled
	a.settled = nil
	a.inbox.Unlock()
	var items []*pb.AckItem
	for _, d := range settled {
		var done bool
		if items, done = d.collect(items); done {
			delete(a.live, d)
		}
	}
	for _, item := range items {
		a.pack(item)
	}
	a.send()
}

// add adds a settlement that no message made.
func (a *ackSender) add(item *pb.AckItem) {
	a.pack(item)
	a.send()
}

func (a *ackSender) pack(item *pb.AckItem) {
	if oldest := a.buffer.Add(item, proto.Size(item)); oldest != nil {
		a.giveUp(oldest, newError(codes.ConnectionLost, "settlements for "+a.sub.topic+" were given up",
			"too many wait for a connection: "+a.sub.c.disconnectedBecause(), "the records will be delivered again"))
	}
}

func (a *ackSender) send() {
	if a.over != nil {
		for _, b := range a.buffer.End() {
			a.giveUp(b, a.over)
		}
		return
	}
	if a.cn == nil {
		return
	}
	for _, b := range a.buffer.Take(a.sub.c.link.nowMs()) {
		b.With.sentOn = a.cn
		a.cn.request(wire.Ack, a.channel, &pb.Ack{Items: b.Items, WantResult: true}, &sentBundle{a, b})
	}
}

// end: what is not confirmed is lost, and so is what is settled from now on.
func (a *ackSender) end(why *Error) {
	a.over = why
	clear(a.live)
	a.flush()
}

// collect returns what everything settled up to now, and without answer yet, waits for.
func (a *ackSender) collect() []<-chan struct{} {
	a.flush()
	var waiting []<-chan struct{}
	for _, b := range a.buffer.Pending() {
		if b.With.done == nil {
			b.With.done = make(chan struct{})
		}
		waiting = append(waiting, b.With.done)
	}
	return waiting
}

// releaseAll gives back everything that was delivered and is not settled.
func (a *ackSender) releaseAll() {
	for d := range a.live {
		d.release(0)
	}
}

// isBusy: whether messages wait to be settled or settlements for their answer.
func (a *ackSender) isBusy() bool {
	return len(a.live) > 0 || !a.buffer.IsEmpty()
}

// isOwed: whether a settlement that matters has no answer; what was only given back does not.
func (a *ackSender) isOwed() bool {
	a.flush()
	for _, b := range a.buffer.Pending() {
		if slices.ContainsFunc(b.Items, func(item *pb.AckItem) bool { return item.GetOutcome() != core.Release }) {
			return true
		}
	}
	return false
}

func (a *ackSender) lost(item *pb.AckItem, cause *Error) {
	if item.GetOutcome() == core.Release || a.sub.opts.onLostLeases == nil {
		return // given back already, and nobody here has done anything with it
	}
	tell := a.sub.opts.onLostLeases
	lost := LostLeases{Topic: a.sub.topic, Partition: int(item.GetPartition()), FirstOffset: int64(item.GetFirst()),
		LastOffset: int64(item.GetLast()), Cause: cause}
	a.sub.c.later(func() { tell(lost) })
}

// sentBundle hears the answer to a bundle.
type sentBundle struct {
	sender *ackSender
	bundle *bundle
}

func (s *sentBundle) onResponse(f *wire.Frame) {
	a, b := s.sender, s.bundle
	if !a.buffer.Answered(b) {
		return
	}
	a.sub.c.retries.onSuccess(b.With.retryCost)
	result := &pb.AckResult{}
	if err := proto.Unmarshal(f.Header, result); err != nil {
		a.giveUp(b, newError(codes.MalformedFrame, "the answer to settlements cannot be read", err.Error(), "use compatible releases"))
		return
	}
	itemErrors(result.GetErrors(), func(first, count int, cause *Error) {
		for i := first; i < min(len(b.Items), first+count); i++ {
			a.lost(b.Items[i], cause)
		}
	})
	a.arrived(b)
}

func (s *sentBundle) onError(e *pb.Error) {
	a, b := s.sender, s.bundle
	if b.With.sentOn.failed != nil {
		return // onLost keeps it
	}
	c := a.sub.c
	failures := b.With.failures + failureOf(e)
	v := c.retries.afterRead(e, failures, c.opts.requestTimeout.Milliseconds(), c.random())
	if v.again && a.buffer.Again(b, c.link.nowMs()+v.delayMs) {
		b.With.failures = failures
		b.With.retryCost = v.cost
	} else if a.buffer.Answered(b) {
		a.giveUp(b, fromWire(v.err))
	}
}

func (a *ackSender) giveUp(b *bundle, cause *Error) {
	for _, item := range b.Items {
		a.lost(item, cause)
	}
	a.arrived(b)
}

// arrived lets those go on who wait for the bundle, once they have heard what of it was lost.
func (a *ackSender) arrived(b *bundle) {
	if done := b.With.done; done != nil {
		a.sub.c.later(func() { close(done) })
	}
}

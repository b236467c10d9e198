package spillway

import (
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

const (
	flushAtRecords   = 256
	maxBundleItems   = 1000
	maxBundleBytes   = 32 << 10
	maxUnsentBundles = 64
)

// ackSender sends the settlements of one subscription, many at a time, and keeps each until the broker has confirmed it;
// across a reconnect they go out again, and their fences tell whether they still count. Settlements come in on any
// goroutine; the rest is guarded by the client's lock.
type ackSender struct {
	sub     *Subscription
	records atomic.Int32
	inbox   sync.Mutex
	settled []*delivered

	live      map[*delivered]struct{}
	unsent    []*bundle
	underWay  map[*bundle]struct{}
	cn        *conn
	channel   uint16
	notBefore time.Time
	over      *Error // why nothing is sent any more
}

func (a *ackSender) init(sub *Subscription) {
	a.sub, a.live, a.underWay = sub, map[*delivered]struct{}{}, map[*bundle]struct{}{}
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
	a.flush()
}

func (a *ackSender) onLost() {
	a.cn = nil
	for b := range a.underWay {
		a.unsent = append([]*bundle{b}, a.unsent...)
	}
	clear(a.underWay)
}

// tick sends settlements that have waited, and forgets batches whose leases are over.
func (a *ackSender) tick(now time.Time) {
	a.flush()
	for d := range a.live {
		if d.leaseOver(now) {
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
	size := proto.Size(item)
	var last *bundle
	if n := len(a.unsent); n > 0 {
		last = a.unsent[n-1]
	}
	if last == nil || !last.takes(size) {
		last = &bundle{sender: a, frame: &pb.Ack{WantResult: true}, done: make(chan struct{})}
		a.unsent = append(a.unsent, last)
	}
	last.frame.Items = append(last.frame.Items, item)
	last.bytes += size
	if len(a.unsent) > maxUnsentBundles {
		oldest := a.unsent[0]
		a.unsent = a.unsent[1:]
		oldest.fail(newError(codes.ConnectionLost, "settlements for "+a.sub.topic+" were given up",
			"too many wait for a connection: "+a.sub.c.disconnectedBecause(), "the records will be delivered again"))
	}
}

func (a *ackSender) send() {
	if a.over != nil {
		for _, b := range a.unsent {
			b.fail(a.over)
		}
		a.unsent = nil
		return
	}
	if a.cn == nil || time.Now().Before(a.notBefore) {
		return
	}
	unsent := a.unsent
	a.unsent = nil
	for _, b := range unsent {
		a.underWay[b] = struct{}{}
		b.sentOn = a.cn
		a.cn.request(wire.Ack, a.channel, b.frame, b)
	}
}

// end: what is not confirmed is lost, and so is what is settled from now on.
func (a *ackSender) end(why *Error) {
	a.over = why
	clear(a.live)
	a.flush()
}

// collect returns what everything settled up to now, and without answer yet, waits for.
func (a *ackSender) collect() []*bundle {
	a.flush()
	waiting := append([]*bundle(nil), a.unsent...)
	for b := range a.underWay {
		waiting = append(waiting, b)
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
	return len(a.live) > 0 || len(a.unsent) > 0 || len(a.underWay) > 0
}

func (a *ackSender) lost(item *pb.AckItem, cause *Error) {
	if item.GetOutcome() == outcomeRelease || a.sub.opts.onLostLeases == nil {
		return // given back already, and nobody here has done anything with it
	}
	tell := a.sub.opts.onLostLeases
	lost := LostLeases{Topic: a.sub.topic, Partition: int(item.GetPartition()), FirstOffset: int64(item.GetFirst()),
		LastOffset: int64(item.GetLast()), Cause: cause}
	a.sub.c.later(func() { tell(lost) })
}

// bundle is what travels in one frame.
type bundle struct {
	sender    *ackSender
	frame     *pb.Ack
	bytes     int
	failures  int
	retryCost int
	sentOn    *conn
	done      chan struct{} // closed once the broker has answered, or it was given up
}

func (b *bundle) takes(size int) bool {
	return b.sentOn == nil && len(b.frame.Items) < maxBundleItems && b.bytes+size <= maxBundleBytes
}

func (b *bundle) onResponse(f *wire.Frame) {
	a := b.sender
	if _, ok := a.underWay[b]; !ok {
		return
	}
	delete(a.underWay, b)
	a.sub.c.retries.onSuccess(b.retryCost)
	result := &pb.AckResult{}
	if err := proto.Unmarshal(f.Header, result); err != nil {
		b.fail(newError(codes.MalformedFrame, "the answer to settlements cannot be read", err.Error(), "use compatible releases"))
		return
	}
	itemErrors(result.GetErrors(), func(first, count int, cause *Error) {
		for i := first; i < min(len(b.frame.Items), first+count); i++ {
			a.lost(b.frame.Items[i], cause)
		}
	})
	close(b.done)
}

func (b *bundle) onError(e *pb.Error) {
	a := b.sender
	if _, ok := a.underWay[b]; !ok || b.sentOn.failed != nil {
		return // onLost keeps it
	}
	delete(a.underWay, b)
	b.failures++
	c := a.sub.c
	v := c.retries.afterRead(e, b.failures, c.opts.requestTimeout.Milliseconds(), c.random())
	if v.again {
		b.retryCost = v.cost
		a.notBefore = time.Now().Add(time.Duration(v.delayMs) * time.Millisecond)
		a.unsent = append([]*bundle{b}, a.unsent...)
	} else {
		b.fail(fromWire(v.err))
	}
}

func (b *bundle) fail(cause *Error) {
	for _, item := range b.frame.Items {
		b.sender.lost(item, cause)
	}
	close(b.done)
}

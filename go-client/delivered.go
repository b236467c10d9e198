package spillway

import (
	"sync"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// delivered is one batch as it was delivered: its bytes and what of it is settled.
type delivered struct {
	sub       *Subscription
	batch     wire.Batch
	partition int
	base      int64
	fence     uint64
	count     int
	failures  int
	brokerMs  int64 // the broker's clock less this machine's monotonic one

	// Where consuming goroutines are in it; guarded by the queue's lock.
	walk  wire.Records
	index int

	mu     sync.Mutex // guards what of the leases can change
	leased core.LeasedBatch
}

// newDelivered: records below skipBefore are not for this subscription; brokerUnixMs is 0 where the broker did not say its time.
func newDelivered(sub *Subscription, batch wire.Batch, segment *pb.Segment, skipBefore int64, brokerUnixMs uint64) *delivered {
	d := &delivered{
		sub: sub, batch: batch, partition: int(segment.GetPartition()), base: int64(segment.GetBaseOffset()),
		fence: segment.GetFence(), count: batch.Count(), failures: int(segment.GetFailures()), walk: batch.Walk(), index: -1,
	}
	nowMs := sub.c.link.nowMs()
	if d.brokerMs = int64(brokerUnixMs) - nowMs; brokerUnixMs == 0 {
		d.brokerMs = time.Now().UnixMilli() - nowMs
	}
	d.leased = core.NewLeasedBatch(core.Delivery{
		BaseOffset: d.base, Count: d.count, Selected: segment.GetSelected(), Leased: d.fence != 0, LeaseMs: segment.GetLeaseMs(),
		Attempt: segment.GetAttempt(), Attempts: segment.GetAttempts(), SkipBefore: skipBefore,
	}, nowMs)
	return d
}

func (d *delivered) brokerNowMs() int64 { return d.brokerMs + d.sub.c.link.nowMs() }

func (d *delivered) leaseOf() time.Time {
	if d == nil || d.fence == 0 {
		return time.Time{}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sub.c.link.timeOf(d.leased.LeaseEndMs())
}

// stale: a record handed out now would probably not be settled before its lease ends.
func (d *delivered) stale() bool {
	return d.fence != 0 && d.sub.c.link.nowMs() > d.leased.HandOutUntilMs()
}

// next reads the next record that is for this subscription into m; false at the end. What cannot be read will
// not be readable the next time, either, and is for the dead letters. With the queue's lock held.
func (d *delivered) next(m *Message) bool {
	for {
		more, err := d.walk.Next(&m.view)
		if !more {
			return false
		}
		d.index++
		if !d.leased.IsSelected(d.index) {
			continue
		}
		if err != nil {
			d.settle(d.index, core.Settlement{Outcome: core.Term, Reason: core.Poison, Detail: err.Error()})
			continue
		}
		m.Topic, m.Partition, m.Offset = d.sub.topic, d.partition, d.base+int64(d.index)
		m.Key, m.Value, m.Attempt, m.Failures = m.view.Key, m.view.Value, d.leased.Attempt(d.index), d.failures
		m.Timestamp = time.UnixMilli(m.view.TimestampMs)
		m.from, m.index = d, d.index
		return true
	}
}

func (d *delivered) settle(index int, s core.Settlement) {
	if d != nil && d.change(func(leased *core.LeasedBatch) bool { return leased.Settle(index, s) }) {
		d.sub.acks.onRecordSettled()
		d.sub.c.health.work.onSettled(s.Outcome)
	}
}

func (d *delivered) extend(index int, lease time.Duration) {
	if d != nil {
		d.change(func(leased *core.LeasedBatch) bool {
			return leased.Extend(index, milliseconds(lease), d.sub.c.link.nowMs())
		})
	}
}

// release gives back what is not settled from that record on.
func (d *delivered) release(from int) {
	if d != nil {
		d.change(func(leased *core.LeasedBatch) bool { return leased.Rest(from, core.Settlement{Outcome: core.Release}) })
	}
}

// change tells the sender, once until it has collected; false when there was nothing to change.
func (d *delivered) change(of func(*core.LeasedBatch) bool) bool {
	d.mu.Lock()
	changed := of(&d.leased)
	first := changed && d.leased.MustReport()
	d.mu.Unlock()
	if first {
		d.sub.acks.onSettled(d)
	}
	return changed
}

// collect appends what is to be sent. True when nothing of the batch is left to settle.
func (d *delivered) collect(items []*pb.AckItem) ([]*pb.AckItem, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	done := d.leased.Collect(func(s core.Settled) {
		items = append(items, &pb.AckItem{Partition: uint32(d.partition), First: uint64(d.base) + uint64(s.First),
			Last: uint64(d.base) + uint64(s.Last), Fence: d.fence, Outcome: s.Outcome, DelayMs: s.DelayMs, Reason: s.Reason,
			Detail: s.Detail})
	})
	return items, done
}

func (d *delivered) leaseOver(nowMs int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.leased.LeaseOver(nowMs)
}

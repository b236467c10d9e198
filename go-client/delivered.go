package spillway

import (
	"sync"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// Outcomes of the wire.
const (
	outcomeAccept  = 0
	outcomeNack    = 1
	outcomeExtend  = 2
	outcomeTerm    = 3
	outcomeRelease = 4
)

const rejectDelayMs = 1000

// delivered is one batch as it was delivered: its bytes and what of it is settled.
type delivered struct {
	sub       *Subscription
	batch     wire.Batch
	partition int
	base      int64
	fence     uint64
	count     int
	selected  bitset // records that are for this subscription
	segment   *pb.Segment
	received  time.Time

	// Where consuming goroutines are in it; guarded by the queue's lock.
	walk  wire.Records
	index int

	mu        sync.Mutex // guards the rest
	leaseEnd  time.Time
	unsettled bitset
	acked     bitset
	others    []*pb.AckItem
	reported  bool
}

// newDelivered: records below skipBefore are not for this subscription.
func newDelivered(sub *Subscription, batch wire.Batch, segment *pb.Segment, skipBefore int64, now time.Time) *delivered {
	d := &delivered{
		sub: sub, batch: batch, partition: int(segment.GetPartition()), base: int64(segment.GetBaseOffset()),
		fence: segment.GetFence(), count: batch.Count(), segment: segment, received: now, walk: batch.Walk(), index: -1,
		leaseEnd: now.Add(time.Duration(segment.GetLeaseMs()) * time.Millisecond),
	}
	d.selected = newBitset(d.count)
	chosen := segment.GetSelected()
	for i := range d.count {
		picked := len(chosen) == 0 || i>>3 < len(chosen) && chosen[i>>3]&(1<<(i&7)) != 0
		if picked && d.base+int64(i) >= skipBefore {
			d.selected.set(i)
		}
	}
	if d.fence != 0 {
		d.unsettled = append(bitset(nil), d.selected...)
		d.acked = newBitset(d.count)
	}
	return d
}

func (d *delivered) leaseOf() time.Time {
	if d == nil || d.fence == 0 {
		return time.Time{}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.leaseEnd
}

// staleAt: a record handed out later would probably not be settled before its lease ends.
func (d *delivered) stale(now time.Time) bool {
	return d.fence != 0 && now.Sub(d.received) > time.Duration(d.segment.GetLeaseMs())*time.Millisecond/100*80
}

// attempt is 1 for the first delivery; the wire may say it for each selected record.
func (d *delivered) attempt(index int) int {
	if attempts := d.segment.GetAttempts(); len(attempts) > 0 {
		place := 0
		for i := d.selected.next(0); i >= 0 && i < index; i = d.selected.next(i + 1) {
			place++
		}
		if place < len(attempts) {
			return int(attempts[place])
		}
	}
	return int(max(1, d.segment.GetAttempt()))
}

// next reads the next record that is for this subscription into m; false at the end. What cannot be read goes back to the
// broker as failed. With the queue's lock held.
func (d *delivered) next(m *Message) bool {
	for {
		more, err := d.walk.Next(&m.view)
		if !more {
			return false
		}
		d.index++
		if !d.selected.get(d.index) {
			continue
		}
		if err != nil {
			d.settle(d.index, outcomeNack, rejectDelayMs, err.Error())
			continue
		}
		m.Topic, m.Partition, m.Offset = d.sub.topic, d.partition, d.base+int64(d.index)
		m.Key, m.Value, m.Attempt = m.view.Key, m.view.Value, d.attempt(d.index)
		m.Timestamp = time.UnixMilli(m.view.TimestampMs)
		m.from, m.index = d, d.index
		return true
	}
}

func (d *delivered) settle(index int, outcome uint32, delayMs uint32, detail string) {
	if d == nil || d.fence == 0 {
		return
	}
	d.mu.Lock()
	if !d.unsettled.get(index) {
		d.mu.Unlock()
		return
	}
	d.unsettled.clear(index)
	if outcome == outcomeAccept {
		d.acked.set(index)
	} else {
		d.others = append(d.others, d.item(index, index, outcome, delayMs, detail))
	}
	d.report()
	d.sub.acks.onRecordSettled()
}

func (d *delivered) extend(index int, lease time.Duration) {
	if d == nil || d.fence == 0 {
		return
	}
	d.mu.Lock()
	if !d.unsettled.get(index) {
		d.mu.Unlock()
		return
	}
	d.others = append(d.others, d.item(index, index, outcomeExtend, milliseconds(lease), ""))
	if end := time.Now().Add(lease); end.After(d.leaseEnd) {
		d.leaseEnd = end
	}
	d.report()
}

// release gives back what is not settled from that record on.
func (d *delivered) release(from int) {
	if d == nil || d.fence == 0 {
		return
	}
	d.mu.Lock()
	some := false
	for i := d.unsettled.next(from); i >= 0; i = d.unsettled.next(from) {
		last := i
		for last+1 < d.count && d.unsettled.get(last+1) {
			last++
		}
		d.others = append(d.others, d.item(i, last, outcomeRelease, 0, ""))
		for ; i <= last; i++ {
			d.unsettled.clear(i)
		}
		from = last
		some = true
	}
	if !some {
		d.mu.Unlock()
		return
	}
	d.report()
}

// report tells the sender, once until it has collected; frees the lock.
func (d *delivered) report() {
	first := !d.reported
	d.reported = true
	d.mu.Unlock()
	if first {
		d.sub.acks.onSettled(d)
	}
}

// collect appends what is to be sent. True when nothing of the batch is left to settle.
func (d *delivered) collect(items []*pb.AckItem) ([]*pb.AckItem, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.acked.ranges(func(first, last int) {
		items = append(items, d.item(first, last, outcomeAccept, 0, ""))
	})
	clear(d.acked)
	items = append(items, d.others...)
	d.others = nil
	d.reported = false
	return items, d.unsettled.next(0) < 0
}

func (d *delivered) leaseOver(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return now.After(d.leaseEnd)
}

func (d *delivered) item(first, last int, outcome, delayMs uint32, detail string) *pb.AckItem {
	return &pb.AckItem{Partition: uint32(d.partition), First: uint64(d.base) + uint64(first), Last: uint64(d.base) + uint64(last),
		Fence: d.fence, Outcome: outcome, DelayMs: delayMs, Detail: detail}
}

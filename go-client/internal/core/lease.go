package core

// Outcomes of the wire.
const (
	Accept  uint32 = 0
	Nack    uint32 = 1
	Extend  uint32 = 2
	Term    uint32 = 3
	Release uint32 = 4
)

// Poison is the reason of a Term for a record that cannot be read.
const Poison uint32 = 1

// Settlement is what is said of a record.
type Settlement struct {
	Outcome uint32
	DelayMs uint32 // of a Nack, 0 = the group's backoff; of an Extend the new lease
	Reason  uint32
	Detail  string
}

// Settled is what is said of records first to last of a batch, by index, both inclusive.
type Settled struct {
	First, Last int
	Settlement
}

// Delivery describes the delivery of one batch as the broker does.
type Delivery struct {
	BaseOffset int64
	Count      int
	Selected   []byte // bitmap; empty = all
	Leased     bool   // a reader without a group has no lease
	LeaseMs    uint32
	Attempt    uint32
	Attempts   []uint32 // of the selected records, if they differ
	SkipBefore int64    // a reader has had the records below this offset
}

// LeasedBatch is what one delivered batch has for a subscription: which records, their lease, and what of them is settled. A
// record is settled once; what comes later is ignored. Acks that touch travel as one range. Times are ms of one monotonic clock.
type LeasedBatch struct {
	delivery   Delivery
	receivedMs int64
	selected   bitset
	leaseEndMs int64
	unsettled  bitset
	acked      bitset
	others     []Settled
	reported   bool
}

// NewLeasedBatch takes up a delivery.
func NewLeasedBatch(delivery Delivery, nowMs int64) LeasedBatch {
	b := LeasedBatch{delivery: delivery, receivedMs: nowMs, selected: newBitset(delivery.Count),
		leaseEndMs: nowMs + int64(delivery.LeaseMs)}
	chosen := delivery.Selected
	for i := range delivery.Count {
		picked := len(chosen) == 0 || i>>3 < len(chosen) && chosen[i>>3]&(1<<(i&7)) != 0
		if picked && delivery.BaseOffset+int64(i) >= delivery.SkipBefore {
			b.selected.set(i)
		}
	}
	if delivery.Leased {
		b.unsettled = append(bitset(nil), b.selected...)
		b.acked = newBitset(delivery.Count)
	}
	return b
}

// IsSelected tells whether the record is for this subscription. It never changes.
func (b *LeasedBatch) IsSelected(index int) bool { return b.selected.get(index) }

// NextSelected returns the first such record from that index on, or -1.
func (b *LeasedBatch) NextSelected(from int) int { return b.selected.next(from) }

// SelectedCount never changes, either.
func (b *LeasedBatch) SelectedCount() int { return b.selected.count() }

// IsLeased tells whether there is a lease. It never changes.
func (b *LeasedBatch) IsLeased() bool { return b.delivery.Leased }

// HandOutUntilMs: a record handed out later would probably not be settled before its lease ends. It never changes.
func (b *LeasedBatch) HandOutUntilMs() int64 {
	return b.receivedMs + int64(b.delivery.LeaseMs)*80/100
}

// LeaseEndMs is when the last of its leases ends.
func (b *LeasedBatch) LeaseEndMs() int64 { return b.leaseEndMs }

// LeaseOver tells whether that is past.
func (b *LeasedBatch) LeaseOver(nowMs int64) bool { return nowMs > b.leaseEndMs }

// Attempt is 1 for the first delivery; the wire may say it for each selected record. It never changes.
func (b *LeasedBatch) Attempt(index int) int {
	if attempts := b.delivery.Attempts; len(attempts) > 0 {
		place := 0
		for i := b.selected.next(0); i >= 0 && i < index; i = b.selected.next(i + 1) {
			place++
		}
		if place < len(attempts) {
			return int(attempts[place])
		}
	}
	return int(max(1, b.delivery.Attempt))
}

// Settle settles one record. False when it was settled before, is not for this subscription, or there is no lease.
func (b *LeasedBatch) Settle(index int, s Settlement) bool {
	if !b.isOpen(index) {
		return false
	}
	b.unsettled.clear(index)
	if s.Outcome == Accept {
		b.acked.set(index)
	} else {
		b.others = append(b.others, Settled{index, index, s})
	}
	return true
}

// Extend asks for a longer lease of one record. False when it is settled, or there is no lease.
func (b *LeasedBatch) Extend(index int, leaseMs uint32, nowMs int64) bool {
	if !b.isOpen(index) {
		return false
	}
	b.others = append(b.others, Settled{index, index, Settlement{Outcome: Extend, DelayMs: leaseMs}})
	b.leaseEndMs = max(b.leaseEndMs, nowMs+int64(leaseMs))
	return true
}

func (b *LeasedBatch) isOpen(index int) bool {
	return b.delivery.Leased && index < b.delivery.Count && b.unsettled.get(index)
}

// Rest settles what is not settled from that record on. False when there is nothing, or no lease.
func (b *LeasedBatch) Rest(from int, s Settlement) bool {
	some := false
	for i := b.unsettled.next(from); i >= 0; i = b.unsettled.next(from) {
		last := i
		for last+1 < b.delivery.Count && b.unsettled.get(last+1) {
			last++
		}
		b.others = append(b.others, Settled{i, last, s})
		for ; i <= last; i++ {
			b.unsettled.clear(i)
		}
		from, some = last, true
	}
	return some
}

// MustReport tells whether this is the first settlement since the last Collect: the batch has to be announced.
func (b *LeasedBatch) MustReport() bool {
	first := !b.reported
	b.reported = true
	return first
}

// Collect passes on what is to be sent, acks first. True when nothing of the batch is left to settle.
func (b *LeasedBatch) Collect(send func(Settled)) bool {
	b.acked.ranges(func(first, last int) { send(Settled{first, last, Settlement{Outcome: Accept}}) })
	clear(b.acked)
	for _, each := range b.others {
		send(each)
	}
	b.others = nil
	b.reported = false
	return b.unsettled.next(0) < 0
}

package core

import "slices"

// AckLimits bound a bundle by items and bytes, and the number of bundles that wait for a connection.
type AckLimits struct{ MaxItems, MaxBytes, MaxUnsent int }

// DefaultAckLimits of the contract.
var DefaultAckLimits = AckLimits{MaxItems: 1000, MaxBytes: 32 << 10, MaxUnsent: 64}

// AckBundle is what travels in one frame. X is what the driver keeps beside it.
type AckBundle[I, X any] struct {
	Items []I
	With  X
	bytes int
	sent  bool
}

// AckBuffer holds the settlements of one subscription on their way to the broker: packed into bundles, each kept until it is
// answered. What was under way when a connection ended goes out again first, in its order. Bounded: when too many bundles wait
// for a connection, the oldest is given up.
type AckBuffer[I, X any] struct {
	limits      AckLimits
	unsent      []*AckBundle[I, X]
	underWay    []*AckBundle[I, X]
	open        bool
	hasGate     bool
	notBeforeMs int64
}

// NewAckBuffer returns an empty one without a connection.
func NewAckBuffer[I, X any](limits AckLimits) AckBuffer[I, X] { return AckBuffer[I, X]{limits: limits} }

// Add takes a settlement of that size and returns what is given up for it; mostly nil.
func (b *AckBuffer[I, X]) Add(item I, size int) *AckBundle[I, X] {
	var last *AckBundle[I, X]
	if n := len(b.unsent); n > 0 {
		last = b.unsent[n-1]
	}
	if last == nil || last.sent || len(last.Items) >= b.limits.MaxItems || last.bytes+size > b.limits.MaxBytes {
		last = &AckBundle[I, X]{}
		b.unsent = append(b.unsent, last)
	}
	last.Items = append(last.Items, item)
	last.bytes += size
	if len(b.unsent) <= b.limits.MaxUnsent {
		return nil
	}
	oldest := b.unsent[0]
	b.unsent = b.unsent[1:]
	return oldest
}

// Open: there is a connection.
func (b *AckBuffer[I, X]) Open() { b.open = true }

// Lost: the connection is gone, and what was under way waits again, before what came later.
func (b *AckBuffer[I, X]) Lost() {
	b.open = false
	b.unsent = append(b.underWay, b.unsent...)
	b.underWay = nil
}

// Take returns what goes out now, in this order.
func (b *AckBuffer[I, X]) Take(nowMs int64) []*AckBundle[I, X] {
	if !b.open || b.hasGate && nowMs < b.notBeforeMs || len(b.unsent) == 0 {
		return nil
	}
	taken := b.unsent
	b.unsent = nil
	for _, bundle := range taken {
		bundle.sent = true
	}
	b.underWay = append(b.underWay, taken...)
	return taken
}

// Answered: the broker has answered it. False when it was not under way (any more).
func (b *AckBuffer[I, X]) Answered(bundle *AckBundle[I, X]) bool {
	i := slices.Index(b.underWay, bundle)
	if i < 0 {
		return false
	}
	b.underWay = slices.Delete(b.underWay, i, i+1)
	return true
}

// Again: the broker refused it, and it goes out again, not before that time. False when it was not under way.
func (b *AckBuffer[I, X]) Again(bundle *AckBundle[I, X], atMs int64) bool {
	if !b.Answered(bundle) {
		return false
	}
	b.unsent = slices.Insert(b.unsent, 0, bundle)
	b.hasGate, b.notBeforeMs = true, atMs
	return true
}

// Pending returns everything that has no answer, in the order in which it was settled; it is still kept.
func (b *AckBuffer[I, X]) Pending() []*AckBundle[I, X] {
	return append(slices.Clone(b.underWay), b.unsent...)
}

// End gives up everything: nothing will be answered any more.
func (b *AckBuffer[I, X]) End() []*AckBundle[I, X] {
	all := b.Pending()
	b.unsent, b.underWay, b.open = nil, nil, false
	return all
}

// IsEmpty tells whether everything has its answer.
func (b *AckBuffer[I, X]) IsEmpty() bool { return len(b.unsent) == 0 && len(b.underWay) == 0 }

// Unsent is the number of bundles that wait to be sent.
func (b *AckBuffer[I, X]) Unsent() int { return len(b.unsent) }

// UnderWay is the number of bundles that wait for their answer.
func (b *AckBuffer[I, X]) UnderWay() int { return len(b.underWay) }

package spillway

import (
	"sync"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// maxDeadlineSpread: records whose deadlines are further apart do not share a batch, since a batch has one deadline.
const maxDeadlineSpread = time.Second

// queue is where publishing goroutines fill the batches of a partition. Safe for concurrent use.
type queue struct {
	part     *partPublisher
	maxBytes int

	mu     sync.Mutex
	open   *batch
	sealed []*batch
	woken  bool
	closed *Error
}

// offer adds a record to the open batch. The second result tells that the sender must look.
func (q *queue) offer(record *Record, encoded *wire.Record, hash uint32, size int, timeout time.Duration,
	callback func(Ack, error)) (Future, bool) {
	now := time.Now()
	timeMs := now.UnixMilli()
	if !record.Timestamp.IsZero() {
		timeMs = record.Timestamp.UnixMilli()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed != nil {
		return Future{err: q.closed}, false
	}
	b, wake := q.open, false
	if b != nil && (!q.fits(b, size, timeMs) || !sharesDeadline(b, now, timeout)) {
		q.seal()
		b, wake = nil, true
	}
	if b == nil {
		b = newBatch(q.part, now, timeout, min(q.maxBytes, max(size, 4<<10)))
		q.open, wake = b, true
	}
	i := b.add(timeMs, encoded, hash, size, callback)
	wake = wake && !q.woken
	q.woken = q.woken || wake
	return Future{b: b, i: i, keyed: encoded.DedupID != nil}, wake
}

func (q *queue) fits(b *batch, size int, timeMs int64) bool {
	return b.count < wire.MaxBatchRecords && b.bytes()+size <= q.maxBytes && timeMs-b.createdMs < 1<<31
}

func sharesDeadline(b *batch, now time.Time, timeout time.Duration) bool {
	apart := now.Add(timeout).Sub(b.deadline()).Abs()
	return apart <= min(maxDeadlineSpread, timeout>>3)
}

func (q *queue) seal() {
	if q.open != nil {
		q.sealed = append(q.sealed, q.open)
		q.open = nil
		q.part.producer.sticky.Add(1)
	}
}

// looked: from now on a record that needs the sender says so again.
func (q *queue) looked() {
	q.mu.Lock()
	q.woken = false
	q.mu.Unlock()
}

// take returns the next batch to send, or nil; the open one only when openToo.
func (q *queue) take(openToo bool) *batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.sealed) == 0 && openToo {
		q.seal()
	}
	if len(q.sealed) == 0 {
		return nil
	}
	b := q.sealed[0]
	q.sealed = q.sealed[1:]
	return b
}

// resume puts a batch behind those that wait, whether or not records are still taken.
func (q *queue) resume(b *batch) {
	q.mu.Lock()
	q.sealed = append(q.sealed, b)
	q.mu.Unlock()
}

// openSince returns when the first record of the open batch came; false when nothing is open.
func (q *queue) openSince() (time.Time, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open == nil {
		return time.Time{}, false
	}
	return q.open.created, true
}

// sealAll seals the open batch and appends all that waits; it stays here.
func (q *queue) sealAll(to []*batch) []*batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seal()
	return append(to, q.sealed...)
}

// takeExpired takes the batches whose deadline is over.
func (q *queue) takeExpired(now time.Time) []*batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	var expired []*batch
	if q.open != nil && q.open.deadline().Before(now) {
		q.seal()
	}
	kept := q.sealed[:0]
	for _, b := range q.sealed {
		if b.deadline().Before(now) {
			expired = append(expired, b)
		} else {
			kept = append(kept, b)
		}
	}
	q.sealed = kept
	return expired
}

func (q *queue) isEmpty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.open == nil && len(q.sealed) == 0
}

func (q *queue) takeAll() []*batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seal()
	all := q.sealed
	q.sealed = nil
	return all
}

// close: takes no more records; what waits stays.
func (q *queue) close(why *Error) {
	q.mu.Lock()
	q.closed = why
	q.mu.Unlock()
}

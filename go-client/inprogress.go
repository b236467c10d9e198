package spillway

import (
	"time"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/pb"
)

// inProgressWait is how long a record whose key is in progress waits when the broker does not say.
const inProgressWait = 100 * time.Millisecond

// takeInProgress moves the records that an ack refuses, because another sending of their idempotency key is not durable yet,
// into a batch of their own. It goes out under a new sequence once the broker has had the time it asked for, and has the
// deadline of this one. Nil when there are none, or no time for another attempt.
func (b *batch) takeInProgress(ack *pb.PublishAck, now time.Time) *batch {
	if len(ack.GetErrors()) == 0 {
		return nil
	}
	var refusal *Error
	wait := time.Duration(0)
	movedTo := make([]int, b.count)
	for i := range movedTo {
		movedTo[i] = -1
	}
	itemErrors(ack.GetErrors(), func(first, count int, err *Error) {
		if err.Code == int(codes.IdempotencyInProgress) {
			refusal, wait = err, max(wait, err.RetryAfter)
			for i := first; i < min(b.count, first+count); i++ {
				movedTo[i] = 0
			}
		}
	})
	if wait == 0 {
		wait = inProgressWait
	}
	if refusal == nil || now.Add(wait+minAttempt).After(b.deadline()) {
		return nil
	}
	later := newBatch(b.part, b.created, b.timeout, 0)
	later.refusal, later.notBefore = refusal, now.Add(wait)
	for i := range movedTo {
		if movedTo[i] == 0 {
			movedTo[i] = later.takeOver(b, i)
		}
	}
	b.later, b.movedTo = later, movedTo
	return later
}

func (b *batch) takeOver(from *batch, i int) int {
	record := from.writer.Copy(i)
	b.writer.AddEncoded(&record)
	b.reserved += record.Size()
	var callback func(Ack, error)
	if i < len(from.callbacks) {
		callback, from.callbacks[i] = from.callbacks[i], nil
	}
	b.callbacks = append(b.callbacks, callback)
	if watcher := from.watchers[i]; watcher != nil {
		delete(from.watchers, i)
		b.watch(b.count, watcher)
	}
	b.count++
	return b.count - 1
}

func (b *batch) watch(i int, watcher chan struct{}) {
	if b.watchers == nil {
		b.watchers = map[int]chan struct{}{}
	}
	b.watchers[i] = watcher
}

// next is where the record's outcome is once this batch is done: in a later batch, or here.
func (b *batch) next(i int) (*batch, int) {
	if b.later != nil && b.movedTo[i] >= 0 {
		return b.later, b.movedTo[i]
	}
	return nil, 0
}

// watched returns a channel that is closed when the record has its outcome, wherever it gets it.
func (b *batch) watched(i int) <-chan struct{} {
	c := b.part.producer.c
	c.mu.Lock()
	defer c.unlock()
	for b.isDone() {
		later, at := b.next(i)
		if later == nil {
			return b.done
		}
		b, i = later, at
	}
	if b.watchers[i] == nil {
		b.watch(i, make(chan struct{}))
	}
	return b.watchers[i]
}

func (b *batch) isDone() bool {
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}

// resume queues what has waited long enough for its key.
func (p *partPublisher) resume(now time.Time) {
	if len(p.waiting) == 0 {
		return
	}
	p.waiting = without(p.waiting, func(b *batch) bool {
		if now.Before(b.notBefore) {
			return false
		}
		p.queue.resume(b)
		return true
	})
}

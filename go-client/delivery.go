package spillway

import (
	"context"
	"sync"
)

// delivery holds batches on their way from the connection to consuming goroutines, which take records. Records whose lease
// is nearly over are given back instead. Safe for concurrent use.
type delivery struct {
	sub *Subscription

	mu      sync.Mutex
	batches []*delivered
	bytes   int
	freed   int // bytes consumed since the connection was told
	freedN  int
	ended   error
	ready   chan struct{} // a token when there may be something to take
	over    chan struct{} // closed at the end
}

func (q *delivery) init(sub *Subscription) {
	q.sub, q.ready, q.over = sub, make(chan struct{}, 1), make(chan struct{})
}

func (q *delivery) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

func (q *delivery) add(d *delivered) {
	q.mu.Lock()
	q.batches = append(q.batches, d)
	q.bytes += len(d.batch)
	q.mu.Unlock()
	q.signal()
}

func (q *delivery) queued() (batches, bytes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.batches), q.bytes
}

// take takes up to limit records that are there.
func (q *delivery) take(limit int) ([]*Message, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var messages []*Message
	for len(messages) < limit && len(q.batches) > 0 && q.ended == nil {
		d := q.batches[0]
		if d.stale() {
			d.release(d.index + 1)
			q.drop()
			continue
		}
		backing := make([]Message, min(limit-len(messages), d.count-d.index-1))
		taken := 0
		for taken < len(backing) && d.next(&backing[taken]) {
			messages = append(messages, &backing[taken])
			taken++
		}
		if d.leased.NextSelected(d.index+1) < 0 {
			q.drop()
		}
	}
	if len(q.batches) > 0 {
		q.signal()
	}
	if len(messages) == 0 && q.ended != nil {
		return nil, q.ended
	}
	return messages, nil
}

// drop is done with the first batch.
func (q *delivery) drop() {
	d := q.batches[0]
	q.batches[0] = nil
	q.batches = q.batches[1:]
	q.bytes -= len(d.batch)
	q.freed += len(d.batch)
	q.freedN++
	if q.freed >= int(q.sub.opts.creditBytes/4) || q.freedN >= creditBatches(q.sub.opts.creditBytes)/4 || len(q.batches) == 0 {
		q.freed, q.freedN = 0, 0
		q.askFlush()
	}
}

// askFlush has settlements and credit sent soon, from a goroutine that may take the client's lock.
func (q *delivery) askFlush() {
	select {
	case q.sub.flushes <- struct{}{}:
	default:
	}
}

// fetch waits for the first record, then takes what is there.
func (q *delivery) fetch(ctx context.Context, limit int) ([]*Message, error) {
	for {
		messages, err := q.take(limit)
		if len(messages) > 0 || err != nil {
			return messages, err
		}
		select {
		case <-q.ready:
		case <-q.over:
			q.signal()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// discard gives back what nobody has begun.
func (q *delivery) discard() {
	q.mu.Lock()
	batches := q.batches
	q.batches, q.bytes = nil, 0
	for _, d := range batches {
		d.release(d.index + 1)
	}
	q.mu.Unlock()
}

// end: nothing more is taken.
func (q *delivery) end(why error) {
	q.discard()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended == nil {
		q.ended = why
		close(q.over)
	}
}

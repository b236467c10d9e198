package spillway

import (
	"context"
	"math"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

var writers = sync.Pool{New: func() any { return new(wire.BatchWriter) }}

// batch holds records until they have their outcome. The queue's lock guards it while it is filled, the client's lock
// from then on; what it says of its outcome is fixed once done is closed.
type batch struct {
	part      *partPublisher
	writer    *wire.BatchWriter
	callbacks []func(Ack, error) // by record; shorter or nil: none
	created   time.Time
	createdMs int64
	timeout   time.Duration
	reserved  int // bytes of the producer's buffer
	count     int

	epoch       int // -1: not encoded
	sequence    uint64
	head, body  []byte
	correlation uint32
	sent        time.Time
	sends       int
	failures    int
	retryCost   int
	maybeStored bool
	abandoned   bool

	done chan struct{}
	err  *Error // of all
	ack  Ack    // of the first stored record
	acks []Ack  // of each, when they differ
	errs []*Error

	// Records whose key was in progress have their outcome in a later batch; see takeInProgress.
	later     *batch
	movedTo   []int // index in it, -1 for those that are not
	refusal   *Error
	notBefore time.Time
	watchers  map[int]chan struct{} // guarded by the client's lock
}

func newBatch(part *partPublisher, now time.Time, timeout time.Duration, room int) *batch {
	w := writers.Get().(*wire.BatchWriter)
	w.Reset(room)
	return &batch{part: part, writer: w, created: now, createdMs: now.UnixMilli(), timeout: timeout, epoch: -1,
		done: make(chan struct{})}
}

func (b *batch) deadline() time.Time { return b.created.Add(b.timeout) }

func (b *batch) add(timeMs int64, r *wire.Record, hash uint32, size int, callback func(Ack, error)) int {
	b.writer.Add(timeMs, r, hash)
	b.reserved += size
	if callback != nil {
		for len(b.callbacks) < b.count {
			b.callbacks = append(b.callbacks, nil)
		}
		b.callbacks = append(b.callbacks, callback)
	}
	b.count++
	return b.count - 1
}

func (b *batch) bytes() int { return b.writer.Bytes() }

func (b *batch) encode(producerID uint64, epoch uint16, sequence uint64) {
	b.epoch, b.sequence = int(epoch), sequence
	b.head, b.body = b.writer.Seal(producerID, epoch, sequence)
}

func (b *batch) endSequence() uint64 { return b.sequence + uint64(b.count) }

// ---- the verdict, with the client's lock held

func (b *batch) onResponse(f *wire.Frame) {
	ack := &pb.PublishAck{}
	if err := proto.Unmarshal(f.Header, ack); err != nil {
		b.part.onRefused(b, wireError(101, "the ack of a batch cannot be read", err.Error(), "use compatible releases"))
		return
	}
	b.part.onAck(b, ack)
}

func (b *batch) onError(e *pb.Error) { b.part.onRefused(b, e) }

func (b *batch) acked(ack *pb.PublishAck) {
	if b.abandoned {
		return
	}
	b.ack = Ack{
		Topic: b.part.producer.topic, Partition: b.part.index, Offset: offset(ack.GetBaseOffset()),
		Durability: Durability(ack.GetReached()), Duplicate: ack.GetDuplicate(), Degraded: ack.GetDegraded(),
		AppendTime: time.UnixMilli(int64(ack.GetAppendUnixMs())), ZoneLag: zoneLagOf(ack),
	}
	if len(ack.GetKeyResults()) > 0 || len(ack.GetErrors()) > 0 {
		b.ackedInPart(ack)
	}
	b.finish()
}

// offset is -1 for 2^64-1.
func offset(wire uint64) int64 {
	if wire > math.MaxInt64 {
		return -1
	}
	return int64(wire)
}

// ackedInPart: some records were refused or are duplicates by idempotency key; the others were stored one after the other.
func (b *batch) ackedInPart(ack *pb.PublishAck) {
	b.acks, b.errs = make([]Ack, b.count), make([]*Error, b.count)
	known := make([]bool, b.count)
	for _, first := range ack.GetKeyResults() {
		if i := int(first.GetIndex()); i < b.count {
			b.acks[i] = b.ack
			b.acks[i].Offset, b.acks[i].Duplicate = offset(first.GetOffset()), true
			b.acks[i].AppendTime = time.UnixMilli(int64(first.GetAppendUnixMs()))
			known[i] = true
		}
	}
	itemErrors(ack.GetErrors(), func(first, count int, err *Error) {
		for i := first; i < min(b.count, first+count); i++ {
			b.errs[i], known[i] = err, true
		}
	})
	next := b.ack.Offset
	for i := range b.acks {
		if !known[i] {
			b.acks[i] = b.ack
			b.acks[i].Offset = next
			if next >= 0 {
				next++
			}
		}
	}
}

// abandon fails its records; it is not sent again under their names.
func (b *batch) abandon(err *Error) {
	b.abandoned = true
	b.err = err
	b.finish()
}

func (b *batch) finish() {
	close(b.done)
	for _, watcher := range b.watchers {
		close(watcher)
	}
	if len(b.callbacks) > 0 {
		b.part.producer.c.later(b.call)
	}
	if !b.abandoned || b.epoch < 0 {
		b.release()
	}
}

// release gives the buffers back; nothing is sent of it any more.
func (b *batch) release() {
	if b.writer != nil {
		writers.Put(b.writer)
		b.writer, b.head, b.body = nil, nil, nil
	}
}

func (b *batch) call() {
	for i, callback := range b.callbacks {
		if callback != nil {
			callback(b.result(i))
		}
	}
	b.callbacks = nil
}

func (b *batch) result(i int) (Ack, error) {
	switch {
	case b.err != nil:
		return Ack{}, b.err
	case b.acks == nil:
		ack := b.ack
		if ack.Offset >= 0 {
			ack.Offset += int64(i)
		}
		return ack, nil
	case b.errs[i] != nil:
		return Ack{}, b.errs[i]
	}
	return b.acks[i], nil
}

// Future is the outcome of a publish. The zero Future belongs to none, and its Ack fails with ErrInvalidArgument.
type Future struct {
	b     *batch
	i     int
	keyed bool
	err   error
}

// closedChan is what a Future waits for that has failed at once.
var closedChan = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done is closed when the outcome is there.
func (f Future) Done() <-chan struct{} {
	switch {
	case f.b == nil:
		return closedChan
	case f.keyed:
		return f.b.watched(f.i)
	}
	return f.b.done
}

// await waits for the outcome; false when the context ended first.
func (f Future) await(ctx context.Context) (Ack, error, bool) {
	for b, i := f.b, f.i; ; {
		if !b.isDone() {
			select {
			case <-b.done:
			case <-ctx.Done():
				return Ack{}, nil, false
			}
		}
		later, at := b.next(i)
		if later == nil {
			ack, err := b.result(i)
			return ack, err, true
		}
		b, i = later, at
	}
}

// Ack waits for the outcome, at the latest until the context ends; the record is still under way then.
func (f Future) Ack(ctx context.Context) (Ack, error) {
	if f.b == nil && f.err == nil {
		return Ack{}, invalid("a Future belongs to no publish", "it is the zero Future")
	}
	if f.b == nil {
		return Ack{}, f.err
	}
	if ctx == nil {
		if ack, err, ok := f.await(canceled); ok {
			return ack, err
		}
		return Ack{}, checkContext(ctx, "Ack")
	}
	if ack, err, ok := f.await(ctx); ok {
		return ack, err
	}
	return Ack{}, newError(codes.OutcomeUnknown, "a record for "+f.b.part.producer.topic+" has no outcome yet", ctx.Err().Error(),
		"it is still under way; wait again, or publish again with an idempotency key").because(ctx)
}

// canceled is for looking without waiting.
var canceled = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

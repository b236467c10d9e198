package spillway

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// ProducerOption of Client.Producer.
type ProducerOption func(*producerOptions) error

type producerOptions struct {
	durability      Durability
	allowDegraded   bool
	linger          time.Duration
	maxBatchBytes   int
	bufferBytes     int64
	maxBlock        time.Duration
	deliveryTimeout time.Duration
	name            string
	shedClass       *uint32
}

// WithDurability sets the least durability an ack stands for. Default: what the topic is configured for.
func WithDurability(level Durability) ProducerOption {
	return func(o *producerOptions) error { o.durability = level; return nil }
}

// WithAllowDegraded says whether less durability than asked for is an ack marked degraded rather than an error. Default
// false.
func WithAllowDegraded(allow bool) ProducerOption {
	return func(o *producerOptions) error { o.allowDegraded = allow; return nil }
}

// WithLinger says how long a record may wait for company. Default zero: records are sent at once while little is under
// way, and gather while acks are awaited. At most 1 min.
func WithLinger(wait time.Duration) ProducerOption {
	return func(o *producerOptions) error { o.linger = wait; return between("the linger", wait, 0, time.Minute) }
}

// WithMaxBatchBytes: a batch is sent when it has this many bytes. 1 KiB to 1 MiB, default 64 KiB.
func WithMaxBatchBytes(bytes int) ProducerOption {
	return func(o *producerOptions) error {
		o.maxBatchBytes = bytes
		if bytes < 1<<10 || bytes > wire.MaxBatchBytes {
			return invalid(fmt.Sprintf("the size of a batch is %d", bytes), "it must be from 1024 to 1048576")
		}
		return nil
	}
}

// WithBufferBytes sets the bytes of records that may be without outcome. At least 1 KiB, default 32 MiB.
func WithBufferBytes(bytes int64) ProducerOption {
	return func(o *producerOptions) error {
		o.bufferBytes = bytes
		if bytes < 1<<10 {
			return invalid(fmt.Sprintf("the buffer has %d bytes", bytes), "it must have at least 1024")
		}
		return nil
	}
}

// WithMaxBlock says how long publishing waits for space in the buffer; zero fails at once. Default 5 s.
func WithMaxBlock(wait time.Duration) ProducerOption {
	return func(o *producerOptions) error {
		o.maxBlock = wait
		return between("the max block", wait, 0, 24*time.Hour)
	}
}

// WithDeliveryTimeout: from publish to outcome, all attempts together. 1 ms to 1 day, default 30 s.
func WithDeliveryTimeout(timeout time.Duration) ProducerOption {
	return func(o *producerOptions) error {
		o.deliveryTimeout = timeout
		return between("the delivery timeout", timeout, time.Millisecond, 24*time.Hour)
	}
}

// WithProducerName sets a name under which the broker remembers the producer. Opening it again fences the earlier one
// off: its publishes fail with ErrProducerFenced. Default: none, every producer is its own.
func WithProducerName(name string) ProducerOption {
	return func(o *producerOptions) error {
		o.name = name
		if name == "" {
			return invalid("the producer's name is empty", "leave it out, or give one")
		}
		return nil
	}
}

// WithShedClass says how much the records matter to a broker that has to refuse some: 3 goes first, when it is busy, 2 when
// it is overloaded; 1 and 0 are not refused by class. 0 to 3; default: the topic's, which is 2 unless it is set.
func WithShedClass(class int) ProducerOption {
	return func(o *producerOptions) error {
		if class < 0 || class > 3 {
			return invalid(fmt.Sprintf("the shed class is %d", class), "it must be from 0 to 3")
		}
		number := uint32(class)
		o.shedClass = &number
		return nil
	}
}

// Producer publishes to one topic, in batches. Each record ends in exactly one outcome: an Ack or an *Error. Records of one
// partition are stored in the order in which they were published by a goroutine; a connection or broker that fails in
// between neither loses nor doubles one, as long as it is back within the delivery timeout.
//
// Errors: ErrDeadlineExceeded when the delivery timeout passed before anything was sent; ErrOutcomeUnknown when it passed
// after; ErrReadOnly, ErrOverloaded or whatever else the broker kept refusing with when it passed meanwhile; ErrBufferFull
// when the buffer stayed full for the max block; ErrTooLarge; ErrClosed; and what the broker answers. Safe for concurrent
// use.
type Producer struct {
	c      *Client
	topic  string
	opts   producerOptions
	parts  []*partPublisher
	space  *space
	sticky atomic.Uint32
	maxRec int
	stop   chan struct{} // closed with the producer: nobody waits for space any longer

	// Guarded by the client's lock.
	producerID uint64
	opened     chan error
	isOpened   bool
	obstacle   string
	closed     bool
}

// Producer opens a producer of the topic. Fails with ErrTopicNotFound, ErrDurabilityUnavailable, ErrInvalidArgument, or
// ErrDeadlineExceeded after the request timeout.
func (c *Client) Producer(ctx context.Context, topic string, opts ...ProducerOption) (*Producer, error) {
	if err := checkContext(ctx, "Producer"); err != nil {
		return nil, err
	}
	o := producerOptions{maxBatchBytes: 64 << 10, bufferBytes: 32 << 20, maxBlock: 5 * time.Second,
		deliveryTimeout: 30 * time.Second}
	for _, option := range opts {
		if option == nil {
			return nil, errNilOption
		}
		if err := option(&o); err != nil {
			return nil, err
		}
	}
	if err := checkFrame("open a producer of "+topic, &pb.OpenPublisher{Topic: topic, ProducerName: o.name}); err != nil {
		return nil, err
	}
	ctx, cancel := withOwnTimeout(ctx, c.opts.requestTimeout)
	defer cancel()
	description, err := c.Admin().DescribeTopic(ctx, topic)
	if err != nil {
		return nil, err
	}
	p := &Producer{c: c, topic: topic, opts: o, space: newSpace(o.bufferBytes), stop: make(chan struct{}),
		opened: make(chan error, 1), obstacle: "no answer from the broker"}
	p.maxRec = wire.MaxBatchBytes - wire.BatchHeaderBytes
	for i := range description.Partitions {
		p.parts = append(p.parts, newPartPublisher(p, i))
	}
	c.mu.Lock()
	if err := c.refuseClosed(); err != nil {
		c.unlock()
		return nil, err
	}
	c.producers[p] = struct{}{}
	p.parts[0].want()
	c.wakeSender()
	c.unlock()
	select {
	case err = <-p.opened:
	case <-ctx.Done():
		c.mu.Lock()
		err = newError(codes.DeadlineExceeded, "the producer of "+topic+" is not open in time", p.obstacle,
			"look at the broker's health, or allow a longer request timeout").because(ctx)
		c.unlock()
	}
	if err != nil {
		c.mu.Lock()
		p.end(asError(err, "opening the producer of "+topic))
		c.unlock()
		return nil, err
	}
	return p, nil
}

// Topic it publishes to.
func (p *Producer) Topic() string { return p.topic }

// Partitions is how many the topic has.
func (p *Producer) Partitions() int { return len(p.parts) }

// Publish publishes and waits for the outcome; the context's deadline replaces the delivery timeout when it is earlier.
func (p *Producer) Publish(ctx context.Context, record Record) (Ack, error) {
	if err := checkContext(ctx, "Publish"); err != nil {
		return Ack{}, err
	}
	timeout := p.opts.deliveryTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline))
		if timeout <= 0 {
			return Ack{}, newError(codes.DeadlineExceeded, "a record for "+p.topic+" was not sent",
				"the context's deadline is over", "publish it again, and allow more time").because(ctx)
		}
	}
	f := p.offer(ctx, &record, min(p.opts.maxBlock, timeout), timeout, nil)
	if f.b == nil {
		return Ack{}, f.err
	}
	if ack, err, ok := f.await(ctx); ok {
		return ack, err
	}
	if ctx.Err() == context.DeadlineExceeded {
		// The batch has the same deadline and knows why it did not make it.
		grace, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		if ack, err, ok := f.await(grace); ok {
			return ack, endedBy(ctx, err)
		}
	}
	return f.Ack(ctx)
}

// PublishAsync publishes; it waits up to the max block, or until the context ends, for space in the buffer. The outcome,
// errors of the record included, is in the Future.
func (p *Producer) PublishAsync(ctx context.Context, record Record) Future {
	if err := checkContext(ctx, "PublishAsync"); err != nil {
		return Future{err: err}
	}
	return p.offer(ctx, &record, p.opts.maxBlock, p.opts.deliveryTimeout, nil)
}

// PublishFunc is PublishAsync with a callback, which runs on one of the client's goroutines, or on this one when the record
// is refused at once, and must not block. Nil: nobody hears of the outcome.
func (p *Producer) PublishFunc(ctx context.Context, record Record, outcome func(Ack, error)) {
	if err := checkContext(ctx, "PublishFunc"); err != nil {
		if outcome != nil {
			outcome(Ack{}, err)
		}
		return
	}
	if f := p.offer(ctx, &record, p.opts.maxBlock, p.opts.deliveryTimeout, outcome); f.b == nil && outcome != nil {
		outcome(Ack{}, f.err)
	}
}

// TryPublish is PublishAsync, but false at once when the buffer has no space; the Future then fails with ErrBufferFull.
func (p *Producer) TryPublish(record Record) (Future, bool) {
	f := p.offer(context.Background(), &record, 0, p.opts.deliveryTimeout, nil)
	if e, ok := f.err.(*Error); ok && e.Code == int(codes.LocalBufferFull) {
		return f, false
	}
	return f, true
}

// offer puts the record in its batch; what keeps it out is the Future's error, and its batch nil.
func (p *Producer) offer(ctx context.Context, record *Record, block, timeout time.Duration, callback func(Ack, error)) Future {
	var encoded wire.Record
	if err := record.encode(&encoded); err != nil {
		return Future{err: err}
	}
	size := encoded.Size()
	if size > p.maxRec {
		return Future{err: tooLarge("a record for "+p.topic, size-wire.IndexEntryBytes, p.maxRec-wire.IndexEntryBytes)}
	}
	hash := uint32(0)
	if record.Key != nil {
		hash = wire.KeyHash(record.Key)
	}
	part, err := p.choose(record, hash)
	if err != nil {
		return Future{err: err}
	}
	if !p.space.tryTake(int64(size)) && !p.space.take(ctx, int64(size), block, p.stop) {
		return Future{err: p.bufferFull(ctx, block)}
	}
	f, wake := part.queue.offer(record, &encoded, hash, size, timeout, callback)
	if f.b == nil {
		p.space.give(int64(size))
	} else if wake {
		p.c.wakePart(part)
	}
	return f
}

func (p *Producer) choose(record *Record, hash uint32) (*partPublisher, error) {
	switch {
	case record.Partition != nil:
		if i := *record.Partition; i >= 0 && i < len(p.parts) {
			return p.parts[i], nil
		}
		return nil, invalid(fmt.Sprintf("partition %d of %s does not exist", *record.Partition, p.topic),
			fmt.Sprintf("the topic has partitions 0 to %d", len(p.parts)-1))
	case len(p.parts) == 1:
		return p.parts[0], nil
	case record.Key != nil:
		return p.parts[wire.PartitionOf(hash, len(p.parts))], nil
	case record.IdempotencyKey != nil:
		return p.parts[wire.PartitionOf(wire.KeyHash(record.IdempotencyKey), len(p.parts))], nil
	}
	return p.parts[int(p.sticky.Load())%len(p.parts)], nil
}

func (p *Producer) bufferFull(ctx context.Context, block time.Duration) error {
	select {
	case <-p.stop:
		return errClosed("the producer of " + p.topic)
	default:
	}
	why := fmt.Sprintf("%d bytes wait for their acks, and none came free within %d ms", p.space.limit, block.Milliseconds())
	if err := ctx.Err(); err != nil {
		why = fmt.Sprintf("%d bytes wait for their acks; %v", p.space.limit, err)
	}
	return newError(codes.LocalBufferFull, "the buffer of the producer of "+p.topic+" has no space", why,
		"publish more slowly, enlarge the buffer, or look at the broker's health").because(ctx)
}

// Flush sends what is buffered without lingering and waits until all that was published before has its outcome. Fails with
// ErrDeadlineExceeded when the context ends first; the records are still under way then.
func (p *Producer) Flush(ctx context.Context) error {
	if err := checkContext(ctx, "Flush"); err != nil {
		return err
	}
	p.c.mu.Lock()
	var waiting []*batch
	for _, part := range p.parts {
		waiting = part.collect(waiting)
	}
	p.c.wakeSender()
	p.c.unlock()
	for _, b := range waiting {
		for ; b != nil; b = b.later {
			select {
			case <-b.done:
			case <-ctx.Done():
				return newError(codes.DeadlineExceeded, "the flush of "+p.topic+" is not done: "+ctx.Err().Error(),
					fmt.Sprintf("%d bytes of records have no outcome yet", p.space.used.Load()),
					"they are still under way; wait for their acks").because(ctx)
			}
		}
	}
	return nil
}

// Close flushes and ends the producer. What has no outcome when the context ends fails, and Close says so. A context
// without a deadline gets 10 s. Closing twice is fine.
func (p *Producer) Close(ctx context.Context) error {
	if err := checkContext(ctx, "Close"); err != nil {
		return err
	}
	ctx, cancel := closeContext(ctx)
	defer cancel()
	cause := errClosed("the producer of " + p.topic)
	p.c.mu.Lock()
	if p.closed {
		p.c.unlock()
		return nil
	}
	p.closed = true
	close(p.stop)
	for _, part := range p.parts {
		part.queue.close(cause)
	}
	p.c.unlock()
	err := p.Flush(ctx)
	p.c.mu.Lock()
	p.end(cause)
	p.c.unlock()
	return err
}

// ---- with the client's lock held

func (p *Producer) onOpened(id uint64) {
	p.producerID = id
	if !p.isOpened {
		p.isOpened = true
		p.opened <- nil
	}
}

func (p *Producer) onOpenFailed(err *Error) {
	p.obstacle = err.Error()
	if !p.isOpened {
		p.isOpened = true
		p.opened <- err
	}
}

func (p *Producer) onReady(mayResend bool) {
	for _, part := range p.parts {
		if !mayResend {
			part.giveUpUnanswered()
		}
		part.onReady()
	}
}

func (p *Producer) onLost() {
	for _, part := range p.parts {
		part.onLost()
	}
}

func (p *Producer) tick(now time.Time) {
	for _, part := range p.parts {
		part.tick(now)
	}
}

func (p *Producer) end(cause *Error) {
	if !p.closed {
		p.closed = true
		close(p.stop)
	}
	p.onOpenFailed(cause)
	for _, part := range p.parts {
		part.end(cause)
	}
	delete(p.c.producers, p)
}

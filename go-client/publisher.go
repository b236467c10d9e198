package spillway

import (
	"fmt"
	"math"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
)

const (
	gatherAt       = 4 // while this many batches are under way, records gather until a batch is full
	attemptTimeout = 5 * time.Second
	minAttempt     = 50 * time.Millisecond
	maxStarved     = 2 * time.Second
)

// partPublisher sends the batches of one producer to one partition, in the order of their sequence, until each has its
// outcome.
//
// sent holds the batches under way; again those that were taken back, after a refusal or with a lost connection, and go
// before anything new. Both are in sequence order, and sent is before again. A batch whose records have their outcome
// before the broker's verdict is abandoned: in sent it goes on, in again it only keeps its place. When an abandoned place
// comes up, the broker is asked what it has: a batch that was stored leaves no hole; else the producer's epoch is raised,
// its sequence starts at 0, and what came after the hole, which cannot have been stored, is sent under the new epoch.
//
// Guarded by the client's lock, but for the queue.
type partPublisher struct {
	producer *Producer
	index    int
	queue    queue
	handle   pubHandle
	queued   bool // whether it waits for its turn; the flow's

	sent, again  []*batch
	waiting      []*batch // for another sending of their keys
	epochUsed    bool
	nextSequence uint64
	outOfStep    bool // the broker expects another sequence; it is asked once nothing is under way
	lingering    bool
	starvedSince time.Time
}

func newPartPublisher(producer *Producer, index int) *partPublisher {
	p := &partPublisher{producer: producer, index: index, starvedSince: time.Now()}
	p.queue = queue{part: p, maxBytes: producer.opts.maxBatchBytes}
	p.handle = pubHandle{part: p, byName: true, maxInFlight: maxInFlight}
	return p
}

func (p *partPublisher) wake() {
	p.producer.c.flow.run(p)
	p.producer.c.wakeSender()
}

// want opens the handle now, and again whenever it is lost, whether or not there is work.
func (p *partPublisher) want() {
	p.handle.wanted = true
	p.wake()
}

// ---- the sequence

func (p *partPublisher) onOpened(epochGoesOn bool, expected uint64) {
	p.outOfStep = false
	if !epochGoesOn {
		p.startEpoch()
	} else if p.epochUsed {
		p.compareSequence(expected)
	}
	p.wake()
}

// compareSequence, after a gap in the conversation: the broker says which sequence it expects next.
func (p *partPublisher) compareSequence(expected uint64) {
	first := p.nextSequence
	for _, b := range p.again {
		if b.epoch == int(p.handle.epoch) {
			first = min(first, b.sequence)
			b.maybeStored = b.endSequence() <= expected
		}
	}
	if expected < first || expected > p.nextSequence {
		p.raiseEpoch()
	} else {
		p.again = without(p.again, func(b *batch) bool { return b.abandoned && b.maybeStored })
	}
}

func (p *partPublisher) raiseEpoch() {
	p.handle.raiseEpoch()
	p.startEpoch()
	p.wake()
}

func (p *partPublisher) startEpoch() {
	p.epochUsed, p.nextSequence = false, 0
	p.again = without(p.again, func(b *batch) bool { return b.abandoned })
	for _, b := range p.again {
		b.maybeStored = false
	}
}

func without(batches []*batch, drop func(*batch) bool) []*batch {
	kept := batches[:0]
	for _, b := range batches {
		if !drop(b) {
			kept = append(kept, b)
		}
	}
	clear(batches[len(kept):])
	return kept
}

// ---- sending

// pump sends what may be sent. True when there is more, but the flow lets nothing out at present.
func (p *partPublisher) pump() bool {
	p.queue.looked()
	if p.handle.isMissed() || p.hasWork() {
		p.handle.open()
	}
	for p.handle.state == handleOpen && len(p.sent) < p.handle.maxInFlight && p.handle.isDue() && !p.producer.c.isHeld(p.producer) {
		if !p.producer.c.maySend() {
			return p.hasWork()
		}
		b := p.next()
		if b == nil {
			return false
		}
		switch {
		case p.tooLate(b):
			p.abandon(b, p.expired(b))
			if b.epoch >= 0 {
				p.again = append([]*batch{b}, p.again...)
			}
		case p.handle.credit.admits():
			p.send(b)
		default:
			p.again = append([]*batch{b}, p.again...)
			return false
		}
	}
	return false
}

func (p *partPublisher) hasWork() bool { return len(p.again) > 0 || !p.queue.isEmpty() }

func (p *partPublisher) next() *batch {
	hole := len(p.again) > 0 && p.again[0].abandoned
	if hole || p.outOfStep {
		if len(p.sent) == 0 && (p.outOfStep || p.again[0].maybeStored) {
			p.reopen()
		} else if len(p.sent) == 0 {
			p.raiseEpoch()
		}
		return nil
	}
	if len(p.again) == 0 {
		return p.queue.take(p.takesOpenBatch())
	}
	b := p.again[0]
	p.again = p.again[1:]
	return b
}

func (p *partPublisher) reopen() {
	p.handle.close()
	p.wake()
}

func (p *partPublisher) takesOpenBatch() bool {
	if len(p.sent) >= gatherAt {
		return false
	}
	linger := p.producer.opts.linger
	if linger == 0 {
		return true
	}
	since, open := p.queue.openSince()
	left := linger - time.Since(since)
	if open && left > 0 && !p.lingering {
		p.lingering = true
		time.AfterFunc(left, func() {
			p.producer.c.mu.Lock()
			p.lingering = false
			p.wake()
			p.producer.c.unlock()
		})
	}
	return !open || left <= 0
}

func (p *partPublisher) tooLate(b *batch) bool {
	return time.Until(b.deadline()) < min(minAttempt, b.timeout/2)
}

func (p *partPublisher) send(b *batch) {
	h := &p.handle
	if b.epoch != int(h.epoch) {
		b.encode(h.producerID, h.epoch, p.nextSequence)
		p.nextSequence = b.endSequence()
		p.epochUsed = true
	}
	now := time.Now()
	b.sent = now
	b.sends++
	p.sent = append(p.sent, b)
	c := p.producer.c
	c.flow.inFlight++
	b.correlation = h.publish(&pb.Publish{
		TimeoutMs:  uint32(min(max(1, b.deadline().Sub(now).Milliseconds()), math.MaxUint32)),
		Durability: pb.Durability(p.producer.opts.durability), Attempt: uint32(b.sends),
		QueuedMs: uint32(now.Sub(b.created).Milliseconds()), ShedClass: p.producer.opts.shedClass,
	}, b)
	if c.opts.metrics != nil {
		topic, bytes, sends := p.producer.topic, b.bytes(), b.sends
		c.measure(func(m Metrics) { m.OnBatchSent(topic, p.index, b.count, bytes, sends) })
	}
}

// ---- verdicts

func (p *partPublisher) onAck(b *batch, ack *pb.PublishAck) {
	p.sent = without(p.sent, func(other *batch) bool { return other == b })
	p.handle.credit.grant(ack.GetCredit())
	p.handle.lastRefusal = nil
	c := p.producer.c
	p.handle.tellWhen(p.handle.view.Ack(core.Normal, 0, c.link.nowMs()))
	c.endHoldsOf(p.producer)
	c.onAcked(ack.GetState(), ack.GetThrottleMs())
	c.retries.onSuccess(b.retryCost)
	c.onOutcome(nil, b.sent)
	if c.opts.metrics != nil {
		topic, took := p.producer.topic, time.Since(b.sent)
		c.measure(func(m Metrics) { m.OnBatchAcked(topic, p.index, b.count, took) })
	}
	if b.abandoned {
		b.release()
	} else {
		free := b.reserved
		if later := b.takeInProgress(ack, time.Now()); later != nil {
			p.waiting = append(p.waiting, later)
			free -= later.reserved
		}
		p.producer.space.give(int64(free))
		b.acked(ack)
	}
	c.flow.run(p)
}

func (p *partPublisher) onRefused(b *batch, e *pb.Error) {
	h := &p.handle
	if h.cn == nil || h.cn.failed != nil {
		return // onLost takes back all that was sent
	}
	c := p.producer.c
	h.lastRefusal = e
	c.flow.run(p)
	p.takeBack(b)
	if isCode(e, codes.ProducerFenced) {
		p.end(fromWire(e))
		return
	}
	b.failures += failureOf(e)
	c.onOutcome(e, b.sent)
	if isCode(e, codes.SequenceGap) && b.failures < maxPublishAttempts {
		p.outOfStep = true
		return
	}
	c.flow.onRefused(e)
	v := c.retries.afterPublish(e, b.failures, time.Until(b.deadline()).Milliseconds(), c.random())
	if v.outcomeUnknown {
		for _, taken := range p.again {
			taken.maybeStored = true
		}
	}
	if v.again && !b.abandoned {
		b.retryCost = v.cost
		h.waitMs(v.delayMs)
		h.onLoadRefusal(e, v.delayMs)
		return
	}
	cause := fromWire(v.err)
	if b.maybeStored && !cause.OutcomeUnknown() {
		cause = p.unknown(cause)
	}
	p.abandon(b, cause)
}

// takeBack takes back this batch and all sent after it, to be sent again in order.
func (p *partPublisher) takeBack(from *batch) {
	for i, b := range p.sent {
		if b == from {
			taken := append([]*batch(nil), p.sent[i:]...)
			for _, b := range taken {
				if p.handle.cn != nil {
					p.handle.cn.forget(b.correlation)
				}
				p.producer.c.flow.inFlight--
			}
			p.again = append(taken, p.again...)
			p.sent = p.sent[:i]
			return
		}
	}
}

func (p *partPublisher) takeBackAll() {
	if len(p.sent) > 0 {
		for _, b := range p.sent {
			b.maybeStored = true
		}
		p.takeBack(p.sent[0])
	}
}

func (p *partPublisher) onLost() {
	p.takeBackAll()
	p.handle.onLost()
}

// onReady: a new connection. What was open is opened again, whether or not there is work.
func (p *partPublisher) onReady() {
	p.handle.notBefore = time.Time{}
	p.wake()
}

// giveUpUnanswered: the retry budget is empty, and what was sent and has no verdict fails rather than being sent again.
func (p *partPublisher) giveUpUnanswered() {
	cause := newError(codes.OutcomeUnknown,
		fmt.Sprintf("records for %s/%d were sent and got no answer", p.producer.topic, p.index),
		"the connection was lost, and the retry budget of this client is used up",
		"look at the broker's health; publish again only if a second copy does no harm")
	for _, b := range p.again {
		if b.maybeStored {
			p.abandon(b, cause)
		}
	}
}

// ---- time

func (p *partPublisher) tick(now time.Time) {
	p.resume(now)
	p.handle.tellWhen(p.handle.view.Timer(p.producer.c.link.nowMs()))
	p.expire(now)
	if len(p.sent) > 0 && now.Sub(p.sent[0].sent) > attemptTimeout {
		oldest := p.sent[0]
		p.producer.c.flow.window.OnSignal(core.SignalTimeout, p.producer.c.flow.nowMs())
		for _, b := range p.sent {
			b.maybeStored = true
		}
		p.onRefused(oldest, wireError(codes.AttemptTimeout,
			fmt.Sprintf("no answer to a batch for %s/%d", p.producer.topic, p.index),
			fmt.Sprintf("none came within %d ms", attemptTimeout.Milliseconds()), "look at the broker's health"))
	}
	p.renewStarvedCredit(now)
	if p.hasWork() || p.handle.isMissed() {
		p.producer.c.flow.run(p)
	}
}

// renewStarvedCredit: with nothing under way no ack can bring credit: should the two sides count differently, a new
// handle starts afresh.
func (p *partPublisher) renewStarvedCredit(now time.Time) {
	starved := p.handle.state == handleOpen && len(p.sent) == 0 && len(p.again) > 0 && !p.again[0].abandoned &&
		!p.handle.credit.admits()
	if !starved {
		p.starvedSince = now
	} else if now.Sub(p.starvedSince) > maxStarved {
		p.starvedSince = now
		p.reopen()
	}
}

func (p *partPublisher) expire(now time.Time) {
	for _, b := range p.sent {
		if !b.abandoned && b.deadline().Before(now) {
			b.maybeStored = true
			p.abandon(b, p.expired(b))
		}
	}
	for _, b := range p.again {
		if !b.abandoned && b.deadline().Before(now) {
			p.abandon(b, p.expired(b))
		}
	}
	p.again = without(p.again, func(b *batch) bool { return b.abandoned && b.epoch < 0 })
	for _, b := range p.queue.takeExpired(now) {
		p.abandon(b, p.expired(b))
	}
}

func (p *partPublisher) expired(b *batch) *Error {
	what := fmt.Sprintf("%d records for %s/%d have no outcome after %d ms", b.count, p.producer.topic, p.index,
		b.timeout.Milliseconds())
	if b.maybeStored {
		return newError(codes.OutcomeUnknown, what, "they were sent and no answer came: "+p.handle.obstacle(),
			"publish them again only if a second copy does no harm, or with idempotency keys")
	}
	if b.refusal != nil {
		return b.refusal
	}
	if refusal := p.handle.lastRefusal; refusal != nil && p.producer.c.usable() != nil {
		// Why the time ran out says more than that it did.
		err := fromWire(refusal)
		err.What = what + ": " + err.What
		return err
	}
	if err := p.throttled(what); err != nil {
		return err
	}
	return newError(codes.DeadlineExceeded, what, "nothing was stored: "+p.handle.obstacle(),
		"publish them again, or allow a longer delivery timeout")
}

// ---- the end

func (p *partPublisher) abandon(b *batch, cause *Error) {
	if b.abandoned {
		return
	}
	p.producer.space.give(int64(b.reserved))
	if p.producer.c.opts.metrics != nil {
		topic := p.producer.topic
		p.producer.c.measure(func(m Metrics) { m.OnPublishFailed(topic, p.index, b.count, cause) })
	}
	b.abandon(cause)
}

func (p *partPublisher) failAll(cause *Error) {
	p.takeBackAll()
	for _, b := range p.again {
		if b.maybeStored {
			p.abandon(b, p.unknown(cause))
		} else {
			p.abandon(b, cause)
		}
	}
	p.resume(farFuture)
	for _, b := range p.queue.takeAll() {
		if b.refusal != nil {
			p.abandon(b, b.refusal)
		} else {
			p.abandon(b, cause)
		}
	}
}

// farFuture is later than anything waits.
var farFuture = time.UnixMilli(1 << 50)

func (p *partPublisher) unknown(cause *Error) *Error {
	return newError(codes.OutcomeUnknown,
		fmt.Sprintf("records for %s/%d were sent and got no answer", p.producer.topic, p.index), cause.Error(),
		"publish them again only if a second copy does no harm, or with idempotency keys")
}

// end: nothing is taken or sent any more; what has no outcome fails.
func (p *partPublisher) end(cause *Error) {
	p.takeBackAll()
	p.handle.close()
	p.handle.state = handleEnded
	p.queue.close(cause)
	p.failAll(cause)
	p.again = nil
}

// collect appends all batches without outcome, and seals the open one.
func (p *partPublisher) collect(to []*batch) []*batch {
	for _, batches := range [][]*batch{p.sent, p.again, p.waiting} {
		for _, b := range batches {
			if !b.abandoned {
				to = append(to, b)
			}
		}
	}
	to = p.queue.sealAll(to)
	p.wake()
	return to
}

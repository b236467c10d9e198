package spillway

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// maxInFlight: the broker remembers 64 batches of a producer; half of them may be under way.
const maxInFlight = 32

type handleState uint8

const (
	handleClosed handleState = iota // opened when it is wanted and there is a connection
	handleOpening
	handleOpen
	handleEnded // for good
)

// credit of a publisher: absolute totals since it was opened.
type credit struct {
	limited                                      bool
	maxBatches, maxBytes, usedBatches, usedBytes uint64
}

func (c *credit) grant(g *pb.Credit) {
	c.maxBatches = max(c.maxBatches, g.GetMaxBatches())
	c.maxBytes = max(c.maxBytes, g.GetMaxBytes())
}

func (c *credit) use(bytes int) {
	c.usedBatches++
	c.usedBytes += uint64(bytes)
}

// admits: the last batch may exceed the bytes, as with the broker's own count.
func (c *credit) admits() bool {
	return !c.limited || c.usedBatches < c.maxBatches && c.usedBytes < c.maxBytes
}

func (c *credit) String() string {
	return fmt.Sprintf("%d of %d batches, %d of %d bytes", c.usedBatches, c.maxBatches, c.usedBytes, c.maxBytes)
}

// pubHandle is a publisher's handle on the broker. Guarded by the client's lock.
type pubHandle struct {
	part        *partPublisher
	state       handleState
	cn          *conn
	channel     uint16
	credit      credit
	maxInFlight int
	producerID  uint64
	epoch       uint16
	byName      bool // whether the next opening gives the producer's name, which makes the broker raise the epoch
	wanted      bool
	failures    int
	notBefore   time.Time
	lastRefusal *pb.Error
	view        core.PressureView
}

func (h *pubHandle) isMissed() bool { return h.wanted && h.state == handleClosed }
func (h *pubHandle) isDue() bool    { return !time.Now().Before(h.notBefore) }

func (h *pubHandle) waitMs(ms int64) {
	h.notBefore = time.Now().Add(time.Duration(ms) * time.Millisecond)
}

func (h *pubHandle) open() {
	p := h.part.producer
	cn := p.c.usable()
	if h.state != handleClosed || cn == nil || !h.isDue() {
		return
	}
	h.state, h.cn = handleOpening, cn
	h.channel = cn.openHandle(h)
	if h.producerID == 0 {
		h.producerID = p.producerID
	}
	name := ""
	if h.byName {
		name = p.opts.name
	}
	cn.request(wire.OpenPublisher, h.channel, &pb.OpenPublisher{
		Topic: p.topic, Partition: uint32(h.part.index), ProducerName: name, ProducerId: h.producerID,
		ProducerEpoch: uint32(h.epoch), Durability: pb.Durability(p.opts.durability), AllowDegraded: p.opts.allowDegraded,
	}, &opening{h, cn})
}

// opening hears the answer to one opening.
type opening struct {
	h  *pubHandle
	cn *conn
}

func (o *opening) awaited() bool { return o.h.state == handleOpening && o.h.cn == o.cn }

func (o *opening) onResponse(f *wire.Frame) {
	if !o.awaited() {
		return
	}
	ok := &pb.OpenPublisherOk{}
	if err := proto.Unmarshal(f.Header, ok); err != nil {
		o.h.onRefused(wireError(codes.MalformedFrame, "the answer to opening a publisher cannot be read", err.Error(),
			"use compatible releases"))
		return
	}
	o.h.onOpened(ok)
}

func (o *opening) onError(e *pb.Error) {
	if o.awaited() && o.cn.failed == nil {
		o.h.onRefused(e)
	}
}

func (h *pubHandle) onOpened(ok *pb.OpenPublisherOk) {
	h.state, h.wanted, h.failures, h.byName = handleOpen, true, 0, false
	h.producerID = ok.GetProducerId()
	goesOn := ok.GetProducerEpoch() == uint32(h.epoch)
	h.epoch = uint16(ok.GetProducerEpoch())
	h.credit = credit{limited: ok.GetCredit() != nil}
	h.tellWhen(h.view.Connected(core.Normal, h.part.producer.c.link.nowMs()))
	h.credit.grant(ok.GetCredit())
	h.maxInFlight = maxInFlight
	if allowed := int(ok.GetMaxInflightBatches()); allowed > 0 {
		h.maxInFlight = min(maxInFlight, allowed)
	}
	h.part.producer.onOpened(h.producerID)
	expected := uint64(0)
	if ok.GetHasLast() {
		expected = ok.GetLastSequence() + 1
	}
	h.part.onOpened(goesOn, expected)
}

func (h *pubHandle) onRefused(e *pb.Error) {
	p := h.part.producer
	h.leave()
	h.lastRefusal = e
	if isCode(e, codes.ProducerFenced) {
		err := fromWire(e)
		p.onOpenFailed(err)
		h.part.end(err)
		return
	}
	h.failures += failureOf(e)
	v := p.c.retries.afterRead(e, h.failures, p.opts.deliveryTimeout.Milliseconds(), p.c.random())
	cause := fromWire(v.err)
	if v.again {
		p.obstacle = cause.Error()
		h.waitMs(v.delayMs)
		h.onLoadRefusal(e, v.delayMs)
		return
	}
	h.failures, h.wanted = 0, false
	p.onOpenFailed(cause)
	h.part.failAll(cause)
}

// onEnded: the broker ended the handle; what is under way on it has no outcome.
func (h *pubHandle) onEnded(e *pb.Error) {
	h.part.takeBackAll()
	h.onRefused(e)
}

func (h *pubHandle) onDeliver(*wire.Frame) error { return nil } // nothing is delivered to a publisher

func (h *pubHandle) onHandoff(*pb.Handoff) {} // a publisher has no role

func (h *pubHandle) onBackpressure(signal *pb.Backpressure) {
	h.credit.grant(signal.GetCredit())
	scope := signal.GetScope()
	if scope == "" {
		scope = h.scope()
	}
	h.tellWhen(h.view.Signal(core.PressureSignal{Seq: signal.GetSeq(), State: pressure(signal.GetState()),
		Reasons: reasonsOf(signal.GetReasons()), Scope: scope, RetryAfterMs: int64(signal.GetRetryAfterMs()),
		ValidForMs: int64(signal.GetValidForMs())}, h.part.producer.c.link.nowMs()))
	if signal.GetState() >= pb.PressureState_P_THROTTLED || signal.GetState() < 0 {
		ms := min(signal.GetRetryAfterMs(), maxGateMs)
		h.waitMs(int64(ms))
		h.part.producer.c.measure(func(m Metrics) { m.OnThrottled(scope, time.Duration(ms)*time.Millisecond) })
	}
	h.part.producer.c.flow.run(h.part)
}

func (h *pubHandle) publish(header *pb.Publish, b *batch) uint32 {
	h.credit.use(b.bytes())
	return h.cn.publish(h.channel, header, b.head, b.body, b)
}

// close gives it back, with nothing under way on it. The next one begins with the broker's view of the sequence.
func (h *pubHandle) close() {
	if h.cn != nil && h.state == handleOpen {
		h.cn.send(wire.ClosePublisher, h.channel, &pb.ClosePublisher{})
	}
	h.leave()
}

// raiseEpoch closes it; the next one is of the next epoch, in which the sequence starts at 0.
func (h *pubHandle) raiseEpoch() {
	h.close()
	h.epoch++
	h.byName = true
}

func (h *pubHandle) leave() {
	if h.cn != nil {
		h.cn.closeHandle(h.channel)
	}
	h.onLost()
}

func (h *pubHandle) onLost() {
	h.cn = nil
	if h.state != handleEnded {
		h.state = handleClosed
	}
}

// obstacle says why nothing is sent.
func (h *pubHandle) obstacle() string {
	c := h.part.producer.c
	switch {
	case c.usable() == nil:
		return c.disconnectedBecause()
	case h.lastRefusal != nil && (h.state != handleOpen || !h.isDue()):
		return fromWire(h.lastRefusal).Error()
	case c.isHeld(h.part.producer):
		return "the broker asked to wait: " + c.pressureOn(h.part.producer).String()
	case !h.credit.admits():
		return "the broker's credit is used up: " + h.credit.String()
	}
	return c.flow.obstacle()
}

package spillway

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

const (
	modeStream = 3

	bytesPerCreditBatch = 4 << 10 // a credit of bytes has one batch for each of this many
	minCreditBatches    = 64
	maxCorrupt          = 3
	corruptDelay        = time.Second
)

func creditBatches(bytes int64) int { return max(minCreditBatches, int(bytes/bytesPerCreditBatch)) }

// subLink is the network side of a subscription: it subscribes, and again after each reconnect, checks and queues what is
// delivered, and grants credit as it is consumed. A reader goes on at the record after the last one queued, in each
// partition. Guarded by the client's lock.
type subLink struct {
	sub         *Subscription
	state       handleState
	cn          *conn
	channel     uint16
	opened      chan error
	isOpened    bool
	partitions  []int
	next        map[uint32]int64 // reader only: offset of the next record, by partition
	failures    int
	activeSince time.Time
	notBefore   time.Time
	lastRefusal string
	activity    activity
	draining    bool
	leaving     bool // the broker is to be left: what it still delivers goes back
	cause       error

	receivedBatches, receivedBytes, grantedBatches, grantedBytes uint64

	corruptOffset int64
	corruptCount  int
}

func (l *subLink) init(s *Subscription) {
	l.sub, l.opened, l.next, l.corruptOffset = s, make(chan error, 1), map[uint32]int64{}, -1
}

func (l *subLink) obstacle() string {
	if l.sub.c.usable() == nil {
		return l.sub.c.disconnectedBecause()
	}
	if l.lastRefusal != "" {
		return l.lastRefusal
	}
	return "no answer from the broker"
}

func (l *subLink) open() {
	s := l.sub
	cn := s.c.link.consuming
	if l.state != handleClosed || cn == nil || time.Now().Before(l.notBefore) || l.draining {
		return
	}
	l.state, l.cn = handleOpening, cn
	l.channel = cn.openHandle(l)
	l.receivedBatches, l.receivedBytes = 0, 0
	cn.request(wire.Subscribe, l.channel, l.header(), &subscribing{l, cn})
}

func (l *subLink) header() *pb.Subscribe {
	s := l.sub
	mode := uint32(s.opts.mode)
	if s.isStream() {
		mode = modeStream
	}
	header := &pb.Subscribe{
		Topic: s.topic, Partitions: s.opts.partitions, Group: s.opts.group, Mode: mode, Start: s.opts.start,
		LeaseMs: uint32(s.opts.lease.Milliseconds()), MaxUnacked: uint32(s.opts.maxUnacked),
		MaxDeliveries: uint32(s.opts.maxDeliveries), Credit: l.nextCredit(), ConsumerName: s.opts.name,
		Filter: s.opts.filter, GroupConfig: s.opts.groupSettings,
	}
	if s.opts.standby {
		header.Role = roleStandby
	}
	for partition, offset := range l.next {
		header.Starts = append(header.Starts, &pb.Start{Kind: startOffset, Partition: partition, Offset: uint64(offset)})
	}
	return header
}

// subscribing hears the answer to one Subscribe.
type subscribing struct {
	l  *subLink
	cn *conn
}

func (o *subscribing) awaited() bool { return o.l.state == handleOpening && o.l.cn == o.cn }

func (o *subscribing) onResponse(f *wire.Frame) {
	if !o.awaited() {
		return
	}
	l := o.l
	ok := &pb.SubscribeOk{}
	if err := proto.Unmarshal(f.Header, ok); err != nil {
		l.onEnded(wireError(codes.MalformedFrame, "the answer to Subscribe cannot be read", err.Error(), "use compatible releases"))
		return
	}
	l.state, l.activeSince = handleOpen, time.Now()
	l.partitions = l.partitions[:0]
	for _, p := range ok.GetPartitions() {
		l.partitions = append(l.partitions, int(p))
	}
	l.sub.acks.onOpen(o.cn, l.channel)
	l.setActive(ok.GetRole() == roleActive)
	if l.sub.c.health.braked {
		l.pause()
	}
	if !l.isOpened {
		l.isOpened = true
		l.opened <- nil
	}
}

func (o *subscribing) onError(e *pb.Error) {
	if o.awaited() && o.cn.failed == nil {
		o.l.onEnded(e)
	}
}

// onEnded: refused, or ended by the broker.
func (l *subLink) onEnded(e *pb.Error) {
	if l.state == handleOpen && time.Since(l.activeSince) > stableAfter {
		l.failures = 0
	}
	l.leave()
	l.failures += failureOf(e)
	l.lastRefusal = fromWire(e).Error()
	v := l.sub.c.retries.afterSubscribe(e, l.failures, l.sub.c.random())
	if v.again && (!l.draining || waitsForLeader(e)) { // the latter is as a lost connection
		l.notBefore = time.Now().Add(time.Duration(v.delayMs) * time.Millisecond)
	} else {
		l.sub.end(fromWire(v.err))
	}
}

func (l *subLink) leave() {
	if l.cn != nil {
		l.cn.closeHandle(l.channel)
	}
	l.onLost()
}

func (l *subLink) onLost() {
	l.discardIdle()
	l.sub.acks.onLost()
	l.cn, l.leaving = nil, false
	l.setActive(false)
	if l.state != handleEnded {
		l.state = handleClosed
	}
}

// onDraining: the connection soon will be over. What a group's members have not begun is better handled elsewhere.
func (l *subLink) onDraining() {
	if !l.sub.isStream() {
		l.leaving = true
		l.pause()
		l.discardIdle()
	}
}

// onMoved: it goes on over another connection.
func (l *subLink) onMoved() {
	l.unsubscribe(pong{})
	l.leave()
	l.onReady()
}

func (l *subLink) discardIdle() {
	if !l.sub.isStream() {
		l.sub.queue.discard()
	}
}

func (l *subLink) onReady() {
	l.notBefore = time.Time{}
	l.open()
}

func (l *subLink) tick() {
	l.open()
	l.sub.acks.tick()
}

func (l *subLink) onBackpressure(*pb.Backpressure) {} // a consumer is slowed down by what is not delivered to it

// onHandoff: the broker says whether this member is the active one from now on.
func (l *subLink) onHandoff(notice *pb.Handoff) {
	if opts := l.sub.opts; l.state == handleOpen && (opts.standby || opts.mode == Exclusive) {
		l.setActive(notice.GetGained())
	}
}

// ---- deliveries

func (l *subLink) onDeliver(f *wire.Frame) error {
	header := &pb.Deliver{}
	if err := proto.Unmarshal(f.Header, header); err != nil {
		return err
	}
	payload := f.Payload
	for _, segment := range header.GetSegments() {
		size := int(segment.GetBytes())
		if size < wire.BatchHeaderBytes || size > len(payload) {
			return fmt.Errorf("a delivery says a batch has %d bytes, %d are left", size, len(payload))
		}
		l.receivedBatches++
		l.receivedBytes += uint64(size)
		ok := l.accept(segment, append([]byte(nil), payload[:size]...), header.GetUnixMs())
		payload = payload[size:]
		if !ok {
			return nil
		}
	}
	l.grantCredit()
	return nil
}

// accept: false when this handle has been given up.
func (l *subLink) accept(segment *pb.Segment, bytes []byte, brokerUnixMs uint64) bool {
	s := l.sub
	batch, err := wire.OpenBatch(bytes)
	if err != nil {
		return l.onCorrupt(segment, bytes, err)
	}
	d := newDelivered(s, batch, segment, l.skipBefore(segment, batch), brokerUnixMs)
	records := d.leased.SelectedCount()
	if records == 0 {
		return true
	}
	if !s.isStream() {
		s.acks.live[d] = struct{}{}
	}
	if l.draining || l.leaving {
		d.release(0)
		return true
	}
	s.queue.add(d)
	if s.c.opts.metrics != nil {
		s.c.measure(func(m Metrics) { m.OnBatchReceived(s.topic, d.partition, records, len(bytes)) })
	}
	return true
}

// skipBefore: a reader has had the records before this offset; its place moves behind the batch.
func (l *subLink) skipBefore(segment *pb.Segment, batch wire.Batch) int64 {
	if !l.sub.isStream() {
		return 0
	}
	from := l.next[segment.GetPartition()]
	l.next[segment.GetPartition()] = max(from, int64(segment.GetBaseOffset())+int64(batch.Count()))
	return from
}

// onCorrupt: in a group the broker hears of it and delivers again; a reader asks again, a few times.
func (l *subLink) onCorrupt(segment *pb.Segment, bytes []byte, cause error) bool {
	s := l.sub
	base := int64(segment.GetBaseOffset())
	if !s.isStream() {
		count := max(1, min(wire.Batch(bytes).Count(), wire.MaxBatchRecords))
		s.acks.add(&pb.AckItem{Partition: segment.GetPartition(), First: uint64(base), Last: uint64(base) + uint64(count) - 1,
			Fence: segment.GetFence(), Outcome: core.Nack, DelayMs: uint32(corruptDelay.Milliseconds()),
			Detail: "CORRUPT: " + cause.Error()})
		return true
	}
	if l.corruptOffset == base {
		l.corruptCount++
	} else {
		l.corruptCount = 1
	}
	l.corruptOffset = base
	l.unsubscribe(pong{})
	l.leave()
	if l.corruptCount < maxCorrupt {
		l.notBefore = time.Now().Add(corruptDelay)
	} else {
		s.end(newError(codes.ChecksumMismatch,
			fmt.Sprintf("the batch at offset %d of %s/%d arrives damaged", base, s.topic, segment.GetPartition()),
			fmt.Sprintf("%v, %d times in a row", cause, l.corruptCount),
			"run spillway log verify on the broker's data; to go on, start behind the batch"))
	}
	return false
}

// grantCredit tells the broker how much more it may send, once half of the window is consumed; or all there is, when what is
// left may be too little for the next batch.
func (l *subLink) grantCredit() {
	if l.state != handleOpen || l.draining || l.leaving || l.sub.c.health.braked {
		return
	}
	window := uint64(l.sub.opts.creditBytes)
	windowBatches := uint64(creditBatches(l.sub.opts.creditBytes))
	batches, bytes := l.sub.queue.queued()
	newBatches := int64(l.receivedBatches+windowBatches) - int64(batches) - int64(l.grantedBatches)
	newBytes := int64(l.receivedBytes+window) - int64(bytes) - int64(l.grantedBytes)
	dry := batches == 0 && newBytes > 0 && l.grantedBytes-l.receivedBytes < wire.MaxBatchBytes
	if dry || newBatches >= int64(windowBatches/2) || newBytes >= int64(window/2) {
		l.cn.send(wire.CreditGrant, l.channel, &pb.CreditGrant{Credit: l.nextCredit()})
	}
}

func (l *subLink) nextCredit() *pb.Credit {
	batches, bytes := l.sub.queue.queued()
	l.grantedBatches = l.receivedBatches + uint64(max(0, creditBatches(l.sub.opts.creditBytes)-batches))
	l.grantedBytes = l.receivedBytes + uint64(max(0, int(l.sub.opts.creditBytes)-bytes))
	return &pb.Credit{MaxBatches: l.grantedBatches, MaxBytes: l.grantedBytes}
}

// ---- the end

// pauseDeliveries takes no more; what still comes is given back.
func (l *subLink) pauseDeliveries() {
	l.draining = true
	l.pause()
}

func (l *subLink) pause() {
	if l.state == handleOpen {
		l.cn.send(wire.CreditGrant, l.channel, &pb.CreditGrant{Paused: true,
			Credit: &pb.Credit{MaxBatches: l.grantedBatches, MaxBytes: l.grantedBytes}})
	}
}

// onBrake: the client has no memory for more, or has it again.
func (l *subLink) onBrake() {
	if l.draining || l.leaving || l.state != handleOpen {
		return
	}
	if l.sub.c.health.braked {
		l.pause()
	} else {
		l.cn.send(wire.CreditGrant, l.channel, &pb.CreditGrant{Credit: l.nextCredit()})
		l.cn.wakeSender()
	}
}

// unsubscribe gives back what is only being opened, too; one that was refused is no mistake to give back.
func (l *subLink) unsubscribe(r responder) {
	if l.state != handleOpen && l.state != handleOpening {
		r.onError(nil)
		return
	}
	l.cn.request(wire.Unsubscribe, l.channel, &pb.Unsubscribe{}, r)
}

// end: over, because it cannot go on.
func (s *Subscription) end(why *Error) {
	var cause error = why
	if errors.Is(why, ErrClosed) {
		cause = nil
	}
	s.over(why, cause)
}

// over ends it; cause is nil when the user wished so.
func (s *Subscription) over(why *Error, cause error) {
	if s.state == handleEnded {
		return
	}
	if !s.isOpened {
		s.isOpened = true
		s.opened <- why
	}
	s.leave()
	s.state = handleEnded
	s.cause = cause
	s.queue.end(why)
	s.acks.end(why)
	delete(s.c.subs, s)
	close(s.ended)
}

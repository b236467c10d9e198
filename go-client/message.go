package spillway

import (
	"math"
	"strings"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

const maxReasonChars = 512

// Message is one delivered record. In a group it is leased: settle it with Ack, Nack, Release or Terminate before the
// lease is over, else it is delivered again. The first settlement counts, later ones do nothing. Settlements are sent
// together, at the latest after 20 ms; Subscription.FlushAcks waits until the broker has them. For a reader without a
// group, and for a Message made by hand to test a handler, they do nothing at all. Key and Value stay valid for as long as
// they are referred to; do not change them. The methods are safe for concurrent use.
type Message struct {
	Topic     string
	Partition int
	Offset    int64
	// Key is nil when the record has none.
	Key   []byte
	Value []byte
	// Attempt is 1 for the first delivery, 2 for the second, ... Failures are those that failed, by a nack or a lease that ran
	// out: what was released, or ended with a connection or with the broker, is none.
	Attempt, Failures int
	// Timestamp is the publisher's time.
	Timestamp time.Time

	view  wire.RecordView
	from  *delivered
	index int
}

// AppendTime is the broker's time.
func (m *Message) AppendTime() time.Time {
	if m.from == nil {
		return time.Time{}
	}
	return time.UnixMilli(m.from.batch.AppendTimeMs())
}

// Headers in order; nil without any.
func (m *Message) Headers() []Header { return m.view.Headers() }

// Header returns the value of the first header of that name; nil without one.
func (m *Message) Header(name string) []byte {
	for _, h := range m.view.Headers() {
		if h.Name == name {
			return h.Value
		}
	}
	return nil
}

// IdempotencyKey is nil when the record has none.
func (m *Message) IdempotencyKey() []byte { return m.view.DedupID }

// IsTombstone: its publisher marked it as the end of its key. The clients here publish none; those of others may.
func (m *Message) IsTombstone() bool { return m.view.IsTombstone }

// TraceParent is the trace context as in W3C Trace Context; empty when the record has none.
func (m *Message) TraceParent() string { return formatTraceParent(m.view.Trace) }

// CorrelationID is empty when the record has none.
func (m *Message) CorrelationID() string { return string(m.Header(CorrelationHeader)) }

// DeliverAt is when it was to be delivered at the earliest; zero when the record does not say.
func (m *Message) DeliverAt() time.Time { return timeOrZero(m.view.DeliverAtMs) }

// ExpiresAt is when it is of no use any more, by the broker's clock; zero when the record does not say.
func (m *Message) ExpiresAt() time.Time { return timeOrZero(m.view.ExpiresAtMs) }

func timeOrZero(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// TimeLeft is the time until it expires, negative after that; false when it never does. It counts from the broker's clock at the
// delivery, so it does not matter whether this machine's is right.
func (m *Message) TimeLeft() (time.Duration, bool) {
	if m.view.ExpiresAtMs == 0 || m.from == nil {
		return 0, false
	}
	return time.Duration(m.view.ExpiresAtMs-m.from.brokerNowMs()) * time.Millisecond, true
}

// Lease returns when the lease ends, by this machine's clock, as far as it is known here; zero for a reader.
func (m *Message) Lease() time.Time { return m.from.leaseOf() }

// Ack: done; it is not delivered to the group again.
func (m *Message) Ack() { m.from.settle(m.index, core.Settlement{Outcome: core.Accept}) }

// Nack: failed; delivered again after the delay, or after the group's backoff when that is 0; dead-lettered when it has failed
// as often as the group allows.
func (m *Message) Nack(delay time.Duration) { m.NackReason(delay, "") }

// NackReason is Nack with a reason, of which the dead letter carries the first 512 characters.
func (m *Message) NackReason(delay time.Duration, reason string) {
	m.from.settle(m.index, core.Settlement{Outcome: core.Nack, DelayMs: milliseconds(delay), Detail: sendable(reason)})
}

// Extend makes the lease end that long from now. At most 12 h. Does not settle.
func (m *Message) Extend(lease time.Duration) { m.from.extend(m.index, lease) }

// Release: not handled; delivered again at once, and not counted as a failed delivery.
func (m *Message) Release() { m.from.settle(m.index, core.Settlement{Outcome: core.Release}) }

// Terminate: can never be handled; goes to the dead-letter topic now, with the first 512 characters of the reason.
func (m *Message) Terminate(reason string) {
	m.from.settle(m.index, core.Settlement{Outcome: core.Term, Detail: sendable(reason)})
}

// sendable: a reason is often an error's text, which may be of any length, and not always UTF-8.
func sendable(reason string) string {
	const maxBytes = 4 * maxReasonChars
	if len(reason) > maxBytes {
		reason = reason[:maxBytes]
	}
	reason = strings.ToValidUTF8(reason, "\uFFFD")
	if chars := []rune(reason); len(chars) > maxReasonChars {
		return string(chars[:maxReasonChars])
	}
	return reason
}

// milliseconds, rounded up: what is little is not none.
func milliseconds(d time.Duration) uint32 {
	ms := d.Milliseconds()
	if d > time.Duration(ms)*time.Millisecond {
		ms++
	}
	return uint32(min(max(0, ms), math.MaxUint32))
}

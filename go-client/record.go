package spillway

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// CorrelationHeader is the header that carries the correlation id.
const CorrelationHeader = "spillway-correlation-id"

// FirstAttemptHeader is the header that says since when a record is being published, in ms since 1970.
const FirstAttemptHeader = "spillway-first-attempt"

// Header of a record: name 1 to 255 bytes of UTF-8, value at most 65,535 bytes.
type Header = wire.Header

// Durability of a record.
type Durability int

// The levels, as on the wire.
const (
	// TopicDurability: what the topic is configured for.
	TopicDurability Durability = 0
	// Mapped: in the broker's page cache; survives the process.
	Mapped Durability = 2
	// Synced: forced to disk; survives the machine.
	Synced Durability = 3
	// QuorumMapped: in the page cache of a majority of replicas.
	QuorumMapped Durability = 4
	// Quorum: forced to disk on a majority of replicas.
	Quorum Durability = 5
)

func (d Durability) String() string {
	switch d {
	case TopicDurability:
		return "DEFAULT"
	case Mapped:
		return "MAPPED"
	case Synced:
		return "SYNCED"
	case QuorumMapped:
		return "QUORUM_MAPPED"
	case Quorum:
		return "QUORUM"
	}
	return fmt.Sprintf("DURABILITY_%d", int(d))
}

// Record to publish. The slices are copied before a publish call returns.
type Record struct {
	// Key of at most 1,024 bytes; records of one key go to one partition, in order. Nil: none.
	Key   []byte
	Value []byte
	// Headers, at most 64.
	Headers []Header
	// IdempotencyKey of 1 to 255 bytes names what the record does. Within the topic's window a second record with the
	// same one is not stored; its ack is a duplicate with the first one's offset. Nil: none.
	IdempotencyKey []byte
	// Timestamp says when it happened. Zero: when it is published.
	Timestamp time.Time
	// Partition, from 0. Nil: by key, else by idempotency key, else any.
	Partition *int
	// TraceParent is a trace context as in W3C Trace Context, 00-<trace id>-<span id>-<flags>. Empty: none.
	TraceParent string
	// CorrelationID travels as the header CorrelationHeader. Empty: none.
	CorrelationID string
	// DeliverAt is when groups get it, at the earliest; the broker holds it back for each of them, and the records behind it
	// are not held back. DeliverAfter is the same, from when it is published by this machine's clock. Zero: at once.
	DeliverAt    time.Time
	DeliverAfter time.Duration
	// ExpiresAt is when it is of no use any more: a group that has not been given it by then has it dead-lettered as EXPIRED.
	// ExpiresAfter is the same, from when it is published by this machine's clock. Zero: never.
	ExpiresAt    time.Time
	ExpiresAfter time.Duration
	// FirstAttempt says since when this record is being published, if it may have been stored by an earlier call, perhaps of
	// another process: when its IdempotencyKey may have left the topic's window since then, the broker refuses it with
	// ErrDedupWindowExceeded rather than storing it twice. It travels as the header FirstAttemptHeader. Zero: the first try.
	FirstAttempt time.Time
}

// Ack says that the broker has the record.
type Ack struct {
	Topic     string
	Partition int
	// Offset in the partition; -1 when it is a duplicate older than what the broker remembers.
	Offset int64
	// Durability it has.
	Durability Durability
	// Duplicate: it was there before; offset and time are those of the first copy.
	Duplicate bool
	// Degraded: the durability asked for could not be reached and the producer allows less.
	Degraded bool
	// ZoneLag says how far the zones of the cluster are that acks do not wait for; nil when there are none.
	ZoneLag []ZoneLag
	// AppendTime is when the broker appended it.
	AppendTime time.Time
}

// encode checks the record and brings it into its wire form.
func (r *Record) encode(out *wire.Record) error {
	out.Key, out.Value, out.DedupID, out.Headers, out.Trace = r.Key, r.Value, r.IdempotencyKey, r.Headers, nil
	if len(r.Key) > wire.MaxKeyBytes {
		return tooLarge("the key of a record", len(r.Key), wire.MaxKeyBytes)
	}
	if r.IdempotencyKey != nil && len(r.IdempotencyKey) == 0 {
		return invalid("the idempotency key is empty", "it must have 1 to 255 bytes")
	}
	if len(r.IdempotencyKey) > wire.MaxDedupIDBytes {
		return tooLarge("an idempotency key", len(r.IdempotencyKey), wire.MaxDedupIDBytes)
	}
	if r.CorrelationID != "" {
		out.Headers = append(r.Headers[:len(r.Headers):len(r.Headers)],
			Header{Name: CorrelationHeader, Value: []byte(r.CorrelationID)})
	}
	if !r.FirstAttempt.IsZero() {
		ms, err := unixMs("the first attempt", r.FirstAttempt)
		if err != nil {
			return err
		}
		out.Headers = append(out.Headers[:len(out.Headers):len(out.Headers)],
			Header{Name: FirstAttemptHeader, Value: strconv.AppendInt(nil, ms, 10)})
	}
	if len(out.Headers) > wire.MaxHeaders {
		return invalid(fmt.Sprintf("a record has %d headers", len(out.Headers)), fmt.Sprintf("the limit is %d", wire.MaxHeaders))
	}
	for i := range out.Headers {
		if err := checkHeader(&out.Headers[i]); err != nil {
			return err
		}
	}
	if !r.Timestamp.IsZero() && r.Timestamp.UnixMilli() < 0 {
		return invalid("the timestamp "+r.Timestamp.String()+" is before 1970", "times are milliseconds since 1970")
	}
	if r.TraceParent != "" {
		trace, err := parseTraceParent(r.TraceParent)
		if err != nil {
			return err
		}
		out.Trace = trace
	}
	var err error
	if out.DeliverAtMs, err = timeOrOffset("delivery", r.DeliverAt, r.DeliverAfter); err != nil {
		return err
	}
	out.ExpiresAtMs, err = timeOrOffset("expiry", r.ExpiresAt, r.ExpiresAfter)
	return err
}

// timeOrOffset is one of both in ms since 1970; 0 = none.
func timeOrOffset(what string, at time.Time, after time.Duration) (int64, error) {
	switch {
	case after == 0 && at.IsZero():
		return 0, nil
	case after < 0:
		return 0, invalid(fmt.Sprintf("the %s of a record is after %v", what, after), "an offset to now is not negative")
	case after > 0 && !at.IsZero():
		return 0, invalid("the "+what+" of a record is given as a time and as an offset", "give one of them")
	case after > 0:
		at = time.Now().Add(after)
	}
	return unixMs("the "+what, at)
}

func unixMs(what string, t time.Time) (int64, error) {
	if ms := t.UnixMilli(); ms > 0 {
		return ms, nil
	}
	return 0, invalid(what+" of a record, "+t.String()+", is before 1970", "times are milliseconds since 1970")
}

func checkHeader(h *Header) error {
	switch {
	case h.Name == "":
		return invalid("a header's name is empty", "a name has 1 to 255 bytes")
	case !utf8.ValidString(h.Name):
		return invalid(fmt.Sprintf("a header's name, %q, is not UTF-8", h.Name), "a name is text; what is not goes in the value")
	case len(h.Name) > wire.MaxHeaderName:
		return tooLarge("a header's name", len(h.Name), wire.MaxHeaderName)
	case len(h.Value) > wire.MaxHeaderValue:
		return tooLarge("the header "+h.Name, len(h.Value), wire.MaxHeaderValue)
	}
	return nil
}

func parseTraceParent(text string) ([]byte, error) {
	parts := strings.Split(text, "-")
	if len(parts) == 4 && len(parts[0]) == 2 && len(parts[1]) == 32 && len(parts[2]) == 16 && len(parts[3]) == 2 {
		if trace, err := hex.DecodeString(strings.Join(parts, "")); err == nil {
			return trace, nil
		}
	}
	return nil, invalid("the trace context \""+text+"\" is wrong", "it must be 00-<32 hex digits>-<16 hex digits>-<2 hex digits>")
}

func formatTraceParent(b []byte) string {
	if len(b) != wire.TraceBytes {
		return ""
	}
	h := hex.EncodeToString(b)
	return h[:2] + "-" + h[2:34] + "-" + h[34:50] + "-" + h[50:]
}

// ZoneLag is how far a zone is that acks do not wait for.
type ZoneLag struct {
	Zone string
	// Lag is for how long it has lacked something that was agreed on; 0 when it has everything. Of up to 200 ms ago.
	Lag time.Duration
}

func zoneLagOf(ack *pb.PublishAck) []ZoneLag {
	var all []ZoneLag
	for _, each := range ack.GetZoneLag() {
		all = append(all, ZoneLag{each.GetZone(), time.Duration(each.GetLagMs()) * time.Millisecond})
	}
	return all
}

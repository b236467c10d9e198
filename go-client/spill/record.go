package spill

import (
	"time"

	"google.golang.org/protobuf/proto"

	spillway "github.com/spillway-io/spillway/go-client"
	"github.com/spillway-io/spillway/go-client/internal/pb"
)

// encode a record that was first tried at that time.
func encode(topic string, r *spillway.Record, first time.Time, maybeStored bool) ([]byte, error) {
	e := &pb.SpilledRecord{Topic: topic, Value: r.Value, Key: r.Key, IdempotencyKey: r.IdempotencyKey, Traceparent: r.TraceParent,
		CorrelationId: r.CorrelationID, UnixMs: unixMs(r.Timestamp), DeliverAtUnixMs: unixMs(r.DeliverAt),
		ExpiresAtUnixMs: unixMs(r.ExpiresAt), FirstAttemptUnixMs: unixMs(first), MaybeStored: maybeStored}
	for _, h := range r.Headers {
		e.Headers = append(e.Headers, &pb.SpilledHeader{Name: h.Name, Value: h.Value})
	}
	if r.Partition != nil {
		partition := uint32(*r.Partition)
		e.Partition = &partition
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(e)
}

// spilled is an entry as it was read.
type spilled struct {
	number      uint64
	record      spillway.Record
	topic       string
	first       time.Time
	maybeStored bool
}

func decode(number uint64, body []byte) (spilled, error) {
	e := &pb.SpilledRecord{}
	if err := proto.Unmarshal(body, e); err != nil {
		return spilled{}, err
	}
	r := spillway.Record{Key: e.Key, Value: e.GetValue(), IdempotencyKey: e.GetIdempotencyKey(), Timestamp: timeOf(e.GetUnixMs()),
		TraceParent: e.GetTraceparent(), CorrelationID: e.GetCorrelationId(), DeliverAt: timeOf(e.GetDeliverAtUnixMs()),
		ExpiresAt: timeOf(e.GetExpiresAtUnixMs())}
	for _, h := range e.GetHeaders() {
		r.Headers = append(r.Headers, spillway.Header{Name: h.GetName(), Value: h.GetValue()})
	}
	if e.Partition != nil {
		partition := int(e.GetPartition())
		r.Partition = &partition
	}
	return spilled{number, r, e.GetTopic(), timeOf(e.GetFirstAttemptUnixMs()), e.GetMaybeStored()}, nil
}

// unixMs is 0 for no time.
func unixMs(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(max(0, t.UnixMilli()))
}

func timeOf(ms uint64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms))
}

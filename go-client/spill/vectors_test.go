package spill

import (
	"encoding/hex"
	"reflect"
	"testing"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
	"github.com/spillway-io/spillway/go-client/internal/vectors"
)

type vectorHeader struct{ Name, Value string }

type vectorRecord struct {
	Topic, Value   string
	Key            *string
	Headers        []vectorHeader
	IdempotencyKey string `json:"idempotency_key"`
	Partition      *int
	TraceParent    string `json:"traceparent"`
	CorrelationID  string `json:"correlation_id"`
	TimestampMs    int64  `json:"timestamp_ms"`
	DeliverAtMs    int64  `json:"deliver_at_ms"`
	ExpiresAtMs    int64  `json:"expires_at_ms"`
	FirstAttemptMs int64  `json:"first_attempt_ms"`
	MaybeStored    bool   `json:"maybe_stored"`
}

func (v *vectorRecord) record() *spillway.Record {
	r := &spillway.Record{Value: []byte(v.Value), IdempotencyKey: []byte(v.IdempotencyKey), Partition: v.Partition,
		TraceParent: v.TraceParent, CorrelationID: v.CorrelationID, Timestamp: timeOf(uint64(v.TimestampMs)),
		DeliverAt: timeOf(uint64(v.DeliverAtMs)), ExpiresAt: timeOf(uint64(v.ExpiresAtMs))}
	if v.Key != nil {
		r.Key = []byte(*v.Key)
	}
	for _, h := range v.Headers {
		r.Headers = append(r.Headers, spillway.Header{Name: h.Name, Value: []byte(h.Value)})
	}
	return r
}

func TestWritesAndReadsSegments(t *testing.T) {
	tails := map[string]tail{"WHOLE": whole, "TORN": torn, "DAMAGED": damaged}
	vectors.Run(t, "spill", func(t *testing.T, c struct {
		Name      string
		Records   []vectorRecord
		Segment   string
		GoodBytes int `json:"good_bytes"`
		Tail      string
	}) {
		segment, err := hex.DecodeString(c.Segment)
		if err != nil {
			t.Fatal(err)
		}
		written := []byte(magic)
		for _, v := range c.Records {
			body, err := encode(v.Topic, v.record(), time.UnixMilli(v.FirstAttemptMs), v.MaybeStored)
			if err != nil {
				t.Fatal(err)
			}
			written = appendEntry(written, body)
		}
		if c.GoodBytes > 0 && string(segment[:c.GoodBytes]) != string(written) {
			t.Errorf("%s: it is written as %x", c.Name, written)
		}
		var read []spilled
		good, end := scan(segment, func(body []byte) bool {
			e, err := decode(uint64(len(read)), body)
			if err != nil {
				t.Error(err)
			}
			read = append(read, e)
			return true
		})
		if good != c.GoodBytes || end != tails[c.Tail] || len(read) != len(c.Records) {
			t.Fatalf("%s: %d bytes with %d records are good, and then %d", c.Name, good, len(read), end)
		}
		for i, v := range c.Records {
			want := v.record()
			if len(want.Value) == 0 {
				want.Value = read[i].record.Value
			}
			for h := range want.Headers {
				if len(want.Headers[h].Value) == 0 {
					want.Headers[h].Value = read[i].record.Headers[h].Value
				}
			}
			if !reflect.DeepEqual(*want, read[i].record) || read[i].topic != v.Topic || read[i].maybeStored != v.MaybeStored ||
				!read[i].first.Equal(time.UnixMilli(v.FirstAttemptMs)) {
				t.Errorf("%s: record %d is read as %+v", c.Name, i, read[i])
			}
		}
	})
}

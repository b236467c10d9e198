package wire

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"testing"
	"time"
)

// seed of the random records: $SPILLWAY_TEST_SEED to repeat a run, else another each time.
func seed(t *testing.T) uint64 {
	n := uint64(time.Now().UnixNano())
	if text := os.Getenv("SPILLWAY_TEST_SEED"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SPILLWAY_TEST_SEED=%d", n)
	return n
}

func TestReadsBackWhatItWrites(t *testing.T) {
	random := rand.New(rand.NewPCG(seed(t), 0))
	var w BatchWriter // used again for each batch, as by a producer
	for range 300 {
		records, times := randomRecords(random)
		w.Reset(0)
		for i := range records {
			w.Add(times[i], &records[i], uint32(i))
		}
		head, body := w.Seal(7, 2, 40)
		batch, err := OpenBatch(append(bytes.Clone(head), body...))
		if err != nil {
			t.Fatal(err)
		}
		if batch.Count() != len(records) {
			t.Fatalf("%d records are read of %d", batch.Count(), len(records))
		}
		size := BatchHeaderBytes
		walk := batch.Walk()
		for i := range records {
			var v RecordView
			if more, err := walk.Next(&v); !more || err != nil {
				t.Fatalf("record %d: %v, %v", i, more, err)
			}
			got := Record{Key: v.Key, Value: v.Value, Headers: v.Headers(), DedupID: v.DedupID, Trace: v.Trace,
				DeliverAtMs: v.DeliverAtMs, ExpiresAtMs: v.ExpiresAtMs}
			if !reflect.DeepEqual(got, records[i]) || v.TimestampMs != times[i] {
				t.Fatalf("%+v of %d is read as %+v of %d", records[i], times[i], got, v.TimestampMs)
			}
			size += records[i].Size()
		}
		if size != len(batch) || w.Bytes() != size {
			t.Fatalf("the batch has %d bytes, its parts say %d, the writer %d", len(batch), size, w.Bytes())
		}
		if more, _ := walk.Next(&RecordView{}); more {
			t.Fatal("there is a record after the last one")
		}
	}
}

// A record that is copied from batch to batch keeps its bytes and its time.
func TestCopiesARecordIntoAnotherBatch(t *testing.T) {
	random := rand.New(rand.NewPCG(seed(t), 0))
	records, times := randomRecords(random)
	var from, to BatchWriter
	from.Reset(0)
	to.Reset(0)
	to.Add(times[0]-1000, &Record{Value: []byte("first")}, 0)
	for i := range records {
		from.Add(times[i], &records[i], uint32(i))
	}
	from.Seal(7, 2, 40)
	for i := range records {
		copied := from.Copy(i)
		if copied.Size() != records[i].Size() || copied.TimeMs() != times[i] {
			t.Fatalf("record %d is copied with %d bytes and the time %d", i, copied.Size(), copied.TimeMs())
		}
		to.AddEncoded(&copied)
	}
	head, body := to.Seal(7, 2, 90)
	batch, err := OpenBatch(append(bytes.Clone(head), body...))
	if err != nil {
		t.Fatal(err)
	}
	walk := batch.Walk()
	var v RecordView
	walk.Next(&v)
	for i := range records {
		if more, err := walk.Next(&v); !more || err != nil || v.TimestampMs != times[i] || !bytes.Equal(v.Value, records[i].Value) ||
			v.ExpiresAtMs != records[i].ExpiresAtMs || !reflect.DeepEqual(v.Headers(), records[i].Headers) {
			t.Fatalf("record %d: %v, %v, %+v", i, more, err, v)
		}
	}
}

// The protocol keeps times below 2^63.
func TestATimeThatIsNoneIsUnreadable(t *testing.T) {
	for _, flag := range []byte{hasDeliverAt, hasExpiresAt} {
		var v RecordView
		record := append([]byte{0, 0, 0, 0, flag, 0, 0, 0}, 0x80, 0, 0, 0, 0, 0, 0, 0)
		if v.parse(record, 0) {
			t.Errorf("flag %d: it is read as %+v", flag, v)
		}
		record[recordFixed] = 0x7f
		if !v.parse(record, 0) {
			t.Errorf("flag %d: the largest time is refused", flag)
		}
		if v.parse(record[:12], 0) {
			t.Errorf("flag %d: half a time is read", flag)
		}
	}
}

func randomRecords(random *rand.Rand) ([]Record, []int64) {
	records := make([]Record, 1+random.IntN(40))
	times := make([]int64, len(records))
	at := random.Int64N(1 << 45)
	for i := range records {
		r := &records[i]
		r.Value = randomBytes(random, random.IntN(300))
		if random.IntN(2) == 0 {
			r.Key = randomBytes(random, random.IntN(MaxKeyBytes+1))
		}
		if random.IntN(3) == 0 {
			r.DedupID = randomBytes(random, 1+random.IntN(MaxDedupIDBytes))
		}
		if random.IntN(3) == 0 {
			r.Trace = randomBytes(random, TraceBytes)
		}
		if random.IntN(3) == 0 {
			r.DeliverAtMs = 1 + random.Int64N(math.MaxInt64)
		}
		if random.IntN(3) == 0 {
			r.ExpiresAtMs = 1 + random.Int64N(math.MaxInt64)
		}
		if random.IntN(3) == 0 {
			r.Headers = make([]Header, 1+random.IntN(MaxHeaders))
			for j := range r.Headers {
				r.Headers[j] = Header{Name: string(randomBytes(random, 1+random.IntN(20))),
					Value: randomBytes(random, random.IntN(60))}
			}
		}
		times[i] = at
		at += random.Int64N(1000)
	}
	return records, times
}

func randomBytes(random *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

func BenchmarkWriteBatch(b *testing.B) {
	record := Record{Key: []byte("key-4711"), Value: make([]byte, 128)}
	var w BatchWriter
	w.Reset(0)
	b.SetBytes(int64(record.Size()))
	b.ReportAllocs()
	for i := range b.N {
		if w.Bytes() > 64<<10 {
			w.Seal(1, 0, uint64(i))
			w.Reset(0)
		}
		w.Add(int64(i), &record, KeyHash(record.Key))
	}
}

func BenchmarkReadBatch(b *testing.B) {
	record := Record{Key: []byte("key-4711"), Value: make([]byte, 128)}
	var w BatchWriter
	w.Reset(0)
	for w.Bytes() < 64<<10 {
		w.Add(0, &record, 0)
	}
	head, body := w.Seal(1, 0, 0)
	encoded := append(bytes.Clone(head), body...)
	b.SetBytes(int64(record.Size()))
	b.ReportAllocs()
	for read := 0; read < b.N; {
		batch, err := OpenBatch(encoded)
		if err != nil {
			b.Fatal(err)
		}
		walk := batch.Walk()
		var v RecordView
		for more, _ := walk.Next(&v); more; more, _ = walk.Next(&v) {
			read++
		}
	}
}

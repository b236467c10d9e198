package wire

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/spillway-io/spillway/go-client/internal/vectors"
)

// FuzzFrame: any bytes either are refused or cut into a frame that is written back to the same bytes.
func FuzzFrame(f *testing.F) {
	for _, c := range vectors.Load[frameCase](f, "frame") {
		if c.Hex != "" {
			f.Add(unhex(f, c.Hex))
		}
	}
	f.Add(AppendPrefix(nil, Publish, 0, 1, 8, 0, 0))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := FrameLength(b, MaxFrameBytes, MaxHeaderBytes)
		for cut := range min(len(b), PrefixBytes) { // as it arrives, piece by piece
			if early, refused := FrameLength(b[:cut], MaxFrameBytes, MaxHeaderBytes); refused != nil && err == nil ||
				early != 0 && early != n {
				t.Errorf("%d bytes say %d, %v; all of them %d, %v", cut, early, refused, n, err)
			}
		}
		if err != nil || n == 0 || n > len(b) {
			return
		}
		frame := ParseFrame(b[:n])
		payload := len(frame.Payload)
		if frame.Flags&FlagHasPayload == 0 {
			payload = -1
		}
		again := AppendPrefix(nil, frame.Kind, frame.Flags, frame.Channel, frame.Correlation, len(frame.Header), payload)
		again = append(append(again, frame.Header...), frame.Payload...)
		if !bytes.Equal(again, b[:n]) {
			t.Errorf("%x is written back as %x", b[:n], again)
		}
	})
}

// FuzzRecordBatch: any bytes either are refused or are walked to their end, each record read or refused, without a panic. What is
// read is the same after it was written and read again.
// Length and CRC are corrected first, else hardly any input would get past them.
func FuzzRecordBatch(f *testing.F) {
	for _, c := range vectors.Load[batchCase](f, "record_batch") {
		if c.Hex != "" {
			f.Add(unhex(f, c.Hex))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := OpenBatch(b); err != nil && len(b) >= BatchHeaderBytes {
			b = bytes.Clone(b)
			binary.BigEndian.PutUint32(b[atLength:], uint32(len(b)-atLength-4))
			binary.BigEndian.PutUint32(b[atCRC:], CRC32C(b[crcStart:]))
		}
		batch, err := OpenBatch(b)
		if err != nil {
			return
		}
		walk, seen := batch.Walk(), 0
		for {
			var view RecordView
			more, err := walk.Next(&view)
			if !more {
				break
			}
			seen++
			if err == nil {
				checkRoundTrip(t, &view)
			}
		}
		if seen != batch.Count() {
			t.Errorf("%d of %d records were walked", seen, batch.Count())
		}
	})
}

func checkRoundTrip(t *testing.T, view *RecordView) {
	t.Helper()
	var w BatchWriter
	w.Reset(0)
	w.Add(view.TimestampMs, &Record{Key: view.Key, Value: view.Value, Headers: view.Headers(), DedupID: view.DedupID,
		Trace: view.Trace, DeliverAtMs: view.DeliverAtMs, ExpiresAtMs: view.ExpiresAtMs}, 0)
	head, body := w.Seal(1, 0, 0)
	batch, err := OpenBatch(append(bytes.Clone(head), body...))
	if err != nil {
		t.Fatal(err)
	}
	walk, again := batch.Walk(), RecordView{}
	if _, err := walk.Next(&again); err != nil || !bytes.Equal(again.Key, view.Key) || !bytes.Equal(again.Value, view.Value) ||
		!bytes.Equal(again.DedupID, view.DedupID) || !bytes.Equal(again.Trace, view.Trace) ||
		again.DeliverAtMs != view.DeliverAtMs || again.ExpiresAtMs != view.ExpiresAtMs ||
		again.headerCount != view.headerCount || !bytes.Equal(again.headers, view.headers) {
		t.Errorf("%+v is read again as %+v, %v", view, again, err)
	}
}

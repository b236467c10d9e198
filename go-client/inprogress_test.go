package spillway

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// inProgress is a producer whose connection takes everything, and whose broker's answers the test gives.
type inProgress struct {
	t    *testing.T
	c    *Client
	p    *Producer
	part *partPublisher
}

func newInProgress(t *testing.T, timeout time.Duration) *inProgress {
	c := &Client{opts: defaults(), producers: map[*Producer]struct{}{}}
	c.flow.reset(core.Normal, time.Now())
	c.retries.budget = core.NewRetryBudget()
	cn := &conn{c: c, waiting: map[uint32]responder{}, handles: map[uint16]handle{}, wake: make(chan struct{}, 1)}
	c.link.publishing = cn
	p := &Producer{c: c, topic: "t", opts: producerOptions{maxBatchBytes: 64 << 10, deliveryTimeout: timeout},
		space: newSpace(1 << 20), maxRec: wire.MaxBatchBytes, stop: make(chan struct{}), opened: make(chan error, 1), isOpened: true}
	part := newPartPublisher(p, 0)
	part.handle.state, part.handle.cn = handleOpen, cn
	p.parts = []*partPublisher{part}
	return &inProgress{t, c, p, part}
}

// publish records under the keys k0, k1, ..., all in one batch, and send it.
func (x *inProgress) publish(n int) []Future {
	var futures []Future
	for i := range n {
		futures = append(futures, x.p.PublishAsync(context.Background(),
			Record{Value: fmt.Append(nil, "v", i), IdempotencyKey: fmt.Append(nil, "k", i), Timestamp: time.UnixMilli(int64(1000 - i))}))
	}
	x.tick(time.Now())
	return futures
}

func (x *inProgress) tick(now time.Time) {
	x.c.mu.Lock()
	defer x.c.unlock()
	x.p.tick(now)
	x.c.pump()
}

// answer the one batch that is under way.
func (x *inProgress) answer(ack *pb.PublishAck) {
	x.t.Helper()
	if len(x.part.sent) != 1 {
		x.t.Fatalf("%d batches are under way", len(x.part.sent))
	}
	header, err := proto.Marshal(ack)
	if err != nil {
		x.t.Fatal(err)
	}
	x.c.mu.Lock()
	x.part.sent[0].onResponse(&wire.Frame{Header: header})
	x.c.unlock()
}

func refused(index, count int, code codes.Code, retryAfterMs uint32) *pb.ItemError {
	e := wireError(code, "what", "why", "next")
	e.RetryAfterMs = retryAfterMs
	return &pb.ItemError{Index: uint32(index), Count: uint32(count), Error: e}
}

func isOver(f Future) bool {
	select {
	case <-f.Done():
		return true
	default:
		return false
	}
}

func TestRecordsOfAForgottenBatchHaveNoOffsetButThoseWhoseKeysAreKnown(t *testing.T) {
	x := newInProgress(t, time.Minute)
	futures := x.publish(4)

	x.answer(&pb.PublishAck{BaseOffset: math.MaxUint64, Duplicate: true, KeyResults: []*pb.KeyResult{{Index: 1, Offset: 7}}})

	for i, want := range []int64{-1, 7, -1, -1} {
		if ack, err := futures[i].Ack(context.Background()); err != nil || ack.Offset != want || !ack.Duplicate {
			t.Errorf("record %d has %+v, %v", i, ack, err)
		}
	}
}

func TestARecordWhoseKeyIsInProgressIsSentAgainAlone(t *testing.T) {
	x := newInProgress(t, time.Minute)
	futures := x.publish(4)
	watched := futures[2].Done()

	x.answer(&pb.PublishAck{BaseOffset: 40, Errors: []*pb.ItemError{
		refused(1, 2, codes.IdempotencyInProgress, 5000), refused(3, 1, codes.DedupWindowExceeded, 0)}})

	if ack, err := futures[0].Ack(context.Background()); err != nil || ack.Offset != 40 || !isOver(futures[0]) {
		t.Errorf("the stored record has %+v, %v", ack, err)
	}
	if _, err := futures[3].Ack(context.Background()); !errors.Is(err, ErrDedupWindowExceeded) {
		t.Errorf("the record that came too late has %v", err)
	}
	if isOver(futures[1]) || isOver(futures[2]) {
		t.Fatal("a record whose key is in progress has an outcome")
	}
	if used := x.p.space.used.Load(); used == 0 {
		t.Error("what waits takes no space")
	}
	x.tick(time.Now().Add(4 * time.Second))
	if len(x.part.sent) > 0 {
		t.Fatal("it is sent again before the broker's time is over")
	}

	x.tick(time.Now().Add(6 * time.Second))

	again := x.part.sent[0]
	if again.count != 2 || again.sequence != 4 {
		t.Errorf("%d records are sent again, from sequence %d", again.count, again.sequence)
	}
	batch, err := wire.OpenBatch(append(append([]byte(nil), again.head...), again.body...))
	if err != nil {
		t.Fatal(err)
	}
	walk, view := batch.Walk(), wire.RecordView{}
	if _, err := walk.Next(&view); err != nil || string(view.Value) != "v1" || string(view.DedupID) != "k1" || view.TimestampMs != 1000 {
		t.Errorf("it is sent again as %+v, %v", view, err)
	}

	x.answer(&pb.PublishAck{BaseOffset: 50, Errors: []*pb.ItemError{refused(1, 1, codes.IdempotencyInProgress, 0)}})
	if ack, err := futures[1].Ack(context.Background()); err != nil || ack.Offset != 50 || !isOver(futures[1]) || isOver(futures[2]) {
		t.Errorf("the second has %+v, %v", ack, err)
	}
	x.tick(time.Now().Add(time.Second)) // the broker did not say how long; it is less than that
	x.answer(&pb.PublishAck{BaseOffset: 0, Duplicate: true, KeyResults: []*pb.KeyResult{{Index: 0, Offset: 7}}})

	ack, err := futures[2].Ack(context.Background())
	if err != nil || ack.Offset != 7 || !ack.Duplicate {
		t.Errorf("the third has %+v, %v", ack, err)
	}
	<-watched
	if used := x.p.space.used.Load(); used != 0 {
		t.Errorf("%d bytes of the buffer are never given back", used)
	}
}

func TestAKeyInProgressToTheEndIsWhatTheRecordFailsWith(t *testing.T) {
	for name, end := range map[string]func(*inProgress){
		"no time for another attempt": func(x *inProgress) {},
		"the connection is away": func(x *inProgress) {
			x.c.link.publishing = nil
			x.tick(time.Now().Add(2 * time.Minute))
		},
		"the producer ends": func(x *inProgress) {
			x.c.mu.Lock()
			x.p.end(errClosed("the producer"))
			x.c.unlock()
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := newInProgress(t, time.Minute)
			var heard error
			x.p.PublishFunc(context.Background(), Record{IdempotencyKey: []byte("k")}, func(_ Ack, err error) { heard = err })
			x.tick(time.Now())
			wait := uint32(1000)
			if name == "no time for another attempt" {
				wait = 70_000
			}
			x.answer(&pb.PublishAck{Errors: []*pb.ItemError{refused(0, 1, codes.IdempotencyInProgress, wait)}})

			end(x)

			if !errors.Is(heard, ErrIdempotencyInProgress) {
				t.Errorf("it fails with %v", heard)
			}
			if used := x.p.space.used.Load(); used != 0 {
				t.Errorf("%d bytes of the buffer are never given back", used)
			}
		})
	}
}

func TestAFlushWaitsForKeysInProgress(t *testing.T) {
	x := newInProgress(t, time.Minute)
	x.publish(1)
	flushed := make(chan error, 1)
	go func() { flushed <- x.p.Flush(context.Background()) }()
	x.answer(&pb.PublishAck{Errors: []*pb.ItemError{refused(0, 1, codes.IdempotencyInProgress, 1)}})
	x.tick(time.Now().Add(time.Second))
	select {
	case err := <-flushed:
		t.Fatalf("it says %v before the record has its outcome", err)
	default:
	}

	x.answer(&pb.PublishAck{BaseOffset: 1})

	if err := <-flushed; err != nil {
		t.Error(err)
	}
}

package spillway

import (
	"testing"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

func TestTheSenderDoesNotSpinWhileTheBrokerGoesAway(t *testing.T) {
	c := &Client{opts: defaults()}
	c.flow.reset(core.Normal, time.Now())
	cn := &conn{c: c, waiting: map[uint32]responder{}, handles: map[uint16]handle{}, wake: make(chan struct{}, 1)}
	c.link.publishing = cn
	p := &Producer{c: c, topic: "t", opts: producerOptions{maxBatchBytes: 1 << 10, deliveryTimeout: time.Minute}}
	part := newPartPublisher(p, 0)
	part.handle.state, part.handle.cn = handleOpen, cn
	record := Record{Value: []byte("v")}
	encoded := wire.Record{Value: record.Value}
	part.queue.offer(&record, &encoded, 0, encoded.Size(), time.Minute, nil)
	c.flow.run(part)

	c.link.draining = true
	c.pump()

	if len(part.sent) > 0 || c.hasMore(cn) {
		t.Errorf("%d batches are sent, more to do: %v", len(part.sent), c.hasMore(cn))
	}

	c.link.draining = false
	c.pump()

	if len(part.sent) != 1 || !c.hasMore(cn) {
		t.Errorf("%d batches are sent on a connection that takes them, more to do: %v", len(part.sent), c.hasMore(cn))
	}
}

package spillway

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// refresher asks the broker from time to time for the nodes of its cluster, which may have changed since the session began: a client
// that was started with the address of a node that has left needs those of the others before it loses its connection. Guarded by the
// client's lock.
type refresher struct {
	due   time.Time
	asked *call // while it is under way
}

func (c *Client) tickRefresh(now time.Time) {
	r := &c.refresh
	if c.opts.metadataRefresh == 0 || c.isReader() || c.usable() == nil {
		return
	}
	switch {
	case r.asked != nil && len(r.asked.done) > 0:
		r.asked = nil // and what came of it: the next one asks again
		r.due = time.Time{}
	case r.asked != nil:
	case r.due.IsZero():
		// Clients that connected together do not ask together.
		half := c.opts.metadataRefresh / 2
		r.due = now.Add(half + time.Duration(core.Scaled(half.Milliseconds(), c.random()))*time.Millisecond)
	case !now.Before(r.due):
		k := &call{c: c, what: "ask for the nodes", kind: wire.Metadata, header: &pb.Metadata{}, done: make(chan error, 1),
			timeout: c.opts.requestTimeout, deadline: now.Add(c.opts.requestTimeout)}
		r.asked, c.calls[k] = k, struct{}{}
		k.send()
	}
}

// onMetadata: every answer to a request for metadata names the nodes.
func (c *Client) onMetadata(header []byte) {
	ok := &pb.MetadataOk{}
	if err := proto.Unmarshal(header, ok); err != nil {
		return // who has asked is told, if it is of use to them
	}
	c.link.machine.Know(nodesOf(ok.GetEndpoints()))
}

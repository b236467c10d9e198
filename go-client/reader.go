package spillway

import (
	"crypto/rand"

	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
)

// ReadFrom says from which node of a cluster a reader without a group reads.
type ReadFrom uint8

const (
	// Leader: over the client's connection. Records come as soon as they are agreed on.
	Leader ReadFrom = iota
	// Nearest: a node in the client's own zone if there is one, else any other, over a connection of the reader's own. A node that
	// follows has records a moment later. When it is lost the reader goes on at the next nearest, where it was.
	Nearest
)

// WithReadFrom says from which node of a cluster a reader without a group reads. Default Leader. The client's zone is that of WithZone.
func WithReadFrom(node ReadFrom) SubscribeOption {
	return func(o *subscribeOptions) error {
		o.readFrom = node
		if node > Nearest {
			return invalid("the node to read from is unknown", "it is Leader or Nearest")
		}
		return nil
	}
}

// newReader makes the client of one reader of the nearest node: a link of its own, that ends with the reader.
func (c *Client) newReader() (*Client, error) {
	reader := newClient()
	reader.opts, reader.parent = c.opts, c
	if _, err := rand.Read(reader.instance); err != nil {
		return nil, invalid("no random instance id", err.Error())
	}
	reader.init()
	return reader, nil
}

// startReader connects it, and ends it with its subscription. The client's own connection may know the nodes.
func (c *Client) startReader(reader *Client, s *Subscription) error {
	c.mu.Lock()
	if err := c.refuseClosed(); err != nil {
		c.unlock()
		return err
	}
	var told []*pb.Endpoint
	if cn := c.link.publishing; cn != nil {
		told = cn.hello.GetEndpoints()
	}
	c.readers[reader] = s
	c.running.Add(1)
	c.unlock()
	reader.mu.Lock()
	reader.subs[s] = struct{}{}
	reader.link.machine.Know(nodesOf(told))
	reader.perform(reader.link.machine.Start(reader.link.nowMs(), reader.random()))
	reader.running.Add(1)
	reader.unlock()
	go reader.runTicks()
	go func() {
		defer c.running.Done()
		<-s.ended
		reader.shutDown()
		c.mu.Lock()
		delete(c.readers, reader)
		c.unlock()
	}()
	return nil
}

// nodesOf a cluster, as its broker names them; those that cannot be dialled are as if they were not there.
func nodesOf(endpoints []*pb.Endpoint) []core.Node {
	var all []core.Node
	for _, each := range endpoints {
		if endpoint := hostPort(each); endpoint != "" {
			all = append(all, core.Node{Endpoint: endpoint, Zone: each.GetZone()})
		}
	}
	return all
}

package spillway_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	spillway "github.com/spillway-io/spillway/go-client"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// cluster of nodes that a test plays, frame by frame. What is stored is there at every node at once.
type cluster struct {
	t      *testing.T
	fences sync.WaitGroup
	mu     sync.Mutex
	nodes  []*node
	leader int
	helloAt, openAt,
	subscribedAt []int // the nodes that were asked, in order
	batches  [][]byte
	next     uint64 // the sequence that is expected next
	stalled  bool   // publishes are stored, and their outcome is unknown
	starting int    // this many requests more are refused by a leader that is about to begin
	members  []int  // the nodes that are named; nil: all
	asked    int    // times that metadata was
	onlySelf string // what a broker that stands alone names instead

	features []uint32           // that its nodes offer
	reports  []*pb.HealthReport // that came
	paused   []bool             // what each change of a subscription's credit said
	silent   bool               // a subscription gets no answer
	given    int                // subscriptions that were given back
	refused  *pb.Error          // what every publish is answered with
	refuses  int                // only so many; 0: all
	came     int                // publishes
	credit   *pb.Credit         // of publishers

	shut    bool        // connections are closed as soon as they are there
	dialled []time.Time // when somebody connected
}

type node struct {
	c        *cluster
	index    int
	listener net.Listener
	sessions map[*session]struct{}
}

type session struct {
	n       *node
	nc      net.Conn
	channel uint16 // of its subscription
}

func newCluster(t *testing.T, nodes int) *cluster {
	t.Helper()
	c := &cluster{t: t, leader: nobody}
	for i := range nodes {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		n := &node{c, i, listener, map[*session]struct{}{}}
		c.nodes = append(c.nodes, n)
		c.fences.Add(1)
		go n.accept()
	}
	t.Cleanup(func() {
		for i := range c.nodes {
			c.kill(i)
		}
		c.fences.Wait()
	})
	return c
}

func (c *cluster) endpoint(i int) string { return c.nodes[i].listener.Addr().String() }

func (c *cluster) client(opts ...spillway.Option) *spillway.Client {
	c.t.Helper()
	client := open[*spillway.Client](c.t)(spillway.Connect(soon(c.t), opts...))
	c.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = client.Close(ctx) // the nodes may be gone
	})
	return client
}

// with the cluster's lock.
func (c *cluster) with(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
}

// lead makes that node the leader from now on; the one before says nothing of it.
func (c *cluster) lead(i int) { c.with(func() { c.leader = i }) }

// handOver makes that node the leader as a cluster does it: the one before ends subscriptions and tells its clients to leave.
func (c *cluster) handOver(i int) {
	c.with(func() {
		before := c.nodes[c.leader]
		c.leader = i
		for s := range before.sessions {
			if s.channel != 0 {
				s.write(wire.Subscribe, wire.FlagError, s.channel, 0, before.refusal(), nil)
			}
			s.write(wire.GoAway, 0, 0, 0, &pb.GoAway{Error: before.refusal(), GraceMs: 1_000, Endpoints: c.endpoints()}, nil)
		}
	})
}

// kill a node: nobody listens there any more, and its connections end.
func (c *cluster) kill(i int) {
	c.with(func() {
		c.nodes[i].listener.Close()
		for s := range c.nodes[i].sessions {
			s.nc.Close()
		}
	})
}

// endpoints of all nodes, the leader first.
func (c *cluster) endpoints() []*pb.Endpoint {
	if c.onlySelf != "" {
		return []*pb.Endpoint{c.endpointOf(0)}
	}
	var all []*pb.Endpoint
	for i := range c.nodes {
		if n := (max(c.leader, 0) + i) % len(c.nodes); c.members == nil || slices.Contains(c.members, n) {
			all = append(all, c.endpointOf(n))
		}
	}
	return all
}

func (c *cluster) endpointOf(i int) *pb.Endpoint {
	text := c.endpoint(i)
	if c.onlySelf != "" {
		text = c.onlySelf
	}
	host, port, err := net.SplitHostPort(text)
	number, bad := strconv.Atoi(port)
	if err != nil || bad != nil {
		panic(text)
	}
	return &pb.Endpoint{BrokerId: uint32(i + 1), Host: host, Port: uint32(number)}
}

func (n *node) refusal() *pb.Error {
	if n.c.leader == nobody {
		return &pb.Error{Code: 501, Reason: "LEADER_ELECTION", Message: "nobody leads", Retry: pb.RetryClass_RETRY_SAFE, RetryAfterMs: 20}
	}
	return &pb.Error{Code: 500, Reason: "NOT_LEADER", Message: "another leads", Retry: pb.RetryClass_RETRY_REFRESH,
		Redirect: n.c.endpointOf(n.c.leader)}
}

func (n *node) accept() {
	defer n.c.fences.Done()
	for {
		nc, err := n.listener.Accept()
		if err != nil {
			return
		}
		s := &session{n: n, nc: nc}
		shut := false
		n.c.with(func() {
			n.c.dialled = append(n.c.dialled, time.Now())
			if shut = n.c.shut; !shut {
				n.sessions[s] = struct{}{}
			}
		})
		if shut {
			nc.Close()
			continue
		}
		n.c.fences.Add(1)
		go s.serve()
	}
}

func (s *session) serve() {
	defer s.n.c.fences.Done()
	defer s.n.c.with(func() {
		s.nc.Close()
		delete(s.n.sessions, s)
	})
	preface := make([]byte, wire.PrefaceBytes)
	if _, err := io.ReadFull(s.nc, preface); err != nil {
		return
	}
	if _, err := s.nc.Write([]byte("\x9bSP\n\x01\x01\x01\x00")); err != nil {
		return
	}
	for {
		prefix := make([]byte, wire.PrefixBytes)
		if _, err := io.ReadFull(s.nc, prefix); err != nil {
			return
		}
		rest := make([]byte, int(binary.BigEndian.Uint32(prefix))+4-wire.PrefixBytes)
		if _, err := io.ReadFull(s.nc, rest); err != nil {
			return
		}
		frame := wire.ParseFrame(append(prefix, rest...))
		goOn := true
		s.n.c.with(func() { goOn = s.onFrame(&frame) })
		if !goOn {
			return
		}
	}
}

// onFrame: false when it is the last.
func (s *session) onFrame(f *wire.Frame) bool {
	c := s.n.c
	leads := c.leader == s.n.index
	answer := func(header proto.Message, payload []byte) {
		s.write(f.Kind, wire.FlagResponse, f.Channel, f.Correlation, header, payload)
	}
	switch f.Kind {
	case wire.Ping, wire.Bye, wire.Unsubscribe:
		if f.Kind == wire.Unsubscribe {
			c.given++
		}
		s.writeBytes(f.Kind, wire.FlagResponse, f.Channel, f.Correlation, f.Header, nil)
		return true
	case wire.ClosePublisher:
		return true
	case wire.CreditGrant:
		c.paused = append(c.paused, decoded(c.t, f, &pb.CreditGrant{}).GetPaused())
		return true
	case wire.HealthReport:
		if len(c.features) == 0 {
			c.t.Error("a health report came to a broker that does not read them")
		}
		c.reports = append(c.reports, decoded(c.t, f, &pb.HealthReport{}))
		return true
	case wire.Hello:
		c.helloAt = append(c.helloAt, s.n.index)
	case wire.OpenPublisher:
		c.openAt = append(c.openAt, s.n.index)
	case wire.Subscribe:
		c.subscribedAt = append(c.subscribedAt, s.n.index)
	}
	if c.starting > 0 && f.Kind != wire.Hello {
		c.starting--
		e := &pb.Error{Code: 501, Reason: "LEADER_ELECTION", Message: "not yet", Retry: pb.RetryClass_RETRY_SAFE, RetryAfterMs: 20}
		s.write(f.Kind, wire.FlagResponse|wire.FlagError, f.Channel, f.Correlation, e, nil)
		return true
	}
	if !leads {
		s.write(f.Kind, wire.FlagResponse|wire.FlagError, f.Channel, f.Correlation, s.n.refusal(), nil)
		return f.Kind != wire.Hello
	}
	switch f.Kind {
	case wire.Hello:
		answer(&pb.HelloOk{BrokerId: uint32(s.n.index + 1), Endpoints: c.endpoints(), Features: c.features}, nil)
	case wire.Metadata:
		topics := &pb.TopicList{Topics: []*pb.TopicInfo{{Name: "t", Partitions: []*pb.PartitionInfo{{}}}}}
		c.asked++
		answer(&pb.MetadataOk{Endpoints: c.endpoints()}, encoded(topics))
	case wire.OpenPublisher:
		answer(&pb.OpenPublisherOk{ProducerId: 7, HasLast: c.next > 0, LastSequence: c.next - min(c.next, 1),
			Credit: c.credit}, nil)
	case wire.Publish:
		s.onPublish(f, answer)
	case wire.Subscribe:
		if c.silent {
			return true
		}
		s.channel = f.Channel
		answer(&pb.SubscribeOk{Partitions: []uint32{0}}, nil)
		s.deliver()
	case wire.Ack:
		answer(&pb.AckResult{}, nil)
	default:
		c.t.Errorf("a frame of kind %d was not expected", f.Kind)
	}
	return true
}

func (s *session) onPublish(f *wire.Frame, answer func(proto.Message, []byte)) {
	c := s.n.c
	c.came++
	if c.refused != nil {
		refusal := c.refused
		if c.refuses == 1 {
			c.refused = nil
		}
		c.refuses = max(0, c.refuses-1)
		s.write(f.Kind, wire.FlagResponse|wire.FlagError, f.Channel, f.Correlation, refusal, nil)
		return
	}
	count, sequence := binary.BigEndian.Uint32(f.Payload[36:]), binary.BigEndian.Uint64(f.Payload[48:])
	ack := &pb.PublishAck{BaseSequence: sequence, Count: count, BaseOffset: sequence, Duplicate: sequence < c.next}
	switch {
	case sequence > c.next:
		c.t.Errorf("sequence %d came where %d was next", sequence, c.next)
	case sequence == c.next:
		c.next += uint64(count)
		c.batches = append(c.batches, slices.Clone(f.Payload))
	}
	if c.stalled {
		e := &pb.Error{Code: 703, Reason: "REPLICATION_TIMEOUT", Message: "no quorum", Retry: pb.RetryClass_RETRY_UNKNOWN_OUTCOME}
		s.write(f.Kind, wire.FlagResponse|wire.FlagError, f.Channel, f.Correlation, e, nil)
		return
	}
	answer(ack, nil)
}

// deliver the first batch, if there is one.
func (s *session) deliver() {
	if batches := s.n.c.batches; len(batches) > 0 {
		segment := &pb.Segment{Bytes: uint32(len(batches[0])), Fence: uint64(s.n.index + 1), LeaseMs: 30_000, Attempt: 1}
		s.write(wire.Deliver, 0, s.channel, 0, &pb.Deliver{Segments: []*pb.Segment{segment}}, batches[0])
	}
}

func (s *session) write(kind wire.Kind, flags uint8, channel uint16, correlation uint32, header proto.Message, payload []byte) {
	s.writeBytes(kind, flags, channel, correlation, encoded(header), payload)
}

func (s *session) writeBytes(kind wire.Kind, flags uint8, channel uint16, correlation uint32, header, payload []byte) {
	size := -1
	if payload != nil {
		size = len(payload)
	}
	frame := wire.AppendPrefix(nil, kind, flags, channel, correlation, len(header), size)
	_, _ = s.nc.Write(slices.Concat(frame, header, payload)) // the client may have left
}

func encoded(message proto.Message) []byte {
	bytes, err := proto.Marshal(message)
	if err != nil {
		panic(err)
	}
	return bytes
}

func decoded[M proto.Message](t *testing.T, f *wire.Frame, into M) M {
	if err := proto.Unmarshal(f.Header, into); err != nil {
		t.Error(err)
	}
	return into
}

// tell all clients of that node.
func (c *cluster) tell(i int, kind wire.Kind, header proto.Message) {
	c.with(func() {
		for s := range c.nodes[i].sessions {
			s.write(kind, 0, 0, 0, header, nil)
		}
	})
}

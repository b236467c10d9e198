package spillway

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

const (
	handshakeTimeout = 5 * time.Second
	readChunk        = 256 << 10
	// maxQueued is how many bytes may wait for the socket before publishing holds back.
	maxQueued        = 1 << 20
	helloCorrelation = 1
)

// responder hears the answer to a request. Called with the client's lock held; the frame is valid during the call.
type responder interface {
	onResponse(f *wire.Frame)
	onError(e *pb.Error)
}

// handle hears of what has a channel of its own. Called with the client's lock held.
type handle interface {
	onDeliver(f *wire.Frame) error
	onEnded(e *pb.Error)
	onBackpressure(signal *pb.Backpressure)
	onHandoff(notice *pb.Handoff)
}

// conn is one session. Everything but the socket is guarded by the client's lock.
type conn struct {
	c           *Client
	nc          net.Conn
	endpoint    string
	hello       *pb.HelloOk
	heartbeat   time.Duration
	out, spare  []byte
	waiting     map[uint32]responder
	handles     map[uint16]handle
	correlation uint32
	channel     uint16
	lastWrite   time.Time
	failed      *pb.Error
	wake        chan struct{} // the sender has something to do
	done        chan struct{}
}

// dial connects and shakes hands, until cancel is closed; in between it tells that TCP is there.
func dial(c *Client, endpoint string, cancel <-chan struct{}, connected func()) (*conn, *pb.Error) {
	dialer := net.Dialer{Timeout: c.opts.connectTimeout, Cancel: cancel}
	nc, err := dialer.Dial("tcp", endpoint)
	if err != nil {
		return nil, cannotConnect(endpoint, unreachable(err, c.opts.connectTimeout))
	}
	connected()
	nc = encrypt(nc, endpoint, c.opts.tls)
	cn := &conn{c: c, nc: nc, endpoint: endpoint, heartbeat: c.opts.heartbeat, waiting: map[uint32]responder{},
		handles: map[uint16]handle{}, correlation: helloCorrelation, wake: make(chan struct{}, 1), done: make(chan struct{})}
	shaken := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-cancel:
			nc.Close()
		case <-shaken:
		}
	}()
	failed := cn.handshake()
	close(shaken)
	<-watched
	if failed != nil {
		nc.Close()
		return nil, failed
	}
	return cn, nil
}

func unreachable(err error, timeout time.Duration) string {
	var ne net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to the host"
	case errors.As(err, &ne) && ne.Timeout():
		return fmt.Sprintf("no answer within %d ms", timeout.Milliseconds())
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return "the host name is not known"
	}
	return err.Error()
}

func cannotConnect(endpoint, why string) *pb.Error {
	return wireError(codes.ConnectFailed, "cannot connect to "+endpoint, why,
		"check that a broker listens there and that the endpoint is right")
}

// readFrame reads one frame during the handshake, byte-exact.
func readFrame(r io.Reader) (wire.Frame, error) {
	buf := make([]byte, wire.PrefixBytes)
	if _, err := io.ReadFull(r, buf); err != nil {
		return wire.Frame{}, err
	}
	length, err := wire.FrameLength(buf, wire.MaxFrameBytes, wire.MaxHeaderBytes)
	if err != nil {
		return wire.Frame{}, err
	}
	buf = append(buf, make([]byte, length-wire.PrefixBytes)...)
	if _, err := io.ReadFull(r, buf[wire.PrefixBytes:]); err != nil {
		return wire.Frame{}, err
	}
	return wire.ParseFrame(buf), nil
}

// ---- writing, with the client's lock held

// request sends a request whose answer the responder hears.
func (cn *conn) request(kind wire.Kind, channel uint16, header proto.Message, r responder) uint32 {
	if cn.failed != nil {
		r.onError(cn.failed)
		return 0
	}
	cn.correlation++
	if cn.correlation == 0 {
		cn.correlation++
	}
	cn.waiting[cn.correlation] = r
	cn.append(kind, channel, cn.correlation, header, nil, nil)
	return cn.correlation
}

// publish sends a batch in its two parts.
func (cn *conn) publish(channel uint16, header proto.Message, head, body []byte, r responder) uint32 {
	cn.correlation++
	if cn.correlation == 0 {
		cn.correlation++
	}
	cn.waiting[cn.correlation] = r
	cn.append(wire.Publish, channel, cn.correlation, header, head, body)
	return cn.correlation
}

// send sends a frame that has no answer.
func (cn *conn) send(kind wire.Kind, channel uint16, header proto.Message) {
	if cn.failed == nil {
		cn.append(kind, channel, 0, header, nil, nil)
	}
}

func (cn *conn) append(kind wire.Kind, channel uint16, correlation uint32, header proto.Message, head, body []byte) {
	payload := -1
	if head != nil {
		payload = len(head) + len(body)
	}
	size := proto.Size(header)
	b := wire.AppendPrefix(cn.out, kind, 0, channel, correlation, size, payload)
	b, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(b, header)
	if err != nil {
		panic(fmt.Sprintf("a header of this client cannot be encoded: %v", err)) // none of ours can fail
	}
	b = append(b, head...)
	cn.out = append(b, body...)
	cn.wakeSender()
}

func (cn *conn) wakeSender() {
	select {
	case cn.wake <- struct{}{}:
	default:
	}
}

func (cn *conn) forget(correlation uint32) { delete(cn.waiting, correlation) }

func (cn *conn) openHandle(h handle) uint16 {
	for {
		cn.channel++
		if _, used := cn.handles[cn.channel]; !used && cn.channel != 0 {
			cn.handles[cn.channel] = h
			return cn.channel
		}
	}
}

func (cn *conn) closeHandle(channel uint16) { delete(cn.handles, channel) }

func (cn *conn) writable() bool { return len(cn.out) < maxQueued }

// fail ends the session; everything that waits fails with this error.
func (cn *conn) fail(e *pb.Error) {
	if cn.failed != nil {
		return
	}
	cn.failed = e
	cn.nc.Close()
	waiting := cn.waiting
	cn.waiting = map[uint32]responder{}
	cn.handles = map[uint16]handle{}
	for _, r := range waiting {
		r.onError(e)
	}
	cn.c.onLost(cn, e)
	close(cn.done)
}

// ---- reading

func (cn *conn) read() {
	buf := make([]byte, 0, readChunk)
	for {
		cn.nc.SetReadDeadline(time.Now().Add(3 * cn.heartbeat))
		n, err := cn.nc.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if n > 0 {
			var broken *pb.Error
			if buf, broken = cn.onBytes(buf); broken != nil {
				cn.end(broken)
				return
			}
		}
		if err != nil {
			cn.end(cn.lost(readFailure(err, cn.heartbeat)))
			return
		}
	}
}

func readFailure(err error, heartbeat time.Duration) string {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("nothing came from the broker for %d ms", 3*heartbeat.Milliseconds())
	case errors.Is(err, io.EOF):
		return "the broker closed the connection"
	case errors.Is(err, syscall.ECONNRESET):
		return "the connection was reset"
	}
	return err.Error()
}

func (cn *conn) lost(why string) *pb.Error {
	return wireError(codes.ConnectionLost, "the connection to "+cn.endpoint+" was lost", why,
		"the client reconnects by itself; if it cannot, check the broker")
}

func (cn *conn) end(e *pb.Error) {
	cn.c.mu.Lock()
	cn.fail(e)
	cn.c.unlock()
}

// onBytes handles all whole frames and returns a buffer that begins with what is left and has room for more.
func (cn *conn) onBytes(buf []byte) ([]byte, *pb.Error) {
	c := cn.c
	c.mu.Lock()
	defer c.unlock()
	if cn.failed != nil {
		return buf[:0], cn.failed
	}
	rest := buf
	need := 0
	for {
		length, err := wire.FrameLength(rest, wire.MaxFrameBytes, wire.MaxHeaderBytes)
		if err != nil {
			return nil, cn.lost("what it sends is not the protocol: " + err.Error())
		}
		if length == 0 || length > len(rest) {
			need = length
			break
		}
		frame := wire.ParseFrame(rest[:length])
		if err := cn.onFrame(&frame); err != nil {
			return nil, cn.lost("what it sends is not the protocol: " + err.Error())
		}
		rest = rest[length:]
	}
	c.pump()
	if need > cap(buf) {
		return append(make([]byte, 0, need+readChunk), rest...), nil
	}
	return buf[:copy(buf, rest)], nil
}

func (cn *conn) onFrame(f *wire.Frame) error {
	if f.IsResponse() && f.Correlation != 0 {
		return cn.onAnswer(f)
	}
	switch f.Kind {
	case wire.Deliver:
		if h := cn.handles[f.Channel]; h != nil {
			return h.onDeliver(f)
		}
	case wire.Handoff:
		notice := &pb.Handoff{}
		if err := proto.Unmarshal(f.Header, notice); err != nil {
			return err
		}
		if h := cn.handles[f.Channel]; h != nil {
			h.onHandoff(notice)
		}
	case wire.Ping:
		if !f.IsResponse() {
			ping := &pb.Ping{}
			if err := proto.Unmarshal(f.Header, ping); err != nil {
				return err
			}
			if f.Correlation != 0 {
				cn.answerPing(f.Correlation, ping)
			}
		}
	case wire.GoAway:
		notice := &pb.GoAway{}
		if err := proto.Unmarshal(f.Header, notice); err != nil {
			return err
		}
		cn.c.onGoAway(cn, notice)
	case wire.Backpressure:
		signal := &pb.Backpressure{}
		if err := proto.Unmarshal(f.Header, signal); err != nil {
			return err
		}
		cn.onBackpressure(f.Channel, signal)
	case wire.ToggleUpdate:
		update := &pb.ToggleUpdate{}
		if err := proto.Unmarshal(f.Header, update); err != nil {
			return err
		}
		cn.c.onToggles(update)
	default:
		if f.IsError() {
			return cn.onOneWayError(f)
		}
	}
	return nil
}

func (cn *conn) answerPing(correlation uint32, ping *pb.Ping) {
	header, err := proto.Marshal(ping)
	if err != nil {
		panic(fmt.Sprintf("a ping cannot be encoded: %v", err))
	}
	cn.out = wire.AppendPrefix(cn.out, wire.Ping, wire.FlagResponse, 0, correlation, len(header), -1)
	cn.out = append(cn.out, header...)
	cn.wakeSender()
}

func (cn *conn) onAnswer(f *wire.Frame) error {
	r := cn.waiting[f.Correlation]
	if r == nil {
		return nil
	}
	delete(cn.waiting, f.Correlation)
	if !f.IsError() {
		r.onResponse(f)
		return nil
	}
	e := &pb.Error{}
	if err := proto.Unmarshal(f.Header, e); err != nil {
		return err
	}
	r.onError(e)
	if isCode(e, codes.NotLeader) {
		cn.c.onNotLeader(cn, e)
	}
	return nil
}

// onOneWayError: the broker ends a handle, or says why it ends the session.
func (cn *conn) onOneWayError(f *wire.Frame) error {
	e := &pb.Error{}
	if err := proto.Unmarshal(f.Header, e); err != nil {
		return err
	}
	if f.Channel != 0 {
		if h := cn.handles[f.Channel]; h != nil && (f.Kind == wire.Subscribe || f.Kind == wire.OpenPublisher) {
			h.onEnded(e)
			if isCode(e, codes.NotLeader) {
				cn.c.onNotLeader(cn, e)
			}
		}
	} else if f.Kind == wire.Hello {
		return fmt.Errorf("the broker ended the session: %w", fromWire(e))
	}
	return nil
}

func (cn *conn) onBackpressure(channel uint16, signal *pb.Backpressure) {
	if signal.GetChannel() != 0 {
		channel = uint16(signal.GetChannel())
	}
	if channel == 0 {
		cn.c.onConnPressure(cn, signal)
	} else if h := cn.handles[channel]; h != nil {
		h.onBackpressure(signal)
	}
}

// tick sends a sign of life when nothing else was sent for half a heartbeat.
func (cn *conn) tick(now time.Time) {
	if now.Sub(cn.lastWrite) > cn.heartbeat/2 {
		cn.lastWrite = now
		cn.request(wire.Ping, 0, &pb.Ping{Nonce: uint64(now.UnixNano())}, pong{})
	}
}

// pong: any byte is a sign of life; that the answer came says nothing more.
type pong struct{}

func (pong) onResponse(*wire.Frame) {}
func (pong) onError(*pb.Error)      {}

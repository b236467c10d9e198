package spillway

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

func (cn *conn) handshake() *pb.Error {
	proof := &login{mechanism: cn.c.opts.mechanism, user: cn.c.opts.user}
	if cn.c.opts.secret != nil {
		secret, err := cn.c.opts.secret()
		if err != nil || secret == "" {
			return wireError(codes.Unauthenticated, "cannot connect to "+cn.endpoint,
				fmt.Sprintf("there is no password or token to be had: %v", err), "look at what the client was given as its credentials")
		}
		proof.secret = secret
	}
	cn.nc.SetDeadline(time.Now().Add(handshakeTimeout))
	defer cn.nc.SetDeadline(time.Time{})
	broken := func(err error) *pb.Error {
		if failed := tlsFailure(cn.endpoint, err); failed != nil {
			return failed
		}
		why := "connected, but the broker closed the connection"
		if errors.Is(err, os.ErrDeadlineExceeded) {
			why = fmt.Sprintf("connected, but no handshake within %d ms", handshakeTimeout.Milliseconds())
		} else if errors.Is(err, syscall.ECONNRESET) {
			why = "connected, but the connection was reset"
		} else if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			why = "connected, but " + err.Error()
		}
		return cannotConnect(cn.endpoint, why)
	}
	preface := wire.ClientPreface()
	hello := cn.c.helloHeader()
	proof.begin(hello)
	header, err := proto.Marshal(hello)
	if err != nil {
		return broken(err)
	}
	first := append([]byte(nil), preface[:]...)
	first = wire.AppendPrefix(first, wire.Hello, wire.FlagCritical, 0, helloCorrelation, len(header), -1)
	if _, err := cn.nc.Write(append(first, header...)); err != nil {
		return broken(err)
	}
	var answer [wire.PrefaceBytes]byte
	if _, err := io.ReadFull(cn.nc, answer[:]); err != nil {
		return broken(err)
	}
	broker, err := wire.ParseBrokerPreface(answer)
	if err != nil {
		return cannotConnect(cn.endpoint, "what it sends is not the protocol: "+err.Error())
	}
	if refused := prefaceRefusal(cn.endpoint, broker); refused != nil {
		return refused
	}
	if failed := cn.readHello(wire.Hello, broken); failed != nil {
		return failed
	}
	if cn.hello.GetAuthMore() {
		if failed := cn.prove(proof, broken); failed != nil {
			return failed
		}
	}
	if doubt := proof.doubt(cn.endpoint, cn.hello.GetAuthData()); doubt != nil {
		return doubt
	}
	if ms := cn.hello.GetHeartbeatMs(); ms > 0 {
		cn.heartbeat = time.Duration(ms) * time.Millisecond
	}
	cn.lastWrite = time.Now()
	return nil
}

// readHello reads the answer to HELLO, or to AUTH, which is the same.
func (cn *conn) readHello(kind wire.Kind, broken func(error) *pb.Error) *pb.Error {
	frame, err := readFrame(cn.nc)
	if err != nil {
		var malformed *wire.MalformedError
		if errors.As(err, &malformed) {
			return cannotConnect(cn.endpoint, "what it sends is not the protocol: "+err.Error())
		}
		return broken(err)
	}
	if frame.IsError() {
		refusal := &pb.Error{}
		if err := proto.Unmarshal(frame.Header, refusal); err != nil {
			return cannotConnect(cn.endpoint, "its refusal cannot be read: "+err.Error())
		}
		return refusal
	}
	cn.hello = &pb.HelloOk{}
	if frame.Kind != kind || !frame.IsResponse() || proto.Unmarshal(frame.Header, cn.hello) != nil {
		return cannotConnect(cn.endpoint, fmt.Sprintf("its first frame is of kind %d, not a Hello", frame.Kind))
	}
	return nil
}

// prove answers the broker's challenge.
func (cn *conn) prove(proof *login, broken func(error) *pb.Error) *pb.Error {
	data, err := proof.answer(cn.hello.GetAuthData())
	if err != nil {
		return cannotConnect(cn.endpoint, err.Error())
	}
	header, err := proto.Marshal(&pb.Auth{Data: data})
	if err != nil {
		return broken(err)
	}
	cn.correlation++
	out := wire.AppendPrefix(nil, wire.Auth, wire.FlagCritical, 0, cn.correlation, len(header), -1)
	if _, err := cn.nc.Write(append(out, header...)); err != nil {
		return broken(err)
	}
	return cn.readHello(wire.Auth, broken)
}

func prefaceRefusal(endpoint string, broker wire.BrokerPreface) *pb.Error {
	switch {
	case broker.Code == wire.PrefaceOK && broker.Chosen >= wire.MinVersion && broker.Chosen <= wire.MaxVersion:
		return nil
	case broker.Code == wire.PrefaceBusy:
		return wireError(codes.Overloaded, endpoint+" takes no more connections", "it is at its limit",
			"try again later or raise the broker's limit")
	case broker.Code == wire.PrefaceDraining:
		return wireError(codes.Draining, endpoint+" is shutting down", "it takes no new connections",
			"wait for it to come back or use another broker")
	}
	return wireError(codes.UnsupportedVersion,
		fmt.Sprintf("%s speaks protocol %d to %d", endpoint, broker.Min, broker.Max),
		fmt.Sprintf("this client speaks %d to %d", wire.MinVersion, wire.MaxVersion),
		"use a client of the broker's release")
}

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"google.golang.org/protobuf/proto"

	spillway "github.com/spillway-io/spillway/go-client"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

const (
	heartbeat = 5 * time.Second // the clients' default
	// turns is into how many parts half a heartbeat is divided; in each, some of the connections send their sign of life.
	turns = 250
	// handshakeLimit is how long the broker may take to answer while thousands come.
	handshakeLimit = 30 * time.Second
)

// idle opens count connections that do nothing but say that they are there, says so on standard error, and keeps them for the
// seconds, or until it is told to end. They are no clients: so many of those, each with its own timers, would take a processor from
// the broker that is measured.
func idle(ctx context.Context, _ *spillway.Client, p *plan) (map[string]any, error) {
	conns := make([]net.Conn, p.count)
	begun := time.Now()
	err := each(p.count, func(i int) (err error) {
		conns[i], err = connect(p.endpoint, fmt.Sprintf("idle-%d", i))
		return err
	})
	took := time.Since(begun)
	if err == nil {
		fmt.Fprintln(os.Stderr, "open", p.count)
		err = keep(ctx, conns, time.Duration(p.seconds*float64(time.Second)))
	}
	// They end with this process: nothing is under way.
	return map[string]any{"records": 0, "connections": p.count, "open_s": took.Seconds()}, err
}

// connect does what a client does to be let in, without credentials.
func connect(endpoint, name string) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", endpoint, handshakeLimit)
	if err != nil {
		return nil, err
	}
	header, err := proto.Marshal(&pb.Hello{ClientId: name, Lang: "go", ClientVersion: spillway.Version,
		HeartbeatMs: uint32(heartbeat.Milliseconds()), MaxFrame: wire.MaxFrameBytes, UnixMs: uint64(time.Now().UnixMilli())})
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(handshakeLimit)); err != nil {
		return nil, err
	}
	preface := wire.ClientPreface()
	first := wire.AppendPrefix(preface[:], wire.Hello, wire.FlagCritical, 0, 1, len(header), -1)
	if _, err := conn.Write(append(first, header...)); err != nil {
		return nil, err
	}
	answer := make([]byte, wire.PrefaceBytes+wire.PrefixBytes)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, fmt.Errorf("%s does not answer the handshake: %w", endpoint, err)
	}
	length, err := wire.FrameLength(answer[wire.PrefaceBytes:], wire.MaxFrameBytes, wire.MaxHeaderBytes)
	if err != nil {
		return nil, err
	}
	rest := make([]byte, length-wire.PrefixBytes)
	if _, err := io.ReadFull(conn, rest); err != nil {
		return nil, err
	}
	if hello := wire.ParseFrame(append(answer[wire.PrefaceBytes:], rest...)); hello.Kind != wire.Hello || hello.IsError() {
		return nil, fmt.Errorf("%s refuses the session, with a frame of kind %d", endpoint, hello.Kind)
	}
	return conn, conn.SetDeadline(time.Time{})
}

// keep sends the signs of life, and fails when the broker has closed a connection.
func keep(ctx context.Context, conns []net.Conn, howLong time.Duration) error {
	lost := make(chan error, len(conns))
	for _, conn := range conns {
		go func() {
			answers := make([]byte, 256)
			for {
				if _, err := conn.Read(answers); err != nil {
					lost <- err
					return
				}
			}
		}()
	}
	ping := wire.AppendPrefix(nil, wire.Ping, 0, 0, 1, 0, -1)
	over := time.After(howLong)
	turn := time.NewTicker(heartbeat / 2 / turns)
	defer turn.Stop()
	for part := 0; ; part = (part + 1) % turns {
		select {
		case <-ctx.Done():
			return nil
		case <-over:
			return nil
		case err := <-lost:
			return fmt.Errorf("a connection was lost: %w", err)
		case <-turn.C:
		}
		for i := part; i < len(conns); i += turns {
			if _, err := conns[i].Write(ping); err != nil {
				return fmt.Errorf("a connection was lost: %w", err)
			}
		}
	}
}

package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// The echo is no broker but a limit: what two sockets of the loopback interface carry there and back, in frames of a length, the time when it was due
// and the value. Its server keeps nothing. There is nothing to consume.
type echoPeer struct{ plan *plan }

const (
	echoBuffer = 64 << 10
	echoHeader = 12
)

func serveEcho(ctx context.Context, endpoint string) error {
	listener, err := net.Listen("tcp", endpoint)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			buffer := make([]byte, echoBuffer)
			for {
				n, err := conn.Read(buffer)
				if n > 0 {
					if _, err := conn.Write(buffer[:n]); err != nil {
						return // the client has gone
					}
				}
				if err != nil {
					return
				}
			}
		}()
	}
}

func connectEcho(_ context.Context, p *plan) (peer, error) {
	if p.synced || p.keyed || p.idempotent || p.topics > 1 || p.replicas > 1 || p.authority != "" {
		return nil, errors.Join(errUnable, errors.New("the echo is no broker"))
	}
	return &echoPeer{p}, nil
}

func (e *echoPeer) create(context.Context, []string) error { return nil }
func (e *echoPeer) remove(context.Context, []string) error { return nil }
func (e *echoPeer) close()                                 {}

var errNothingKept = errors.New("the echo keeps nothing to consume")

func (e *echoPeer) consumer(context.Context, string, string, func([]byte)) (consumer, error) {
	return nil, errors.Join(errUnable, errNothingKept)
}

type noConsumer struct{}

func (noConsumer) flush(context.Context) error { return nil }
func (noConsumer) close()                      {}

type echoProducer struct {
	conn     net.Conn
	out      *bufio.Writer
	mu       sync.Mutex // of out and unsent
	wake     chan struct{}
	slots    chan struct{}
	pending  sync.WaitGroup
	outcomes *outcomes
	closed   atomic.Bool
}

func (e *echoPeer) producer(_ context.Context, _ []string, o *outcomes) (producer, error) {
	conn, err := net.Dial("tcp", e.plan.endpoint)
	if err != nil {
		return nil, err
	}
	p := &echoProducer{conn: conn, out: bufio.NewWriterSize(conn, echoBuffer), wake: make(chan struct{}, 1),
		slots: make(chan struct{}, window(e.plan.size)), outcomes: o}
	go p.write()
	go p.read()
	return p, nil
}

func (p *echoProducer) publish(r *record) {
	p.slots <- struct{}{}
	p.pending.Add(1)
	var header [echoHeader]byte
	binary.BigEndian.PutUint32(header[:], uint32(len(r.value)))
	binary.BigEndian.PutUint64(header[4:], uint64(r.dueNs))
	p.mu.Lock()
	_, _ = p.out.Write(header[:]) // its error stays, and Flush has it
	_, _ = p.out.Write(r.value)
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// write sends what has been collected while it sent before.
func (p *echoProducer) write() {
	for range p.wake {
		p.mu.Lock()
		err := p.out.Flush()
		p.mu.Unlock()
		if err != nil {
			return // the reader finds the connection broken, too
		}
	}
}

func (p *echoProducer) read() {
	in := bufio.NewReaderSize(p.conn, echoBuffer)
	var header [echoHeader]byte
	for {
		_, err := io.ReadFull(in, header[:])
		if err == nil {
			_, err = in.Discard(int(binary.BigEndian.Uint32(header[:])))
		}
		if err != nil {
			if !p.closed.Load() {
				p.outcomes.fail(err)
			}
			return
		}
		p.outcomes.acked(int64(binary.BigEndian.Uint64(header[4:])))
		<-p.slots
		p.pending.Done()
	}
}

func (p *echoProducer) flush(ctx context.Context) error {
	return settled(ctx, &p.pending)
}

func (p *echoProducer) close() {
	p.closed.Store(true)
	close(p.wake)
	_ = p.conn.Close() // flush came before
}

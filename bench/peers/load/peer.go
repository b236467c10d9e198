package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// peer is one kind of broker, through the client that its makers publish.
type peer interface {
	// create makes the topics, with the durability and the replicas of the plan.
	create(ctx context.Context, topics []string) error
	remove(ctx context.Context, topics []string) error
	// producer opens a connection of its own.
	producer(ctx context.Context, topics []string, outcomes *outcomes) (producer, error)
	// consumer opens a connection of its own, and reads one topic from its first record on in a group that acks every record, after
	// it was shown.
	consumer(ctx context.Context, topic, group string, show func(value []byte)) (consumer, error)
	close()
}

var connects = map[string]func(context.Context, *plan) (peer, error){
	"spillway": connectSpillway, "nats": connectNATS, "redis": connectRedis, "rabbit-quorum": connectQuorum,
	"rabbit-stream": connectStream, "echo": connectEcho,
}

type record struct {
	topic int    // index of the topic
	key   []byte // nil without keys
	id    uint64 // 0 without idempotency keys
	value []byte
	dueNs int64
}

// producer is used by one goroutine.
type producer interface {
	// publish hands one record over, and waits while the client's window is full. Its outcome goes to the outcomes.
	publish(r *record)
	// flush waits for all outcomes.
	flush(ctx context.Context) error
	close()
}

type consumer interface {
	// flush waits until the broker has the acks, as far as the client can know.
	flush(ctx context.Context) error
	close()
}

// outcomes of one producer. Safe for concurrent use.
type outcomes struct {
	acks   atomic.Int64
	failed atomic.Int64
	first  atomic.Pointer[error]
	onAck  func(dueNs int64) // nil when only the number counts
	_      [64]byte          // no two of them share a cache line
}

func (o *outcomes) acked(dueNs int64) {
	o.acks.Add(1)
	if o.onAck != nil {
		o.onAck(dueNs)
	}
}

func (o *outcomes) fail(err error) {
	if o.failed.Add(1) == 1 {
		o.first.Store(&err)
	}
}

// hear is either.
func (o *outcomes) hear(dueNs int64, err error) {
	if err != nil {
		o.fail(err)
	} else {
		o.acked(dueNs)
	}
}

func (o *outcomes) err() error {
	if first := o.first.Load(); first != nil {
		return fmt.Errorf("%d records failed, the first with: %w", o.failed.Load(), *first)
	}
	return nil
}

// window is how many records of a producer may be without an outcome: 4,096, or 8 MiB of large ones. NATS refuses what exceeds 128 MiB in all.
func window(size int) int { return max(16, min(4096, (8<<20)/size)) }

// tlsOf is nil without an authority.
func tlsOf(authority string) (*tls.Config, error) {
	if authority == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate", authority)
	}
	return &tls.Config{RootCAs: roots, ServerName: "localhost"}, nil
}

// inOrder hands pending outcomes to one goroutine that waits for each in turn; its capacity is the window.
type inOrder[T any] struct {
	pending chan T
	ended   sync.WaitGroup
	left    atomic.Int64
	idle    chan struct{}
}

func newInOrder[T any](capacity int, wait func(T)) *inOrder[T] {
	o := &inOrder[T]{pending: make(chan T, capacity), idle: make(chan struct{}, 1)}
	o.ended.Add(1)
	go func() {
		defer o.ended.Done()
		for each := range o.pending {
			wait(each)
			if o.left.Add(-1) == 0 {
				select {
				case o.idle <- struct{}{}:
				default:
				}
			}
		}
	}()
	return o
}

func (o *inOrder[T]) add(each T) {
	o.left.Add(1)
	o.pending <- each
}

func (o *inOrder[T]) flush(ctx context.Context) error {
	for o.left.Load() > 0 {
		select {
		case <-o.idle:
		case <-ctx.Done():
			return fmt.Errorf("%d records have no outcome: %w", o.left.Load(), ctx.Err())
		}
	}
	return nil
}

// close is called once nothing is pending any more, or when that does not matter.
func (o *inOrder[T]) close() { close(o.pending) }

// settled waits until everything that is pending has had its outcome.
func settled(ctx context.Context, pending *sync.WaitGroup) error {
	idle := make(chan struct{})
	go func() {
		pending.Wait()
		close(idle)
	}()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

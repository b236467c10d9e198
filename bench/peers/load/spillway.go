package main

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

// Spillway: the client's defaults, and a connection for each 256 topics that a producer publishes to. By default its topics are MAPPED, which is what
// the peers' defaults are like: it survives the process, not the machine. Spillway's own default is SYNCED.
type spillwayPeer struct {
	plan    *plan
	admin   *spillway.Client
	options []spillway.Option
}

func connectSpillway(ctx context.Context, p *plan) (peer, error) {
	config, err := tlsOf(p.authority)
	if err != nil {
		return nil, err
	}
	s := &spillwayPeer{plan: p, options: []spillway.Option{spillway.WithEndpoints(strings.Split(p.endpoint, ",")...)}}
	if config != nil {
		s.options = append(s.options, spillway.WithTLS(config))
	}
	s.admin, err = spillway.Connect(ctx, s.options...)
	return s, err
}

func (s *spillwayPeer) create(ctx context.Context, topics []string) error {
	durability := "mapped"
	if s.plan.synced {
		durability = "synced"
	}
	for _, topic := range topics {
		if _, err := s.admin.Admin().CreateTopic(ctx, topic, 1, map[string]string{"durability": durability}); err != nil {
			return err
		}
	}
	return nil
}

func (s *spillwayPeer) remove(ctx context.Context, topics []string) error {
	for _, topic := range topics {
		if err := s.admin.Admin().DeleteTopic(ctx, topic); err != nil {
			return err
		}
	}
	return nil
}

func (s *spillwayPeer) close() { _ = s.admin.Close(context.Background()) } // nothing is pending

const publishersOfAConnection = 256 // more are refused

type spillwayProducer struct {
	clients   []*spillway.Client
	producers []*spillway.Producer
	outcomes  *outcomes
	heard     func(spillway.Ack, error)
}

func (s *spillwayPeer) producer(ctx context.Context, topics []string, o *outcomes) (producer, error) {
	p := &spillwayProducer{outcomes: o, heard: func(_ spillway.Ack, err error) { o.hear(0, err) }}
	for i, topic := range topics {
		if i%publishersOfAConnection == 0 {
			client, err := spillway.Connect(ctx, s.options...)
			if err != nil {
				p.close()
				return nil, err
			}
			p.clients = append(p.clients, client)
		}
		producer, err := p.clients[len(p.clients)-1].Producer(ctx, topic)
		if err != nil {
			p.close()
			return nil, err
		}
		p.producers = append(p.producers, producer)
	}
	return p, nil
}

func (p *spillwayProducer) publish(r *record) {
	out := spillway.Record{Key: r.key, Value: r.value}
	if r.id != 0 {
		out.IdempotencyKey = binary.BigEndian.AppendUint64(make([]byte, 0, 8), r.id)
	}
	heard := p.heard
	if p.outcomes.onAck != nil {
		dueNs := r.dueNs
		heard = func(_ spillway.Ack, err error) { p.outcomes.hear(dueNs, err) }
	}
	p.producers[r.topic].PublishFunc(context.Background(), out, heard)
}

func (p *spillwayProducer) flush(ctx context.Context) error {
	for _, producer := range p.producers {
		if err := producer.Flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *spillwayProducer) close() {
	for _, client := range p.clients {
		_ = client.Close(context.Background()) // flush came before
	}
}

type spillwayConsumer struct {
	client       *spillway.Client
	subscription *spillway.Subscription
	cancel       context.CancelFunc
	ended        chan struct{}
	failure      atomic.Pointer[error]
}

func (s *spillwayPeer) consumer(ctx context.Context, topic, group string, show func([]byte)) (consumer, error) {
	client, err := spillway.Connect(ctx, s.options...)
	if err != nil {
		return nil, err
	}
	subscription, err := client.Subscribe(ctx, topic, spillway.WithGroup(group), spillway.WithStart(spillway.StartEarliest()))
	if err != nil {
		return nil, errors.Join(err, client.Close(ctx))
	}
	fetching, cancel := context.WithCancel(ctx)
	c := &spillwayConsumer{client: client, subscription: subscription, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		for {
			messages, err := subscription.Fetch(fetching, 1024)
			if err != nil {
				if fetching.Err() == nil {
					c.failure.Store(&err)
				}
				return
			}
			for _, m := range messages {
				show(m.Value)
				m.Ack()
			}
		}
	}()
	return c, nil
}

func (c *spillwayConsumer) flush(ctx context.Context) error {
	if failure := c.failure.Load(); failure != nil {
		return *failure
	}
	return c.subscription.FlushAcks(ctx)
}

func (c *spillwayConsumer) close() {
	c.cancel()
	<-c.ended
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = c.client.Close(ctx) // what is measured is over
}

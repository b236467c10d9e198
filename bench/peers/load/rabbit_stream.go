package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rabbitmq/rabbitmq-stream-go-client/pkg/amqp"
	"github.com/rabbitmq/rabbitmq-stream-go-client/pkg/stream"
)

// RabbitMQ streams: Send, which collects messages into batches by itself, with confirms and a window, and a consumer that stores its offset on the
// server every 10,000 messages, both as the client's documentation says. A stream does not sync: it has no other durability.
type streamPeer struct {
	plan *plan
	env  *stream.Environment
}

const (
	streamStore = 10_000
	// With the client's default of 8 KiB a consumer comes to a standstill in the middle of a large chunk.
	streamReadBuffer = 4 << 20
)

func connectStream(_ context.Context, p *plan) (peer, error) {
	if p.synced {
		return nil, errors.Join(errUnable, errors.New("streams do not sync"))
	}
	s := &streamPeer{plan: p}
	var err error
	s.env, err = s.connect()
	return s, err
}

func (s *streamPeer) connect() (*stream.Environment, error) {
	config, err := tlsOf(s.plan.authority)
	if err != nil {
		return nil, err
	}
	host, portText, err := net.SplitHostPort(strings.Split(s.plan.endpoint, ",")[0])
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, err
	}
	options := stream.NewEnvironmentOptions().SetHost(host).SetPort(port).SetUser("guest").SetPassword("guest").
		SetReadBuffer(streamReadBuffer)
	if config != nil {
		options = options.IsTLS(true).SetTLSConfig(config)
	}
	return stream.NewEnvironment(options)
}

func (s *streamPeer) create(_ context.Context, topics []string) error {
	for _, topic := range topics {
		options := stream.NewStreamOptions().SetMaxLengthBytes(stream.ByteCapacity{}.GB(50))
		if err := s.env.DeclareStream(topic, options); err != nil {
			return err
		}
	}
	return nil
}

func (s *streamPeer) remove(_ context.Context, topics []string) error {
	for _, topic := range topics {
		if err := s.env.DeleteStream(topic); err != nil {
			return err
		}
	}
	return nil
}

func (s *streamPeer) close() { _ = s.env.Close() } // nothing is pending

type streamProducer struct {
	env       *stream.Environment
	producers []*stream.Producer
	outcomes  *outcomes
	pending   sync.WaitGroup
	slots     chan struct{}
	dueNs     []dueRing
}

// dueRing has when each record of a producer was due, by its publishing id, which counts from one; no more are under way than it has places.
type dueRing struct {
	places []atomic.Int64
	next   int64
}

func (s *streamPeer) producer(_ context.Context, topics []string, o *outcomes) (producer, error) {
	env, err := s.connect()
	if err != nil {
		return nil, err
	}
	limit := window(s.plan.size)
	p := &streamProducer{env: env, outcomes: o, slots: make(chan struct{}, limit), dueNs: make([]dueRing, len(topics))}
	for i, topic := range topics {
		options := stream.NewProducerOptions().SetClientProvidedName("bench")
		if s.plan.idempotent {
			options = options.SetProducerName(fmt.Sprintf("p-%p", o))
		}
		producer, err := env.NewProducer(topic, options)
		if err != nil {
			return nil, errors.Join(err, env.Close())
		}
		if o.onAck != nil {
			p.dueNs[i].places = make([]atomic.Int64, limit+1)
		}
		p.producers = append(p.producers, producer)
		go p.hear(i, producer.NotifyPublishConfirmation())
	}
	return p, nil
}

func (p *streamProducer) hear(topic int, confirms stream.ChannelPublishConfirm) {
	ring := &p.dueNs[topic]
	for statuses := range confirms {
		for _, status := range statuses {
			var dueNs int64
			if ring.places != nil {
				dueNs = ring.places[status.GetPublishingId()%int64(len(ring.places))].Load()
			}
			if status.IsConfirmed() {
				p.outcomes.acked(dueNs)
			} else {
				p.outcomes.fail(status.GetError())
			}
			<-p.slots
			p.pending.Done()
		}
	}
}

func (p *streamProducer) publish(r *record) {
	p.slots <- struct{}{}
	p.pending.Add(1)
	message := amqp.NewMessage(r.value)
	if r.key != nil {
		message.ApplicationProperties = map[string]any{"key": string(r.key)}
	}
	ring := &p.dueNs[r.topic]
	ring.next++
	if r.id != 0 {
		message.SetPublishingId(ring.next)
	}
	if ring.places != nil {
		ring.places[ring.next%int64(len(ring.places))].Store(r.dueNs)
	}
	if err := p.producers[r.topic].Send(message); err != nil {
		p.outcomes.fail(err)
		<-p.slots
		p.pending.Done()
	}
}

func (p *streamProducer) flush(ctx context.Context) error {
	return settled(ctx, &p.pending)
}

func (p *streamProducer) close() {
	for _, producer := range p.producers {
		_ = producer.Close() // flush came before
	}
	_ = p.env.Close()
}

type streamConsumer struct {
	env      *stream.Environment
	consumer *stream.Consumer
}

func (s *streamPeer) consumer(_ context.Context, topic, group string, show func([]byte)) (consumer, error) {
	env, err := s.connect()
	if err != nil {
		return nil, err
	}
	onMessage := func(_ stream.ConsumerContext, message *amqp.Message) { show(message.GetData()) }
	options := stream.NewConsumerOptions().SetConsumerName(group).SetOffset(stream.OffsetSpecification{}.First()).
		SetAutoCommit(stream.NewAutoCommitStrategy().SetCountBeforeStorage(streamStore))
	consumer, err := env.NewConsumer(topic, onMessage, options)
	if err != nil {
		return nil, errors.Join(err, env.Close())
	}
	return &streamConsumer{env, consumer}, nil
}

func (c *streamConsumer) flush(context.Context) error { return c.consumer.StoreOffset() }

func (c *streamConsumer) close() {
	_ = c.consumer.Close() // what is measured is over
	_ = c.env.Close()
}

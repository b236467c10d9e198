package main

import (
	"context"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// NATS: asynchronous publishing with a window, and a pull consumer that asks for more before it runs out, as the documentation of nats.go
// says; acks are explicit, one for each message. Topics are subjects of one file stream. Keys are headers, idempotency keys Nats-Msg-Id with the
// stream's default window of two minutes.
type natsPeer struct {
	plan    *plan
	conn    *nats.Conn
	js      jetstream.JetStream
	options []nats.Option
}

const (
	natsPull = 5_000 // messages asked for at a time
	// The server syncs each message by itself and answers a whole window at once.
	natsSyncedWindow = 500
)

func connectNATS(_ context.Context, p *plan) (peer, error) {
	config, err := tlsOf(p.authority)
	if err != nil {
		return nil, err
	}
	n := &natsPeer{plan: p, options: []nats.Option{nats.Timeout(5 * time.Second)}}
	if config != nil {
		n.options = append(n.options, nats.Secure(config))
	}
	if n.conn, err = nats.Connect(p.endpoint, n.options...); err != nil {
		return nil, err
	}
	n.js, err = jetstream.New(n.conn)
	return n, err
}

func (n *natsPeer) stream() string { return "bench-" + n.plan.run }

func (n *natsPeer) create(ctx context.Context, topics []string) error {
	_, err := n.js.CreateStream(ctx, jetstream.StreamConfig{Name: n.stream(), Subjects: topics, Storage: jetstream.FileStorage,
		Replicas: n.plan.replicas})
	return err
}

func (n *natsPeer) remove(ctx context.Context, _ []string) error {
	return n.js.DeleteStream(ctx, n.stream())
}

func (n *natsPeer) close() { n.conn.Close() }

type natsAck struct {
	future jetstream.PubAckFuture
	dueNs  int64
}

type natsProducer struct {
	conn     *nats.Conn
	js       jetstream.JetStream
	topics   []string
	outcomes *outcomes
	acks     *inOrder[natsAck]
}

func (n *natsPeer) producer(_ context.Context, topics []string, o *outcomes) (producer, error) {
	conn, err := nats.Connect(n.plan.endpoint, n.options...)
	if err != nil {
		return nil, err
	}
	limit := window(n.plan.size)
	if n.plan.synced {
		limit = min(limit, natsSyncedWindow)
	}
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(2*limit))
	if err != nil {
		conn.Close()
		return nil, err
	}
	acks := newInOrder(limit, func(a natsAck) {
		select {
		case <-a.future.Ok():
			o.acked(a.dueNs)
		case err := <-a.future.Err():
			o.fail(err)
		}
	})
	return &natsProducer{conn: conn, js: js, topics: topics, outcomes: o, acks: acks}, nil
}

func (p *natsProducer) publish(r *record) {
	m := &nats.Msg{Subject: p.topics[r.topic], Data: r.value}
	if r.key != nil {
		m.Header = nats.Header{"Key": []string{string(r.key)}}
	}
	if r.id != 0 {
		if m.Header == nil {
			m.Header = nats.Header{}
		}
		m.Header.Set(jetstream.MsgIDHeader, strconv.FormatUint(r.id, 36))
	}
	future, err := p.js.PublishMsgAsync(m)
	if err != nil {
		p.outcomes.fail(err)
		return
	}
	p.acks.add(natsAck{future, r.dueNs})
}

func (p *natsProducer) flush(ctx context.Context) error { return p.acks.flush(ctx) }

func (p *natsProducer) close() {
	p.acks.close()
	p.conn.Close()
}

type natsConsumer struct {
	conn     *nats.Conn
	consumes jetstream.ConsumeContext
}

func (n *natsPeer) consumer(ctx context.Context, topic, group string, show func([]byte)) (consumer, error) {
	conn, err := nats.Connect(n.plan.endpoint, n.options...)
	if err != nil {
		return nil, err
	}
	c := &natsConsumer{conn: conn}
	js, err := jetstream.New(conn)
	if err == nil {
		var pull jetstream.Consumer
		pull, err = js.CreateOrUpdateConsumer(ctx, n.stream(), jetstream.ConsumerConfig{Durable: group, FilterSubject: topic,
			AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 4 * natsPull})
		if err == nil {
			c.consumes, err = pull.Consume(func(m jetstream.Msg) {
				show(m.Data())
				_ = m.Ack() // one that is lost is delivered again, and shows in the count
			}, jetstream.PullMaxMessages(natsPull))
		}
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *natsConsumer) flush(ctx context.Context) error { return c.conn.FlushWithContext(ctx) }

func (c *natsConsumer) close() {
	c.consumes.Stop()
	c.conn.Close()
}

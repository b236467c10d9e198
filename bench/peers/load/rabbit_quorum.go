package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
)

// RabbitMQ quorum queues: publisher confirms with a window, a prefetch of 1,000, and acks of up to 100 at once ("multiple"), as its guides on
// confirms and on prefetch say. The queue syncs before it confirms, always: it has no other durability.
type quorumPeer struct {
	plan  *plan
	conn  *amqp.Connection
	admin *amqp.Channel
}

const (
	quorumPrefetch = 1_000
	quorumAcks     = 100
)

func connectQuorum(_ context.Context, p *plan) (peer, error) {
	if p.idempotent {
		return nil, errors.Join(errUnable, errors.New("quorum queues know no idempotency keys"))
	}
	q := &quorumPeer{plan: p}
	var err error
	if q.conn, err = q.connect(); err != nil {
		return nil, err
	}
	q.admin, err = q.conn.Channel()
	return q, err
}

func (q *quorumPeer) connect() (*amqp.Connection, error) {
	config, err := tlsOf(q.plan.authority)
	if err != nil {
		return nil, err
	}
	scheme := "amqp"
	if config != nil {
		scheme = "amqps"
	}
	url := fmt.Sprintf("%s://guest:guest@%s/", scheme, strings.Split(q.plan.endpoint, ",")[0])
	return amqp.DialConfig(url, amqp.Config{TLSClientConfig: config})
}

func (q *quorumPeer) create(_ context.Context, topics []string) error {
	arguments := amqp.Table{"x-queue-type": "quorum", "x-quorum-initial-group-size": int32(q.plan.replicas)}
	for _, topic := range topics {
		if _, err := q.admin.QueueDeclare(topic, true, false, false, false, arguments); err != nil {
			return err
		}
	}
	return nil
}

func (q *quorumPeer) remove(_ context.Context, topics []string) error {
	for _, topic := range topics {
		if _, err := q.admin.QueueDelete(topic, false, false, false); err != nil {
			return err
		}
	}
	return nil
}

func (q *quorumPeer) close() { _ = q.conn.Close() } // nothing is pending

type quorumConfirm struct {
	confirm *amqp.DeferredConfirmation
	dueNs   int64
}

type quorumProducer struct {
	conn     *amqp.Connection
	channel  *amqp.Channel
	topics   []string
	outcomes *outcomes
	confirms *inOrder[quorumConfirm]
}

func (q *quorumPeer) producer(_ context.Context, topics []string, o *outcomes) (producer, error) {
	conn, err := q.connect()
	if err != nil {
		return nil, err
	}
	channel, err := conn.Channel()
	if err == nil {
		err = channel.Confirm(false)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	confirms := newInOrder(window(q.plan.size), func(c quorumConfirm) {
		if c.confirm.Wait() {
			o.acked(c.dueNs)
		} else {
			o.fail(errors.New("the broker refused a message"))
		}
	})
	return &quorumProducer{conn: conn, channel: channel, topics: topics, outcomes: o, confirms: confirms}, nil
}

func (p *quorumProducer) publish(r *record) {
	message := amqp.Publishing{DeliveryMode: amqp.Persistent, Body: r.value, MessageId: string(r.key)}
	confirm, err := p.channel.PublishWithDeferredConfirm("", p.topics[r.topic], false, false, message)
	if err != nil {
		p.outcomes.fail(err)
		return
	}
	p.confirms.add(quorumConfirm{confirm, r.dueNs})
}

func (p *quorumProducer) flush(ctx context.Context) error { return p.confirms.flush(ctx) }

func (p *quorumProducer) close() {
	p.confirms.close()
	_ = p.conn.Close() // flush came before
}

type quorumConsumer struct {
	conn  *amqp.Connection
	acked chan error
}

func (q *quorumPeer) consumer(_ context.Context, topic, group string, show func([]byte)) (consumer, error) {
	conn, err := q.connect()
	if err != nil {
		return nil, err
	}
	channel, err := conn.Channel()
	if err == nil {
		err = channel.Qos(quorumPrefetch, 0, false)
	}
	var messages <-chan amqp.Delivery
	if err == nil {
		messages, err = channel.Consume(topic, group, false, false, false, false, nil)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	c := &quorumConsumer{conn: conn, acked: make(chan error, 1)}
	go func() {
		pending := 0
		for message := range messages {
			show(message.Body)
			if pending++; pending == quorumAcks || len(messages) == 0 {
				pending = 0
				if err := message.Ack(true); err != nil {
					select {
					case c.acked <- err:
					default:
					}
				}
			}
		}
	}()
	return c, nil
}

func (c *quorumConsumer) flush(context.Context) error {
	select {
	case err := <-c.acked:
		return err
	default:
		return nil
	}
}

func (c *quorumConsumer) close() { _ = c.conn.Close() } // what is measured is over

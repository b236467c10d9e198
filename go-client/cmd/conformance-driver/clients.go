package main

import (
	"context"
	"sync/atomic"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

type openClient struct {
	client *spillway.Client
	events *events
}

// events counts what the metrics hook sees.
type events struct {
	spillway.NoMetrics
	connected, disconnected, sent, resent, acked, failed, throttled, received atomic.Int64
}

func (e *events) OnConnected(string)                     { e.connected.Add(1) }
func (e *events) OnDisconnected(string, *spillway.Error) { e.disconnected.Add(1) }
func (e *events) OnBatchSent(_ string, _, _, _, attempt int) {
	e.sent.Add(1)
	if attempt > 1 {
		e.resent.Add(1)
	}
}
func (e *events) OnBatchAcked(string, int, int, time.Duration) { e.acked.Add(1) }
func (e *events) OnPublishFailed(_ string, _, records int, _ *spillway.Error) {
	e.failed.Add(int64(records))
}
func (e *events) OnThrottled(string, time.Duration)     { e.throttled.Add(1) }
func (e *events) OnBatchReceived(string, int, int, int) { e.received.Add(1) }

func openClientOp(d *driver, a *args) (any, error) {
	name := a.text("client")
	counts := &events{}
	var endpoints []string
	a.require("endpoints")
	a.into("endpoints", &endpoints)
	options := []spillway.Option{spillway.WithEndpoints(endpoints...), spillway.WithMetrics(counts)}
	if a.has("client_name") {
		options = append(options, spillway.WithClientName(a.text("client_name")))
	}
	if a.has("zone") {
		options = append(options, spillway.WithZone(a.text("zone")))
	}
	if a.has("failure_domain") {
		options = append(options, spillway.WithFailureDomain(a.text("failure_domain")))
	}
	if a.has("health_root") {
		options = append(options, spillway.WithHealthRoot(a.text("health_root")))
	}
	for argument, option := range map[string]func(time.Duration) spillway.Option{
		"connect_timeout_ms": spillway.WithConnectTimeout, "wait_for_broker_ms": spillway.WithWaitForBroker,
		"health_interval_ms": spillway.WithHealthInterval, "heartbeat_ms": spillway.WithHeartbeat, "request_timeout_ms": spillway.WithRequestTimeout,
	} {
		if a.has(argument) {
			options = append(options, option(a.millis(argument, 0)))
		}
	}
	if err := a.finish(); err != nil {
		return nil, err
	}
	client, err := spillway.Connect(context.Background(), options...)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clients[name] = &openClient{client, counts}
	return object{}, nil
}

// find returns what was opened under a name.
func find[T any](d *driver, all map[string]T, kind, name string) (T, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found, ok := all[name]
	if !ok {
		return found, driverError("no " + kind + " was opened as " + name)
	}
	return found, nil
}

func (d *driver) client(a *args) (*openClient, error) {
	return find(d, d.clients, "client", a.text("client"))
}

func closeClientOp(d *driver, a *args) (any, error) {
	c, err := d.client(a)
	if err != nil {
		return nil, err
	}
	ctx, cancel := a.timeout(0)
	defer cancel()
	if err := a.finish(); err != nil {
		return nil, err
	}
	c.client.Close(ctx) // what it could not do in time is in the outcomes of the records
	return object{}, nil
}

func clientEventsOp(d *driver, a *args) (any, error) {
	c, err := d.client(a)
	if err != nil {
		return nil, err
	}
	e := c.events
	return object{"connected": e.connected.Load(), "disconnected": e.disconnected.Load(), "batches_sent": e.sent.Load(),
		"batches_resent": e.resent.Load(), "batches_acked": e.acked.Load(), "records_failed": e.failed.Load(),
		"throttled": e.throttled.Load(), "batches_received": e.received.Load()}, a.finish()
}

// admin begins an administrative operation on a topic.
func (d *driver) admin(a *args) (*spillway.Admin, error) {
	c, err := d.client(a)
	if err != nil {
		return nil, err
	}
	return c.client.Admin(), nil
}

func topicOp(call func(ctx context.Context, admin *spillway.Admin, topic string, a *args) (any, error)) operation {
	return func(d *driver, a *args) (any, error) {
		admin, err := d.admin(a)
		if err != nil {
			return nil, err
		}
		return call(context.Background(), admin, a.text("topic"), a)
	}
}

func answer[T any](value T, err error, format func(T) object) (any, error) {
	if err != nil {
		return nil, err
	}
	return format(value), nil
}

var createTopicOp = topicOp(func(ctx context.Context, admin *spillway.Admin, topic string, a *args) (any, error) {
	var config map[string]string
	a.into("config", &config)
	a.require("partitions")
	partitions := int(a.number("partitions", 0))
	if err := a.finish(); err != nil {
		return nil, err
	}
	t, err := admin.CreateTopic(ctx, topic, partitions, config)
	return answer(t, err, topicOf)
})

var describeTopicOp = topicOp(func(ctx context.Context, admin *spillway.Admin, topic string, a *args) (any, error) {
	if err := a.finish(); err != nil {
		return nil, err
	}
	t, err := admin.DescribeTopic(ctx, topic)
	return answer(t, err, topicOf)
})

var alterTopicOp = topicOp(func(ctx context.Context, admin *spillway.Admin, topic string, a *args) (any, error) {
	var config map[string]string
	a.require("config")
	a.into("config", &config)
	revision := uint64(a.number("expect_revision", 0))
	if err := a.finish(); err != nil {
		return nil, err
	}
	t, err := admin.AlterTopic(ctx, topic, config, revision)
	return answer(t, err, topicOf)
})

var deleteTopicOp = topicOp(func(ctx context.Context, admin *spillway.Admin, topic string, a *args) (any, error) {
	if err := a.finish(); err != nil {
		return nil, err
	}
	return object{}, admin.DeleteTopic(ctx, topic)
})

func listTopicsOp(d *driver, a *args) (any, error) {
	admin, err := d.admin(a)
	if err == nil {
		err = a.finish()
	}
	if err != nil {
		return nil, err
	}
	topics, err := admin.ListTopics(context.Background())
	names := []string{}
	for _, t := range topics {
		names = append(names, t.Name)
	}
	return object{"topics": names}, err
}

func listGroupsOp(d *driver, a *args) (any, error) {
	admin, err := d.admin(a)
	topic := a.optionalText("topic", "")
	if err == nil {
		err = a.finish()
	}
	if err != nil {
		return nil, err
	}
	groups, err := admin.ListGroups(context.Background(), topic)
	names := []string{}
	for _, g := range groups {
		names = append(names, g.Name)
	}
	return object{"groups": names}, err
}

var describeGroupOp = topicOp(func(ctx context.Context, admin *spillway.Admin, topic string, a *args) (any, error) {
	group := a.text("group")
	if err := a.finish(); err != nil {
		return nil, err
	}
	g, err := admin.DescribeGroup(ctx, topic, group)
	return answer(g, err, groupOf)
})

var deleteGroupOp = topicOp(func(ctx context.Context, admin *spillway.Admin, topic string, a *args) (any, error) {
	group := a.text("group")
	if err := a.finish(); err != nil {
		return nil, err
	}
	return object{}, admin.DeleteGroup(ctx, topic, group)
})

var purgeTopicOp = topicOp(func(ctx context.Context, admin *spillway.Admin, topic string, a *args) (any, error) {
	before := a.start("before")
	reason := a.optionalText("reason", "conformance")
	if err := a.finish(); err != nil {
		return nil, err
	}
	t, err := admin.PurgeTopic(ctx, topic, before, reason)
	return answer(t, err, topicOf)
})

var seekGroupOp = topicOp(func(ctx context.Context, admin *spillway.Admin, topic string, a *args) (any, error) {
	group := a.text("group")
	a.require("to")
	to := a.start("to")
	dry := a.flag("dry_run")
	reason := a.optionalText("reason", "conformance")
	if err := a.finish(); err != nil {
		return nil, err
	}
	outcome, err := admin.SeekGroup(ctx, topic, group, to, dry, reason)
	return answer(outcome, err, func(o *spillway.SeekOutcome) object {
		partitions := []any{}
		for _, p := range o.Partitions {
			partitions = append(partitions, object{"partition": p.Partition, "from": p.From, "to": p.To, "end": p.End})
		}
		return object{"applied": o.Applied, "partitions": partitions}
	})
})

package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	spillway "github.com/spillway-io/spillway/go-client"
)

type object = map[string]any

func bytesOf(b []byte) any {
	switch {
	case b == nil:
		return nil
	case utf8.Valid(b):
		return string(b)
	}
	return object{"hex": hex.EncodeToString(b)}
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func recordOf(raw json.RawMessage) (spillway.Record, error) {
	a, err := newArgs(raw)
	if err != nil {
		return spillway.Record{}, err
	}
	a.op = "a record"
	var r spillway.Record
	r.Value = []byte{}
	if a.has("value_size") {
		r.Value = bytes.Repeat([]byte("x"), int(a.number("value_size", 0)))
	} else {
		a.require("value")
		a.into("value", (*content)(&r.Value))
	}
	if a.has("key_size") {
		r.Key = bytes.Repeat([]byte("x"), int(a.number("key_size", 0)))
	}
	a.into("key", (*content)(&r.Key))
	var headers [][2]json.RawMessage
	a.into("headers", &headers)
	for _, pair := range headers {
		h := spillway.Header{Value: []byte{}}
		if err := json.Unmarshal(pair[0], &h.Name); err != nil {
			return r, err
		}
		if err := json.Unmarshal(pair[1], (*content)(&h.Value)); err != nil {
			return r, err
		}
		r.Headers = append(r.Headers, h)
	}
	a.into("idempotency_key", (*content)(&r.IdempotencyKey))
	if a.has("timestamp_ms") {
		r.Timestamp = time.UnixMilli(a.number("timestamp_ms", 0))
	}
	if a.has("partition") {
		partition := int(a.number("partition", 0))
		r.Partition = &partition
	}
	r.TraceParent = a.optionalText("traceparent", "")
	r.CorrelationID = a.optionalText("correlation_id", "")
	if a.has("deliver_at_ms") {
		r.DeliverAt = time.UnixMilli(a.number("deliver_at_ms", 0))
	}
	r.DeliverAfter = a.millis("deliver_after_ms", 0)
	if a.has("expires_at_ms") {
		r.ExpiresAt = time.UnixMilli(a.number("expires_at_ms", 0))
	}
	r.ExpiresAfter = a.millis("expires_after_ms", 0)
	if a.has("first_attempt_ago_ms") {
		r.FirstAttempt = time.Now().Add(-a.millis("first_attempt_ago_ms", 0))
	}
	return r, a.finish()
}

func ackOf(ack spillway.Ack, err error) object {
	if err != nil {
		return object{"error": errorOf(err)}
	}
	return object{"partition": ack.Partition, "offset": ack.Offset, "durability": strings.ToLower(ack.Durability.String()),
		"duplicate": ack.Duplicate, "degraded": ack.Degraded, "append_time_ms": ack.AppendTime.UnixMilli()}
}

func messageOf(number int, m *spillway.Message) object {
	headers := []any{}
	for _, h := range m.Headers() {
		headers = append(headers, []any{h.Name, bytesOf(h.Value)})
	}
	expiresAt, timeLeft := any(nil), any(nil)
	if left, ok := m.TimeLeft(); ok {
		expiresAt, timeLeft = m.ExpiresAt().UnixMilli(), left.Milliseconds()
	}
	return object{"message": number, "failures": m.Failures, "expires_at_ms": expiresAt, "time_left_ms": timeLeft, "topic": m.Topic, "partition": m.Partition, "offset": m.Offset, "key": bytesOf(m.Key),
		"value": bytesOf(m.Value), "headers": headers, "attempt": m.Attempt, "timestamp_ms": m.Timestamp.UnixMilli(),
		"append_time_ms": m.AppendTime().UnixMilli(), "idempotency_key": bytesOf(m.IdempotencyKey()),
		"traceparent": textOrNil(m.TraceParent()), "correlation_id": textOrNil(m.CorrelationID())}
}

func startOf(raw json.RawMessage) (spillway.Start, error) {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		switch name {
		case "earliest":
			return spillway.StartEarliest(), nil
		case "latest":
			return spillway.StartLatest(), nil
		case "group":
			return spillway.StartGroup(), nil
		}
		return spillway.Start{}, driverError("unknown start " + name)
	}
	a, err := newArgs(raw)
	if err != nil {
		return spillway.Start{}, err
	}
	a.op = "a start"
	if a.has("time_ms") {
		return spillway.StartTime(time.UnixMilli(a.number("time_ms", 0))), a.finish()
	}
	a.require("partition")
	a.require("offset")
	return spillway.StartOffset(int(a.number("partition", 0)), a.number("offset", 0)), a.finish()
}

func topicOf(t *spillway.Topic) object {
	partitions := []any{}
	for _, p := range t.Partitions {
		partitions = append(partitions, object{"partition": p.Partition, "start_offset": p.StartOffset,
			"end_offset": p.EndOffset, "visible_offset": p.VisibleOffset})
	}
	return object{"topic": t.Name, "config": t.Config, "revision": t.Revision, "partitions": partitions}
}

func groupOf(g *spillway.Group) object {
	partitions := []any{}
	for _, p := range g.Partitions {
		partitions = append(partitions, object{"partition": p.Partition, "cursor": p.Cursor, "acked_above": p.AckedAbove,
			"in_flight": p.InFlight, "waiting_retry": p.WaitingRetry, "end_offset": p.EndOffset, "backlog": p.Backlog,
			"scheduled": p.Scheduled, "key_blocked": p.KeyBlocked, "dropped": p.Dropped})
	}
	members := []any{}
	for _, m := range g.MemberList {
		members = append(members, object{"name": m.Name, "active": m.Active, "in_flight": m.InFlight})
	}
	config := g.Config
	if config == nil {
		config = map[string]string{}
	}
	return object{"topic": g.Topic, "group": g.Name, "mode": strings.ToLower(g.Mode.String()), "members": g.Members,
		"max_deliveries": g.MaxDeliveries, "revision": g.Revision, "config": config, "paused": g.Paused, "pause_reason": g.PauseReason,
		"acked": g.Acked, "dead_lettered": g.DeadLettered, "member_list": members, "partitions": partitions}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

var durabilities = map[string]spillway.Durability{"mapped": spillway.Mapped, "synced": spillway.Synced, "quorum": spillway.Quorum}

func openProducerOp(d *driver, a *args) (any, error) {
	c, err := d.client(a)
	if err != nil {
		return nil, err
	}
	name, topic := a.text("producer"), a.text("topic")
	var options []spillway.ProducerOption
	if a.has("durability") {
		level, ok := durabilities[a.text("durability")]
		if !ok {
			return nil, driverError("unknown durability " + a.text("durability"))
		}
		options = append(options, spillway.WithDurability(level))
	}
	if a.has("allow_degraded") {
		options = append(options, spillway.WithAllowDegraded(a.flag("allow_degraded")))
	}
	for argument, option := range map[string]func(time.Duration) spillway.ProducerOption{
		"linger_ms": spillway.WithLinger, "max_block_ms": spillway.WithMaxBlock,
		"delivery_timeout_ms": spillway.WithDeliveryTimeout,
	} {
		if a.has(argument) {
			options = append(options, option(a.millis(argument, 0)))
		}
	}
	if a.has("max_batch_bytes") {
		options = append(options, spillway.WithMaxBatchBytes(int(a.number("max_batch_bytes", 0))))
	}
	if a.has("buffer_bytes") {
		options = append(options, spillway.WithBufferBytes(a.number("buffer_bytes", 0)))
	}
	if a.has("shed_class") {
		options = append(options, spillway.WithShedClass(int(a.number("shed_class", 0))))
	}
	if a.has("name") {
		options = append(options, spillway.WithProducerName(a.text("name")))
	}
	if err := a.finish(); err != nil {
		return nil, err
	}
	p, err := c.client.Producer(context.Background(), topic, options...)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.produce[name] = p
	return object{"partitions": p.Partitions()}, nil
}

func (d *driver) producer(a *args) (*spillway.Producer, error) {
	return find(d, d.produce, "producer", a.text("producer"))
}

func publishOp(d *driver, a *args) (any, error) {
	p, err := d.producer(a)
	if err != nil {
		return nil, err
	}
	var raws []json.RawMessage
	a.require("records")
	a.into("records", &raws)
	if err := a.finish(); err != nil {
		return nil, err
	}
	var futures []spillway.Future
	for _, raw := range raws {
		record, err := recordOf(raw)
		if err != nil {
			return nil, err
		}
		futures = append(futures, p.PublishAsync(context.Background(), record))
	}
	acks := []object{}
	for _, future := range futures {
		acks = append(acks, ackOf(future.Ack(context.Background())))
	}
	return object{"acks": acks}, nil
}

// tally counts outcomes.
type tally struct {
	sync.Mutex
	acked, duplicates int
	failed            map[string]int
	offsets           map[int][2]int64
}

func (t *tally) count(ack spillway.Ack, err error) {
	t.Lock()
	defer t.Unlock()
	if err != nil {
		var known *spillway.Error
		reason := "DRIVER"
		if errors.As(err, &known) {
			reason = known.Reason
		}
		t.failed[reason]++
		return
	}
	t.acked++
	if ack.Duplicate {
		t.duplicates++
	}
	seen, ok := t.offsets[ack.Partition]
	if !ok {
		seen = [2]int64{ack.Offset, ack.Offset}
	}
	t.offsets[ack.Partition] = [2]int64{min(seen[0], ack.Offset), max(seen[1], ack.Offset)}
}

func generateOp(d *driver, a *args) (any, error) {
	p, err := d.producer(a)
	if err != nil {
		return nil, err
	}
	a.require("count")
	count, first, size := a.number("count", 0), a.number("first", 0), int(a.number("size", 16))
	prefix, keys := a.optionalText("key_prefix", ""), a.number("keys", 1<<62)
	hasPrefix := a.has("key_prefix")
	idempotency, hasIdempotency := a.optionalText("idempotency_prefix", ""), a.has("idempotency_prefix")
	perSecond := a.number("per_second", 0)
	if err := a.finish(); err != nil {
		return nil, err
	}
	t := &tally{failed: map[string]int{}, offsets: map[int][2]int64{}}
	var open sync.WaitGroup
	began := time.Now()
	for i := first; i < first+count; i++ {
		if perSecond > 0 {
			due := began.Add(time.Duration(i-first) * time.Second / time.Duration(perSecond))
			time.Sleep(time.Until(due))
		}
		record := spillway.Record{Value: padded(i, size)}
		if hasPrefix {
			record.Key = fmt.Appendf(nil, "%s%d", prefix, i%keys)
		}
		if hasIdempotency {
			record.IdempotencyKey = fmt.Appendf(nil, "%s%d", idempotency, i)
		}
		open.Add(1)
		p.PublishFunc(context.Background(), record, func(ack spillway.Ack, err error) {
			defer open.Done()
			t.count(ack, err)
		})
	}
	open.Wait()
	return object{"acked": t.acked, "duplicates": t.duplicates, "failed": t.failed, "offsets": t.offsets}, nil
}

func padded(i int64, size int) []byte {
	value := fmt.Appendf(nil, "%d", i)
	return append(value, bytes.Repeat([]byte("."), max(0, size-len(value)))...)
}

func tryPublishOp(d *driver, a *args) (any, error) {
	p, err := d.producer(a)
	if err != nil {
		return nil, err
	}
	a.require("record")
	record, err := recordOf(a.values["record"])
	if err == nil {
		err = a.finish()
	}
	if err != nil {
		return nil, err
	}
	_, accepted := p.TryPublish(record)
	return object{"accepted": accepted}, nil
}

func flushOp(d *driver, a *args) (any, error) {
	p, err := d.producer(a)
	if err != nil {
		return nil, err
	}
	ctx, cancel := a.timeout(30 * time.Second)
	defer cancel()
	if err := a.finish(); err != nil {
		return nil, err
	}
	return object{}, p.Flush(ctx)
}

func closeProducerOp(d *driver, a *args) (any, error) {
	p, err := d.producer(a)
	if err != nil {
		return nil, err
	}
	ctx, cancel := a.timeout(0)
	defer cancel()
	if err := a.finish(); err != nil {
		return nil, err
	}
	p.Close(ctx) // what it could not do in time is in the outcomes of the records
	return object{}, nil
}

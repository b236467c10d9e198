package spillway_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// pressures that a listener has heard.
type pressures struct {
	mu    sync.Mutex
	heard []spillway.Pressure
}

func (p *pressures) hear(one spillway.Pressure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, one)
}

func (p *pressures) last() spillway.Pressure {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.heard) == 0 {
		return spillway.Pressure{}
	}
	return p.heard[len(p.heard)-1]
}

type pressureMetrics struct {
	spillway.NoMetrics
	pressures
}

func (m *pressureMetrics) OnPressure(p spillway.Pressure) { m.hear(p) }

func slowDisk(seq uint64, retryAfterMs uint32) *pb.Backpressure {
	return &pb.Backpressure{Seq: seq, State: pb.PressureState_P_THROTTLED, Scope: "broker", RetryAfterMs: retryAfterMs,
		Reasons: []pb.PressureReason{pb.PressureReason_R_DISK_LATENCY}}
}

func TestTheApplicationSeesThePressureOfItsBroker(t *testing.T) {
	c := newCluster(t, 1)
	c.lead(0)
	heard, metrics := &pressures{}, &pressureMetrics{}
	client := c.client(spillway.WithEndpoints(c.endpoint(0)), spillway.WithOnPressure(heard.hear), spillway.WithMetrics(metrics))
	producer := open[*spillway.Producer](t)(client.Producer(soon(t), "t"))
	if !producer.MayPublish() || client.Pressure().State != spillway.PressureNormal {
		t.Fatalf("it begins with %v", client.Pressure())
	}

	c.tell(0, wire.Backpressure, slowDisk(1, 20_000))
	until(t, "the listener to hear of it", func() bool { return heard.last().State == spillway.PressureThrottled })
	p := producer.Pressure()
	if p.Reason() != "DISK_LATENCY" || p.Scope != "broker" || p.Of != "connection" || p.RetryAfter < time.Second ||
		heard.last().Reason() != "DISK_LATENCY" || metrics.last().State != spillway.PressureThrottled {
		t.Errorf("it is told of %v, the listener of %v, the metrics of %v", p, heard.last(), metrics.last())
	}
	if producer.MayPublish() {
		t.Error("it may publish while the gate is closed")
	}

	c.tell(0, wire.Backpressure, &pb.Backpressure{Seq: 2})
	until(t, "the end of it", func() bool { return heard.last().State == spillway.PressureNormal && producer.MayPublish() })
}

func TestAPublishThatWaitedForThePressureToEndSaysWhatItWas(t *testing.T) {
	c := newCluster(t, 1)
	c.lead(0)
	client := c.client(spillway.WithEndpoints(c.endpoint(0)))
	producer := open[*spillway.Producer](t)(client.Producer(soon(t), "t", spillway.WithDeliveryTimeout(300*time.Millisecond)))
	c.tell(0, wire.Backpressure, slowDisk(1, 20_000))
	until(t, "the signal", func() bool { return client.Pressure().State == spillway.PressureThrottled })

	_, err := producer.Publish(soon(t), spillway.Record{Value: []byte("x")})
	var e *spillway.Error
	if !errors.Is(err, spillway.ErrThrottled) || !errors.As(err, &e) || !strings.Contains(e.Why, "throttled, because of DISK_LATENCY") ||
		e.Details["pressure_reason"] != "DISK_LATENCY" || e.Details["pressure_scope"] != "broker" ||
		e.Details["pressure_state"] != "THROTTLED" || e.RetryAfter == 0 || e.OutcomeUnknown() {
		t.Errorf("it fails with %v, %v", err, e)
	}
}

func TestAPublishThatWaitedForCreditSaysSo(t *testing.T) {
	c := newCluster(t, 1)
	c.with(func() { c.credit = &pb.Credit{MaxBatches: 1, MaxBytes: 1 << 20} })
	c.lead(0)
	client := c.client(spillway.WithEndpoints(c.endpoint(0)))
	producer := open[*spillway.Producer](t)(client.Producer(soon(t), "t", spillway.WithDeliveryTimeout(300*time.Millisecond)))
	open[spillway.Ack](t)(producer.Publish(soon(t), spillway.Record{Value: []byte("x")}))
	if producer.MayPublish() {
		t.Error("it may publish without credit")
	}
	_, err := producer.Publish(soon(t), spillway.Record{Value: []byte("y")})
	var e *spillway.Error
	if !errors.Is(err, spillway.ErrThrottled) || !errors.As(err, &e) || e.Details["pressure_reason"] != "CREDIT" {
		t.Errorf("it fails with %v", err)
	}
}

func TestARefusalForLoadIsPressureOfItsPartition(t *testing.T) {
	c := newCluster(t, 1)
	c.with(func() {
		c.refused = &pb.Error{Code: 600, Reason: "THROTTLED", Message: "refused", Cause: "the cluster has not agreed",
			Retry: pb.RetryClass_RETRY_SAFE, RetryAfterMs: 20, Metadata: map[string]string{"reason": "REPLICATION"}}
	})
	c.lead(0)
	heard := &pressures{}
	client := c.client(spillway.WithEndpoints(c.endpoint(0)), spillway.WithOnPressure(heard.hear))
	producer := open[*spillway.Producer](t)(client.Producer(soon(t), "t"))
	outcome := producer.PublishAsync(soon(t), spillway.Record{Value: []byte("x")})
	until(t, "the listener to hear of it", func() bool {
		p := heard.last()
		return p.State == spillway.PressureThrottled && p.Of == "t/0" && p.Reason() == "REPLICATION"
	})
	if p := producer.Pressure(); p.Of != "t/0" || p.State != spillway.PressureThrottled {
		t.Errorf("the producer says %v", p)
	}
	c.with(func() { c.refused = nil })
	open[spillway.Ack](t)(outcome.Ack(soon(t)))
	until(t, "the end of it", func() bool { return heard.last().State == spillway.PressureNormal && heard.last().Of == "t/0" })
}

func overloaded(scope, class string) *pb.Error {
	e := &pb.Error{Code: 601, Reason: "OVERLOADED", Message: "refused", Cause: "too much waits", Retry: pb.RetryClass_RETRY_SAFE,
		RetryAfterMs: 1_500, Metadata: map[string]string{"reason": "MEMORY", "scope": scope}}
	if class != "" {
		e.Metadata["shed_class"] = class
	}
	return e
}

func TestWhatWouldBeRefusedForTheSameReasonWaitsInTheBuffer(t *testing.T) {
	c := newCluster(t, 1)
	c.with(func() { c.refused, c.refuses = overloaded("domain:go", ""), 1 })
	c.lead(0)
	heard := &pressures{}
	client := c.client(spillway.WithEndpoints(c.endpoint(0)), spillway.WithOnPressure(heard.hear))
	refused := open[*spillway.Producer](t)(client.Producer(soon(t), "t"))
	other := open[*spillway.Producer](t)(client.Producer(soon(t), "u"))
	first := refused.PublishAsync(soon(t), spillway.Record{Value: []byte("x")})
	until(t, "the listener to hear of it", func() bool {
		p := heard.last()
		return p.State == spillway.PressureOverloaded && p.Of == "connection" && p.Reason() == "MEMORY" && p.Scope == "domain:go"
	})
	if other.MayPublish() || other.Pressure().State != spillway.PressureOverloaded {
		t.Errorf("the other one may publish: %v", other.Pressure())
	}
	open[spillway.Ack](t)(other.Publish(soon(t), spillway.Record{Value: []byte("y")}))
	open[spillway.Ack](t)(first.Ack(soon(t)))
	c.with(func() {
		if c.came != 3 {
			t.Errorf("%d publishes came: one is refused, and each comes once", c.came)
		}
	})
	until(t, "the end of it", func() bool { return client.Pressure().State == spillway.PressureNormal })
}

func TestARefusalOfATopicOrOfAClassHoldsNothingElse(t *testing.T) {
	c := newCluster(t, 1)
	c.lead(0)
	heard := &pressures{}
	client := c.client(spillway.WithEndpoints(c.endpoint(0)), spillway.WithOnPressure(heard.hear))
	bulk := open[*spillway.Producer](t)(client.Producer(soon(t), "t", spillway.WithShedClass(3)))
	urgent := open[*spillway.Producer](t)(client.Producer(soon(t), "t", spillway.WithShedClass(0)))
	other := open[*spillway.Producer](t)(client.Producer(soon(t), "u"))
	refuse := func(e *pb.Error) spillway.Future {
		c.with(func() { c.refused, c.refuses = e, 1 })
		outcome := bulk.PublishAsync(soon(t), spillway.Record{Value: []byte("x")})
		until(t, "the listener to hear of it", func() bool {
			return heard.last().State == spillway.PressureOverloaded && heard.last().Of == "t"
		})
		return outcome
	}
	goesOn := func(held spillway.Future, p *spillway.Producer) {
		open[spillway.Ack](t)(p.Publish(soon(t), spillway.Record{Value: []byte("y")}))
		select {
		case <-held.Done():
			t.Error("what is held went first")
		default:
		}
		open[spillway.Ack](t)(held.Ack(soon(t)))
		until(t, "the end of it", func() bool { return bulk.Pressure().State == spillway.PressureNormal })
	}

	held := refuse(overloaded("broker", "3"))
	if bulk.MayPublish() || !urgent.MayPublish() {
		t.Errorf("bulk %v, urgent %v", bulk.Pressure(), urgent.Pressure())
	}
	goesOn(held, urgent)

	held = refuse(overloaded("topic:t", ""))
	if urgent.MayPublish() || !other.MayPublish() {
		t.Errorf("urgent %v, other %v", urgent.Pressure(), other.Pressure())
	}
	goesOn(held, other)
}

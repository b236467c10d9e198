// Package prometheus shows what a client does as Prometheus metrics. It is a module of its own, so that the client forces
// no dependency on anybody.
//
//	import spillwayprom "github.com/spillway-io/spillway/go-client/prometheus"
//
//	metrics, err := spillwayprom.New(prometheus.DefaultRegisterer)
//	client, err := spillway.Connect(ctx, spillway.WithMetrics(metrics))
package prometheus

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	spillway "github.com/spillway-io/spillway/go-client"
)

// Metrics implements spillway.Metrics. Several clients of a process may share one. Safe for concurrent use.
type Metrics struct {
	connections     *prometheus.CounterVec
	disconnections  *prometheus.CounterVec
	recordsSent     *prometheus.CounterVec
	bytesSent       *prometheus.CounterVec
	batchesResent   *prometheus.CounterVec
	recordsAcked    *prometheus.CounterVec
	ackLatency      *prometheus.HistogramVec
	recordsFailed   *prometheus.CounterVec
	throttled       *prometheus.CounterVec
	pressure        *prometheus.GaugeVec
	health          prometheus.Gauge
	recordsReceived *prometheus.CounterVec
	bytesReceived   *prometheus.CounterVec
}

var _ spillway.Metrics = (*Metrics)(nil)

// New registers the metrics, each named spillway_client_... . Fails when one is registered already: make one Metrics and give
// it to every client.
func New(registerer prometheus.Registerer) (*Metrics, error) {
	if registerer == nil {
		return nil, errors.New("the registerer is nil; next: give prometheus.DefaultRegisterer or one of your own")
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "spillway", Subsystem: "client", Name: name, Help: help}, labels)
	}
	m := &Metrics{
		connections:     counter("connections_total", "Connections that were opened.", "endpoint"),
		disconnections:  counter("disconnections_total", "Connections, and attempts to get one, that failed.", "endpoint", "reason"),
		recordsSent:     counter("records_sent_total", "Records sent, those sent again included.", "topic"),
		bytesSent:       counter("sent_bytes_total", "Bytes of batches sent, those sent again included.", "topic"),
		batchesResent:   counter("batches_resent_total", "Batches sent again.", "topic"),
		recordsAcked:    counter("records_acked_total", "Records acked by the broker.", "topic"),
		recordsFailed:   counter("records_failed_total", "Records that failed for good.", "topic", "reason"),
		throttled:       counter("throttled_total", "Times that the broker asked to wait.", "scope"),
		recordsReceived: counter("records_received_total", "Records delivered.", "topic"),
		bytesReceived:   counter("received_bytes_total", "Bytes of batches delivered.", "topic"),
		pressure: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "spillway", Subsystem: "client", Name: "pressure_state",
			Help: "What the broker says: 0 normal, 1 elevated, 2 throttled, 3 overloaded, 4 read-only."}, []string{"of"}),
		health: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "spillway", Subsystem: "client", Name: "health_state",
			Help: "How the client is: 0 ready, 1 degraded, 2 critical, 3 draining."}),
		ackLatency: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "spillway", Subsystem: "client",
			Name: "ack_latency_seconds", Help: "From the sending of a batch to its ack.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 18)}, []string{"topic"}),
	}
	for _, collector := range []prometheus.Collector{m.connections, m.disconnections, m.recordsSent, m.bytesSent,
		m.batchesResent, m.recordsAcked, m.ackLatency, m.recordsFailed, m.throttled, m.pressure, m.health, m.recordsReceived, m.bytesReceived} {
		if err := registerer.Register(collector); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// OnConnected counts.
func (m *Metrics) OnConnected(endpoint string) { m.connections.WithLabelValues(endpoint).Inc() }

// OnDisconnected counts by reason.
func (m *Metrics) OnDisconnected(endpoint string, cause *spillway.Error) {
	m.disconnections.WithLabelValues(endpoint, cause.Reason).Inc()
}

// OnBatchSent counts records, bytes and repetitions.
func (m *Metrics) OnBatchSent(topic string, _, records, bytes, attempt int) {
	m.recordsSent.WithLabelValues(topic).Add(float64(records))
	m.bytesSent.WithLabelValues(topic).Add(float64(bytes))
	if attempt > 1 {
		m.batchesResent.WithLabelValues(topic).Inc()
	}
}

// OnBatchAcked counts records and observes the latency.
func (m *Metrics) OnBatchAcked(topic string, _, records int, latency time.Duration) {
	m.recordsAcked.WithLabelValues(topic).Add(float64(records))
	m.ackLatency.WithLabelValues(topic).Observe(latency.Seconds())
}

// OnPublishFailed counts records by reason.
func (m *Metrics) OnPublishFailed(topic string, _, records int, err *spillway.Error) {
	m.recordsFailed.WithLabelValues(topic, err.Reason).Add(float64(records))
}

// OnThrottled counts.
func (m *Metrics) OnThrottled(scope string, _ time.Duration) {
	m.throttled.WithLabelValues(scope).Inc()
}

// OnPressure shows the state.
func (m *Metrics) OnPressure(p spillway.Pressure) {
	m.pressure.WithLabelValues(p.Of).Set(float64(p.State))
}

// OnHealth shows the state.
func (m *Metrics) OnHealth(h spillway.Health) { m.health.Set(float64(h.State)) }

// OnBatchReceived counts records and bytes.
func (m *Metrics) OnBatchReceived(topic string, _, records, bytes int) {
	m.recordsReceived.WithLabelValues(topic).Add(float64(records))
	m.bytesReceived.WithLabelValues(topic).Add(float64(bytes))
}

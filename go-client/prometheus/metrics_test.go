package prometheus

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	spillway "github.com/spillway-io/spillway/go-client"
)

func TestCountsWhatAClientDoes(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	m, err := New(registry)
	if err != nil {
		t.Fatal(err)
	}

	m.OnConnected("e:1")
	m.OnDisconnected("e:1", &spillway.Error{Reason: "CONNECTION_LOST"})
	m.OnBatchSent("t", 0, 3, 300, 1)
	m.OnBatchSent("t", 0, 3, 300, 2)
	m.OnBatchAcked("t", 0, 3, time.Millisecond)
	m.OnPublishFailed("t", 0, 2, &spillway.Error{Reason: "OVERLOADED"})
	m.OnThrottled("connection", time.Second)
	m.OnPressure(spillway.Pressure{Of: "connection", State: spillway.PressureThrottled})
	m.OnHealth(spillway.Health{State: spillway.HealthDegraded})
	m.OnBatchReceived("t", 0, 5, 500)

	want := `
spillway_client_batches_resent_total{topic="t"} 1
spillway_client_connections_total{endpoint="e:1"} 1
spillway_client_disconnections_total{endpoint="e:1",reason="CONNECTION_LOST"} 1
spillway_client_received_bytes_total{topic="t"} 500
spillway_client_records_acked_total{topic="t"} 3
spillway_client_records_failed_total{reason="OVERLOADED",topic="t"} 2
spillway_client_records_received_total{topic="t"} 5
spillway_client_records_sent_total{topic="t"} 6
spillway_client_sent_bytes_total{topic="t"} 600
spillway_client_throttled_total{scope="connection"} 1
spillway_client_pressure_state{of="connection"} 2
spillway_client_health_state 1
`
	for _, line := range strings.Split(strings.TrimSpace(want), "\n") {
		if !strings.Contains(exposition(t, registry), line+"\n") {
			t.Errorf("missing: %s", line)
		}
	}
	if n := testutil.CollectAndCount(m.ackLatency); n != 1 {
		t.Errorf("%d latency series", n)
	}
}

func exposition(t *testing.T, registry *prometheus.Registry) string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}

func TestRegistersOnce(t *testing.T) {
	registry := prometheus.NewRegistry()
	if _, err := New(registry); err != nil {
		t.Fatal(err)
	}

	if _, err := New(registry); err == nil {
		t.Error("a second one is registered")
	}
	if _, err := New(nil); err == nil {
		t.Error("nil is taken for a registerer")
	}
}

package spillway_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
	"github.com/spillway-io/spillway/go-client/internal/pb"
)

const quick = 200 * time.Millisecond

// healthy is a cluster of one node that reads health reports.
func healthy(t *testing.T) *cluster {
	c := newCluster(t, 1)
	c.with(func() { c.features = []uint32{1} })
	c.lead(0)
	return c
}

// last report that came; nil when none did.
func (c *cluster) last() (report *pb.HealthReport) {
	c.with(func() {
		if n := len(c.reports); n > 0 {
			report = c.reports[n-1]
		}
	})
	return report
}

func (c *cluster) lastPaused() (paused bool) {
	c.with(func() { paused = len(c.paused) > 0 && c.paused[len(c.paused)-1] })
	return paused
}

// machine is a directory in which the files of Linux say what a test wants.
func machine(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestABrokerThatReadsHealthReportsGetsThem(t *testing.T) {
	c := healthy(t)
	client := c.client(spillway.WithEndpoints(c.endpoint(0)))
	joined(t, client)
	until(t, "two reports", func() bool { return c.last().GetSeq() >= 2 })
	if report := c.last(); report.GetIntervalMs() != 1000 || report.GetState() > 2 {
		t.Errorf("it says %v", report)
	}
	if client.Health().State > spillway.HealthCritical {
		t.Errorf("it is %v", client.Health())
	}
}

// joined is a member of a group, for whom health matters.
func joined(t *testing.T, client *spillway.Client) *spillway.Subscription {
	t.Helper()
	return open[*spillway.Subscription](t)(client.Subscribe(soon(t), "t", spillway.WithGroup("g")))
}

func TestAClientWithoutASubscriptionReportsNothing(t *testing.T) {
	c := healthy(t)
	var asked atomic.Int32
	client := c.client(spillway.WithEndpoints(c.endpoint(0)), spillway.WithHealthInterval(quick),
		spillway.WithAppHealth(func() spillway.AppHealth { asked.Add(1); return spillway.AppHealth{} }))
	until(t, "two samples", func() bool { return asked.Load() >= 2 })
	describe(t, client)
	if c.last() != nil {
		t.Errorf("a report came: %v", c.last())
	}
	first := joined(t, client)
	until(t, "a report", func() bool { return c.last() != nil })
	if err := first.Close(soon(t)); err != nil {
		t.Fatal(err)
	}
	before := c.last().GetSeq()
	joined(t, client)
	until(t, "reports that go on", func() bool { return c.last().GetSeq() > before })
}

func TestABrokerThatDoesNotReadHealthReportsGetsNone(t *testing.T) {
	c := newCluster(t, 1) // it fails the test when one comes
	c.lead(0)
	var asked atomic.Int32
	client := c.client(spillway.WithEndpoints(c.endpoint(0)), spillway.WithHealthInterval(quick),
		spillway.WithAppHealth(func() spillway.AppHealth { asked.Add(1); return spillway.AppHealth{} }))
	joined(t, client)
	until(t, "two samples", func() bool { return asked.Load() >= 2 })
	describe(t, client)
}

func TestHealthReportsCanBeTurnedOff(t *testing.T) {
	c := healthy(t)
	client := c.client(spillway.WithEndpoints(c.endpoint(0)), spillway.WithHealthInterval(0),
		spillway.WithAppHealth(func() spillway.AppHealth { t.Error("it was asked"); return spillway.AppHealth{} }))
	joined(t, client)
	describe(t, client)
	if c.last() != nil || client.Health().State != spillway.HealthReady {
		t.Errorf("a report came: %v", c.last())
	}
}

func TestTheApplicationSaysHowItIs(t *testing.T) {
	c := healthy(t)
	var ill atomic.Bool
	metrics := &healthMetrics{}
	client := c.client(spillway.WithEndpoints(c.endpoint(0)), spillway.WithHealthInterval(quick), spillway.WithMetrics(metrics),
		spillway.WithAppHealth(func() spillway.AppHealth {
			if ill.Load() {
				return spillway.AppHealth{State: spillway.HealthCritical, UtilPm: 930}
			}
			return spillway.AppHealth{}
		}))
	joined(t, client)
	until(t, "a first report", func() bool { return c.last() != nil })
	ill.Store(true)
	until(t, "a critical state", func() bool {
		return c.last().GetState() == 2 && c.last().GetHandoffRequested() && slices.Contains(c.last().GetReasons(), 8) &&
			c.last().GetAppUtilPm() >= 930
	})
	if h := client.Health(); h.State != spillway.HealthCritical || !h.HandoffRequested || !slices.Contains(h.Reasons, "MANUAL") {
		t.Errorf("the client says %v", h)
	}
	if !metrics.critical.Load() {
		t.Error("the metrics were not told")
	}
}

type healthMetrics struct {
	spillway.NoMetrics
	critical atomic.Bool
}

func (m *healthMetrics) OnHealth(h spillway.Health) {
	if h.State == spillway.HealthCritical {
		m.critical.Store(true)
	}
}

func TestMemoryThatIsNearlyGoneIsCriticalAndPausesDeliveries(t *testing.T) {
	c := healthy(t)
	root := machine(t, map[string]string{"sys/fs/cgroup/memory.max": "1000\n"})
	client := c.client(spillway.WithEndpoints(c.endpoint(0)), spillway.WithHealthInterval(quick), spillway.WithHealthRoot(root))
	joined(t, client)
	until(t, "a critical state", func() bool { return c.last().GetState() == 2 && c.last().GetMemPm() == 1000 })
	until(t, "a pause", c.lastPaused)
	if err := os.WriteFile(filepath.Join(root, "sys/fs/cgroup/memory.max"), []byte("max\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "deliveries again", func() bool { return !c.lastPaused() })
}

func TestStallsForMemoryAreSeenInTheFilesOfLinux(t *testing.T) {
	c := healthy(t)
	root := machine(t, map[string]string{
		"proc/pressure/memory": "some avg10=9.50 avg60=1.00 avg300=0.10 total=1\nfull avg10=1.25 avg60=0.10 avg300=0.01 total=1\n",
		"proc/pressure/io":     "some avg10=30.00 avg60=1.00 avg300=0.10 total=1\nfull avg10=2.00 avg60=0.10 avg300=0.01 total=1\n",
	})
	joined(t, c.client(spillway.WithEndpoints(c.endpoint(0)), spillway.WithHealthInterval(quick), spillway.WithHealthRoot(root)))
	until(t, "a degraded state", func() bool { return c.last().GetState() == 1 && slices.Contains(c.last().GetReasons(), 2) })
	if r := c.last(); r.GetPsiMemSomePm() != 95 || r.GetPsiMemFullPm() != 12 || r.GetPsiIoSomePm() != 300 || r.GetPsiIoFullPm() != 20 {
		t.Errorf("it says %v", r)
	}
}

func TestWhatHandlersDoIsReported(t *testing.T) {
	c := healthy(t)
	client := c.client(spillway.WithEndpoints(c.endpoint(0)), spillway.WithHealthInterval(quick))
	producer := open[*spillway.Producer](t)(client.Producer(soon(t), "t"))
	open[spillway.Ack](t)(producer.Publish(soon(t), spillway.Record{Value: []byte("x")}))
	sub := joined(t, client)
	ctx, cancel := context.WithCancel(soon(t))
	release := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- sub.Consume(ctx, 2, func(context.Context, *spillway.Message) error {
			<-release
			return context.DeadlineExceeded // any error
		})
	}()
	until(t, "a handler at work", func() bool { return c.last().GetInflight() == 1 && c.last().GetMaxInflight() == 2 })
	close(release)
	// A report may come after the handler's end and before its record is settled.
	for what, says := range map[string]func(*pb.HealthReport) bool{
		"a record that was settled":     func(r *pb.HealthReport) bool { return r.GetRpsMilli() > 0 },
		"a failure of a handler":        func(r *pb.HealthReport) bool { return r.GetEpsMilli() > 0 },
		"a handler that took its while": func(r *pb.HealthReport) bool { return r.GetHandlerP99Us() > 1_000 },
	} {
		until(t, what, func() bool {
			said := false
			c.with(func() { said = slices.ContainsFunc(c.reports, says) })
			return said
		})
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAClientThatDrainsSaysSo(t *testing.T) {
	c := healthy(t)
	client := c.client(spillway.WithEndpoints(c.endpoint(0)))
	producer := open[*spillway.Producer](t)(client.Producer(soon(t), "t"))
	open[spillway.Ack](t)(producer.Publish(soon(t), spillway.Record{Value: []byte("x")}))
	sub := joined(t, client)
	messages := open[[]*spillway.Message](t)(sub.Fetch(soon(t), 1))
	drained := make(chan error, 1)
	go func() { drained <- sub.Drain(soon(t)) }()
	until(t, "the client to say that it drains", func() bool { return c.last().GetState() == 3 })
	messages[0].Ack()
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

func TestOptionsOfHealthAreChecked(t *testing.T) {
	_, err := spillway.Connect(soon(t), spillway.WithHealthInterval(time.Millisecond))
	if err == nil {
		t.Error("an interval of 1 ms was taken")
	}
}

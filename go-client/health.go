package spillway

import (
	"fmt"
	"math/bits"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/core"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// HealthState says how a client is.
type HealthState uint8

// The states.
const (
	HealthReady HealthState = iota
	HealthDegraded
	HealthCritical
	// HealthDraining: the client, or each of its subscriptions, is being closed.
	HealthDraining
)

var healthNames = [...]string{"READY", "DEGRADED", "CRITICAL", "DRAINING"}

func (s HealthState) String() string { return healthNames[min(int(s), len(healthNames)-1)] }

// AppHealth is what an application says of itself.
type AppHealth struct {
	// State makes the client's no better than this; HealthReady leaves it to what is measured.
	State HealthState
	// UtilPm is how much of what it has the application uses, per mille. From 800 on in two reports it is degraded.
	UtilPm int
}

// Health of a client, as the broker is told.
type Health struct {
	State HealthState
	// Reasons why it is not ready, the worst first: GC, MEMORY, IO_WAIT, SCHED_LATENCY, MANUAL.
	Reasons []string
	// UtilPm is the share of what is used most, per mille: busy handlers, memory, the collector's time, and so on.
	UtilPm int
	// HandoffRequested: it asks that another member has its work.
	HandoffRequested bool
}

var healthReasons = map[core.HealthReason]string{core.ReasonGC: "GC", core.ReasonMemory: "MEMORY", core.ReasonIOWait: "IO_WAIT",
	core.ReasonSchedLatency: "SCHED_LATENCY", core.ReasonManual: "MANUAL"}

// WithHealthInterval says how often the client looks how it is and tells the broker, which gives less to members of a group that
// are not well. Zero turns it off. 200 ms to 10 s, default 1 s.
func WithHealthInterval(interval time.Duration) Option {
	return func(o *options) error {
		o.healthInterval = interval
		if interval == 0 {
			return nil
		}
		return between("the health interval", interval, 200*time.Millisecond, 10*time.Second)
	}
}

// WithAppHealth sets who says how the application is; asked before each report, it must be quick and must not call the client.
// Default: nobody.
func WithAppHealth(ask func() AppHealth) Option {
	return func(o *options) error { o.appHealth = ask; return nil }
}

// WithHealthRoot sets the directory under which proc/pressure and sys/fs/cgroup are read. Default "/".
func WithHealthRoot(directory string) Option {
	return func(o *options) error { o.healthRoot = directory; return nil }
}

// Health is how the client is, as of the last report. Always ready when reports are turned off.
func (c *Client) Health() Health {
	c.mu.Lock()
	defer c.unlock()
	m := c.health.machine
	h := Health{State: HealthState(m.State()), UtilPm: int(m.UtilPm()), HandoffRequested: m.HandoffRequested()}
	for _, reason := range m.Reasons() {
		h.Reasons = append(h.Reasons, healthReasons[reason])
	}
	return h
}

// gcFullPm: a collector that takes a quarter of the processors' time is as bad as it gets.
const gcFullPm = 250

// featureHealth: the broker reads health reports.
const featureHealth = 1

// healthReporter tells the broker how the client is. The machine and what was told are guarded by the client's lock; the
// work is counted without it.
type healthReporter struct {
	machine *core.HealthMachine
	last    *pb.HealthReport // as of the last sample
	told    *conn            // who hears of it
	seq     uint64
	braked  bool
	work    workload
}

// workload counts what handlers do. Safe for concurrent use.
type workload struct {
	busy, handlers  atomic.Int32
	settled, failed atomic.Int64
	latency         [latencyBuckets]atomic.Int64

	settledBefore, failedBefore int64 // as of the last report; guarded by the client's lock
}

// latencyBuckets: four for each doubling of microseconds, from 1 us to more than an hour.
const latencyBuckets = 128

func latencyBucket(us int64) int {
	if us < 4 {
		return int(max(us, 0))
	}
	exponent := bits.Len64(uint64(us)) - 1
	return min(latencyBuckets-1, exponent*4+int(us>>(exponent-2)&3)-4)
}

// latencyOf a bucket is its upper end.
func latencyOf(bucket int) int64 {
	if bucket < 4 {
		return int64(bucket)
	}
	exponent := (bucket + 4) / 4
	return int64(4+(bucket+4)%4+1)<<(exponent-2) - 1
}

func (w *workload) handled(since time.Time) {
	w.latency[latencyBucket(time.Since(since).Microseconds())].Add(1)
}

func (w *workload) onSettled(outcome uint32) {
	if outcome != core.Release {
		w.settled.Add(1)
	}
	if outcome == core.Nack || outcome == core.Term {
		w.failed.Add(1)
	}
}

// percentiles of the handlers that ended since the last call, in microseconds.
func (w *workload) percentiles() (p50, p99 uint32) {
	var counts [latencyBuckets]int64
	total := int64(0)
	for i := range w.latency {
		counts[i] = w.latency[i].Swap(0)
		total += counts[i]
	}
	at := func(pm int64) uint32 {
		left := (total*pm + 999) / 1000
		for i, n := range counts {
			if left -= n; left <= 0 {
				return uint32(min(latencyOf(i), 1<<32-1))
			}
		}
		return 0
	}
	if total == 0 {
		return 0, 0
	}
	return at(500), at(990)
}

// reportsHealth: a reader of the nearest node is no member of a group, to which more or less could be given.
func (c *Client) reportsHealth() bool { return c.opts.healthInterval > 0 && !c.isReader() }

// features of the protocol that this client offers.
func (c *Client) features() []uint32 {
	var all []uint32
	if c.reportsHealth() {
		all = append(all, featureHealth)
	}
	if !c.isReader() {
		all = append(all, featureToggles)
	}
	return all
}

// runHealth looks how the client is, until it is closed.
func (c *Client) runHealth() {
	defer c.running.Done()
	s := newHealthSampler(c.opts.healthRoot)
	ticker := time.NewTicker(c.opts.healthInterval)
	defer ticker.Stop()
	for {
		report := s.read()
		if ask := c.opts.appHealth; ask != nil {
			app := ask()
			report.sample.AppState, report.sample.AppUtilPm = core.HealthState(app.State), uint32(max(0, min(app.UtilPm, 1000)))
		}
		c.mu.Lock()
		c.sampleHealth(report)
		c.unlock()
		select {
		case <-ticker.C:
		case <-c.stop:
			return
		}
	}
}

// sampleHealth with the client's lock held.
func (c *Client) sampleHealth(r healthReading) {
	h, w := &c.health, &c.health.work
	s := &r.sample
	s.Inflight, s.MaxInflight = uint32(max(0, w.busy.Load())), uint32(max(0, w.handlers.Load()))
	p50, p99 := w.percentiles()
	settled, failed := w.settled.Load(), w.failed.Load()
	perSecondMilli := func(n int64) uint32 { return uint32(max(0, n) * 1_000_000 / max(1, r.elapsed.Milliseconds())) }
	h.last = &pb.HealthReport{
		IntervalMs: uint32(c.opts.healthInterval.Milliseconds()),
		MemPm:      s.MemPm, HeapPm: s.HeapPm, GcCpuPm: s.GCCPUPm, SchedP99Us: s.SchedP99Us,
		PsiMemSomePm: s.PsiMemSomePm, PsiMemFullPm: s.PsiMemFullPm, PsiIoSomePm: r.psiIOSomePm, PsiIoFullPm: s.PsiIOFullPm,
		Inflight: s.Inflight, MaxInflight: s.MaxInflight, HandlerP50Us: p50, HandlerP99Us: p99,
		RpsMilli: perSecondMilli(settled - w.settledBefore), EpsMilli: perSecondMilli(failed - w.failedBefore),
	}
	w.settledBefore, w.failedBefore = settled, failed
	before := h.machine.State()
	c.reportWhen(h.machine.Sample(*s, c.link.nowMs()))
	if now := h.machine.State(); now != before {
		health := Health{State: HealthState(now), UtilPm: int(h.machine.UtilPm()), HandoffRequested: h.machine.HandoffRequested()}
		c.measure(func(m Metrics) { m.OnHealth(health) })
	}
	if h.braked != h.machine.Brakes() {
		h.braked = h.machine.Brakes()
		for sub := range c.subs {
			sub.onBrake()
		}
	}
}

// tickHealth with the client's lock held.
func (c *Client) tickHealth() {
	now := c.link.nowMs()
	due := c.health.machine.Drain(c.isDraining(), now)
	var cn *conn
	if len(c.subs) > 0 { // else nobody is given more or less for it
		cn = c.link.publishing
	}
	if cn != c.health.told {
		c.health.told = cn
		due = cn != nil && c.health.machine.Connected(now) || due
	}
	c.reportWhen(due || c.health.machine.Timer(now))
}

// isDraining: nothing is left that takes work.
func (c *Client) isDraining() bool {
	for s := range c.subs {
		if !s.draining {
			return c.closed
		}
	}
	return c.closed || len(c.subs) > 0
}

func (c *Client) reportWhen(due bool) {
	h := &c.health
	cn := h.told
	if !due || cn == nil || cn.failed != nil || !slices.Contains(cn.hello.GetFeatures(), featureHealth) {
		return
	}
	if h.last == nil {
		h.last = &pb.HealthReport{IntervalMs: uint32(c.opts.healthInterval.Milliseconds())}
	}
	h.seq++
	r := h.last
	r.Seq, r.State, r.AppUtilPm = h.seq, uint32(h.machine.State()), h.machine.UtilPm()
	r.HandoffRequested = h.machine.HandoffRequested()
	r.Reasons = r.Reasons[:0]
	for _, reason := range h.machine.Reasons() {
		r.Reasons = append(r.Reasons, uint32(reason))
	}
	cn.send(wire.HealthReport, 0, r)
	cn.wakeSender()
}

func (h Health) String() string {
	return fmt.Sprintf("%v %v, %d per mille", h.State, h.Reasons, h.UtilPm)
}

package core

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/vectors"
)

// The state machines; vectors/README.md describes them.

var pressureNames = map[string]PressureState{
	"": Normal, "NORMAL": Normal, "ELEVATED": Elevated, "THROTTLED": Throttled, "OVERLOADED": Overloaded, "READ_ONLY": ReadOnly,
}

func named[V any](t *testing.T, names map[string]V, name string) V {
	v, ok := names[name]
	if !ok {
		t.Fatalf("unknown name %q", name)
	}
	return v
}

func TestFailover(t *testing.T) {
	type candidate struct {
		Endpoint string
		Breaker  string
		Zone     string
		Pressure string
		Draining bool
		Blocked  bool
		FailedMs int64 `json:"failed_ms"`
		Leads    bool
	}
	type one struct {
		Name       string
		Zone       string
		Nearest    bool
		Candidates []candidate
		Expect     []string
	}
	const nowMs = 1_000_000
	// A breaker opens with five connection failures in a row, for 5 s with this r.
	openedMs := map[string]int64{"CLOSED": 0, "OPEN": nowMs - 1, "HALF_OPEN": nowMs - 10_000}
	vectors.Run(t, "failover", func(t *testing.T, c one) {
		var candidates []*Candidate
		for _, each := range c.Candidates {
			made := NewCandidate(each.Endpoint)
			if at := named(t, openedMs, each.Breaker); at > 0 {
				for range 5 {
					made.Breaker.OnFailure(at, ConnectFailed, 0, MaxR)
				}
			}
			made.zone, made.pressure, made.failedMs = each.Zone, named(t, pressureNames, each.Pressure), each.FailedMs
			made.leads = each.Leads
			if each.Draining {
				made.drainingUntilMs = nowMs + 1
			}
			if each.Blocked {
				made.blockedUntilMs = nowMs + 1
			}
			candidates = append(candidates, made)
		}
		order := []string{}
		for _, each := range FailoverOrder(candidates, Preference{c.Zone, c.Nearest}, nowMs) {
			order = append(order, each.Endpoint)
		}
		if !reflect.DeepEqual(order, c.Expect) {
			t.Errorf("%s: the order is %v, not %v", c.Name, order, c.Expect)
		}
	})
}

func TestConnection(t *testing.T) {
	type step struct {
		AtMs             int64 `json:"at_ms"`
		Event            string
		Endpoint         string
		Zone             string
		Pressure         string
		LatencyMs        int64 `json:"latency_ms"`
		R                int
		Code             uint32
		GraceMs          int64 `json:"grace_ms"`
		ReconnectAfterMs int64 `json:"reconnect_after_ms"`
		Publishing       bool
		Consuming        bool
		Redirect         string
		RetryAfterMs     int64 `json:"retry_after_ms"`
		Endpoints        []string
		Zones            []string
		Expect           struct {
			State    string
			Actions  []string
			Known    []string
			WakeAtMs *int64 `json:"wake_at_ms"`
		}
	}
	type one struct {
		Name      string
		Zone      string
		Nearest   bool
		Endpoints []string
		Steps     []step
	}
	states := map[string]ConnectionState{
		"IDLE": Idle, "CONNECTING": Connecting, "HANDSHAKING": Handshaking, "READY": Ready, "PRESSURED": Pressured,
		"DRAINING": Draining, "BACKOFF": BackingOff, "BLOCKED": Blocked, "CLOSED": Ended,
	}
	kinds := []string{"DIAL", "USE", "DRAIN", "MOVE_PUBLISHERS", "MOVE_SUBSCRIPTIONS", "CLOSE", "LOST", "ROUND_FAILED"}
	vectors.Run(t, "connection", func(t *testing.T, c one) {
		known := map[string]*Candidate{}
		var candidates []*Candidate
		for _, endpoint := range c.Endpoints {
			candidates = append(candidates, NewCandidate(endpoint))
		}
		m := NewConnectionMachine(candidates, Preference{c.Zone, c.Nearest})
		for i, s := range c.Steps {
			for _, each := range m.Known() {
				known[each.Endpoint] = each
			}
			of := known[s.Endpoint]
			nodes := func() []Node {
				var all []Node
				for i, endpoint := range s.Endpoints {
					node := Node{Endpoint: endpoint}
					if i < len(s.Zones) {
						node.Zone = s.Zones[i]
					}
					all = append(all, node)
				}
				return all
			}
			events := map[string]func() []Action{
				"START": func() []Action {
					m.Know(nodes())
					return m.Start(s.AtMs, s.R)
				},
				"METADATA": func() []Action {
					m.Know(nodes())
					return []Action{}
				},
				"CONNECTED": func() []Action { return m.Connected(of) },
				"HELLO_OK": func() []Action {
					return m.HelloOk(of, Welcome{s.Zone, named(t, pressureNames, s.Pressure), nodes()}, s.LatencyMs, s.AtMs, s.R)
				},
				"FAILED": func() []Action {
					return m.Failed(of, Refusal{codes.Code(s.Code), s.Redirect, s.RetryAfterMs}, s.AtMs, s.R)
				},
				"PRESSURE":   func() []Action { return m.Pressure(named(t, pressureNames, s.Pressure)) },
				"GO_AWAY":    func() []Action { return m.GoAway(Farewell{s.GraceMs, s.ReconnectAfterMs, s.Endpoints}, s.AtMs, s.R) },
				"NOT_LEADER": func() []Action { return m.NotLeader(s.Redirect, s.AtMs, s.R) },
				"LOAD":       func() []Action { return m.Load(s.Publishing, s.Consuming, s.AtMs, s.R) },
				"LOST":       func() []Action { return m.LostConnection(of, s.AtMs, s.R) },
				"TIMER":      func() []Action { return m.Timer(s.AtMs, s.R) },
				"CLOSE":      func() []Action { return m.Close() },
			}
			actions := []string{}
			for _, each := range named(t, events, s.Event)() {
				text := kinds[each.Kind]
				if each.Candidate != nil {
					text += " " + each.Candidate.Endpoint
				}
				actions = append(actions, text)
			}
			if !reflect.DeepEqual(actions, s.Expect.Actions) || m.State() != named(t, states, s.Expect.State) {
				t.Fatalf("%s, step %d: %v and state %d after %+v", c.Name, i, actions, m.State(), s)
			}
			if s.Expect.Known != nil {
				names := []string{}
				for _, each := range m.Known() {
					names = append(names, each.Endpoint)
				}
				if !reflect.DeepEqual(names, s.Expect.Known) {
					t.Fatalf("%s, step %d: it knows %v after %+v", c.Name, i, names, s)
				}
			}
			if s.Expect.WakeAtMs != nil && m.WakeAtMs() != *s.Expect.WakeAtMs {
				t.Fatalf("%s, step %d: it wakes at %d, not %d", c.Name, i, m.WakeAtMs(), *s.Expect.WakeAtMs)
			}
		}
	})
}

func TestAckBuffer(t *testing.T) {
	type step struct {
		AtMs    int64 `json:"at_ms"`
		Event   string
		Item    int
		Bytes   int
		Bundle  int
		UntilMs int64 `json:"until_ms"`
		Expect  struct {
			Sent     [][]int
			Lost     [][]int
			Unsent   int
			UnderWay int `json:"under_way"`
		}
	}
	type one struct {
		Name  string
		Steps []step
	}
	var config struct {
		MaxItems  int `json:"max_items"`
		MaxBytes  int `json:"max_bytes"`
		MaxUnsent int `json:"max_unsent"`
	}
	if err := json.Unmarshal(vectors.Config(t, "ack_buffer"), &config); err != nil {
		t.Fatal(err)
	}
	type bundle = AckBundle[int, struct{}]
	vectors.Run(t, "ack_buffer", func(t *testing.T, c one) {
		b := NewAckBuffer[int, struct{}](AckLimits(config))
		known := map[int]*bundle{}
		for i, s := range c.Steps {
			var sent, lost []*bundle
			switch s.Event {
			case "OPEN":
				b.Open()
			case "LOST":
				b.Lost()
			case "TAKE":
				sent = b.Take(s.AtMs)
			case "END":
				lost = b.End()
			case "ADD":
				if oldest := b.Add(s.Item, s.Bytes); oldest != nil {
					lost = append(lost, oldest)
				}
			case "ANSWERED":
				b.Answered(known[s.Bundle])
			case "AGAIN":
				b.Again(known[s.Bundle], s.UntilMs)
			default:
				t.Fatalf("unknown event in %+v", s)
			}
			for _, each := range sent {
				known[each.Items[0]] = each
			}
			items := func(of []*bundle) [][]int {
				all := [][]int{}
				for _, each := range of {
					all = append(all, each.Items)
				}
				return all
			}
			if !reflect.DeepEqual(items(sent), s.Expect.Sent) || !reflect.DeepEqual(items(lost), s.Expect.Lost) ||
				b.Unsent() != s.Expect.Unsent || b.UnderWay() != s.Expect.UnderWay {
				t.Fatalf("%s, step %d: sent %v, lost %v, unsent %d, under way %d after %+v", c.Name, i, items(sent), items(lost),
					b.Unsent(), b.UnderWay(), s)
			}
		}
	})
}

func TestDrain(t *testing.T) {
	type one struct {
		Name      string
		Scope     string
		TimeoutMs int64 `json:"timeout_ms"`
		Steps     []struct {
			AtMs      int64 `json:"at_ms"`
			Connected bool
			Expect    struct {
				Step    string
				LimitMs int64 `json:"limit_ms"`
				Cut     bool
			}
		}
	}
	scopes := map[string][]DrainStep{"CLIENT": DrainOfClient, "SUBSCRIPTION": DrainOfSubscription}
	names := []string{"HANDLERS", "SETTLE", "UNSUBSCRIBE", "SUBSCRIPTIONS", "PRODUCERS", "BYE", "END"}
	vectors.Run(t, "drain", func(t *testing.T, c one) {
		d := NewDrain(named(t, scopes, c.Scope), c.TimeoutMs, 0)
		for i, s := range c.Steps {
			step := d.Next(s.Connected, s.AtMs)
			if names[step] != s.Expect.Step || d.LimitMs(step, s.AtMs) != s.Expect.LimitMs || d.IsCut() != s.Expect.Cut {
				t.Fatalf("%s, step %d: %s for %d ms, cut %v", c.Name, i, names[step], d.LimitMs(step, s.AtMs), d.IsCut())
			}
		}
	})
}

func TestLease(t *testing.T) {
	type item struct {
		First   int64
		Last    int64
		Outcome uint32
		DelayMs uint32 `json:"delay_ms"`
	}
	type one struct {
		Name       string
		SkipBefore int64 `json:"skip_before"`
		Segment    struct {
			BaseOffset int64 `json:"base_offset"`
			Count      int
			Selected   []int
			Fence      uint64
			LeaseMs    uint32 `json:"lease_ms"`
			Attempt    uint32
			Attempts   []uint32
		}
		Steps []struct {
			AtMs    int64 `json:"at_ms"`
			Event   string
			Index   int
			From    int
			Outcome uint32
			DelayMs uint32 `json:"delay_ms"`
			LeaseMs uint32 `json:"lease_ms"`
			Expect  struct {
				Counts     bool
				Items      []item
				Done       bool
				Over       bool
				MayHandOut bool `json:"may_hand_out"`
				Indices    []int
				Attempt    int
			}
		}
	}
	vectors.Run(t, "lease", func(t *testing.T, c one) {
		seg := c.Segment
		var selected []byte
		for _, i := range seg.Selected {
			selected = append(selected, make([]byte, max(0, i/8+1-len(selected)))...)
			selected[i/8] |= 1 << (i % 8)
		}
		b := NewLeasedBatch(Delivery{BaseOffset: seg.BaseOffset, Count: seg.Count, Selected: selected, Leased: seg.Fence != 0,
			LeaseMs: seg.LeaseMs, Attempt: seg.Attempt, Attempts: seg.Attempts, SkipBefore: c.SkipBefore}, 0)
		for i, s := range c.Steps {
			same := func(got, want any) {
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("%s, step %d: %v, not %v", c.Name, i, got, want)
				}
			}
			switch s.Event {
			case "SETTLE":
				same(b.Settle(s.Index, Settlement{Outcome: s.Outcome, DelayMs: s.DelayMs}), s.Expect.Counts)
			case "EXTEND":
				same(b.Extend(s.Index, s.LeaseMs, s.AtMs), s.Expect.Counts)
			case "REST":
				same(b.Rest(s.From, Settlement{Outcome: s.Outcome, DelayMs: s.DelayMs}), s.Expect.Counts)
			case "COLLECT":
				items := []item{}
				done := b.Collect(func(each Settled) {
					items = append(items, item{seg.BaseOffset + int64(each.First), seg.BaseOffset + int64(each.Last), each.Outcome, each.DelayMs})
				})
				same(fmt.Sprint(items, done), fmt.Sprint(s.Expect.Items, s.Expect.Done))
			case "LOOK":
				same(b.LeaseOver(s.AtMs), s.Expect.Over)
				same(s.AtMs <= b.HandOutUntilMs(), s.Expect.MayHandOut)
			case "SELECTED":
				indices := []int{}
				for index := range seg.Count {
					if b.IsSelected(index) {
						indices = append(indices, index)
					}
				}
				same(indices, s.Expect.Indices)
				same(b.SelectedCount(), len(indices))
			case "ATTEMPT":
				same(b.Attempt(s.Index), s.Expect.Attempt)
			default:
				t.Fatalf("unknown event in %+v", s)
			}
		}
	})
}

func TestHealth(t *testing.T) {
	states := map[string]HealthState{"": HealthReady, "READY": HealthReady, "DEGRADED": HealthDegraded,
		"CRITICAL": HealthCritical, "DRAINING": HealthDraining}
	type outcome struct {
		State     string
		Reasons   []HealthReason
		AppUtilPm uint32 `json:"app_util_pm"`
		Handoff   bool
		Brake     bool
		Report    bool
	}
	type step struct {
		AtMs         int64 `json:"at_ms"`
		Event        string
		GCCPUPm      uint32 `json:"gc_cpu_pm"`
		HeapPm       uint32 `json:"heap_pm"`
		MemPm        uint32 `json:"mem_pm"`
		SchedP99Us   uint32 `json:"sched_p99_us"`
		PsiMemSomePm uint32 `json:"psi_mem_some_pm"`
		PsiMemFullPm uint32 `json:"psi_mem_full_pm"`
		PsiIOFullPm  uint32 `json:"psi_io_full_pm"`
		Inflight     uint32
		MaxInflight  uint32 `json:"max_inflight"`
		AppState     string `json:"app_state"`
		AppUtilPm    uint32 `json:"app_util_pm"`
		Draining     bool
		Expect       outcome
	}
	type one struct {
		Name     string
		GCFullPm uint32 `json:"gc_full_pm"`
		Steps    []step
	}
	vectors.Run(t, "health", func(t *testing.T, c one) {
		m := NewHealthMachine(1_000, c.GCFullPm)
		for _, s := range c.Steps {
			var report bool
			switch s.Event {
			case "SAMPLE":
				report = m.Sample(HealthSample{GCCPUPm: s.GCCPUPm, HeapPm: s.HeapPm, MemPm: s.MemPm, SchedP99Us: s.SchedP99Us,
					PsiMemSomePm: s.PsiMemSomePm, PsiMemFullPm: s.PsiMemFullPm, PsiIOFullPm: s.PsiIOFullPm, Inflight: s.Inflight,
					MaxInflight: s.MaxInflight, AppState: named(t, states, s.AppState), AppUtilPm: s.AppUtilPm}, s.AtMs)
			case "DRAIN":
				report = m.Drain(s.Draining, s.AtMs)
			case "CONNECTED":
				report = m.Connected(s.AtMs)
			case "TIMER":
				report = m.Timer(s.AtMs)
			default:
				t.Fatalf("unknown event %s", s.Event)
			}
			if m.State() != named(t, states, s.Expect.State) || fmt.Sprint(m.Reasons()) != fmt.Sprint(s.Expect.Reasons) ||
				m.UtilPm() != s.Expect.AppUtilPm || m.HandoffRequested() != s.Expect.Handoff || m.Brakes() != s.Expect.Brake ||
				report != s.Expect.Report {
				t.Fatalf("%s: after %+v it is %d because of %v, util %d, handoff %v, brake %v, report %v", c.Name, s, m.State(),
					m.Reasons(), m.UtilPm(), m.HandoffRequested(), m.Brakes(), report)
			}
		}
	})
}

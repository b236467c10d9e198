package core

import (
	"testing"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/vectors"
)

var kinds = map[string]BackoffKind{"TRANSIENT": Transient, "THROTTLE": Throttle}

func TestBacksOff(t *testing.T) {
	type expect struct {
		Decision string `json:"decision"`
		DelayMs  *int64 `json:"delay_ms"`
	}
	type one struct {
		Class        string `json:"cls"`
		RetryNo      int    `json:"retry_no"`
		R            int    `json:"r"`
		RetryAfterMs *int64 `json:"retry_after_ms"`
		RemainingMs  int64  `json:"remaining_ms"`
		Expect       expect `json:"expect"`
	}
	vectors.Run(t, "backoff", func(t *testing.T, c one) {
		retryAfter := int64(0)
		if c.RetryAfterMs != nil {
			retryAfter = *c.RetryAfterMs
		}

		delay, inTime := RequestBackoff.DelayWithin(kinds[c.Class], c.RetryNo, c.R, retryAfter, c.RemainingMs)

		if inTime != (c.Expect.Decision == "RETRY") {
			t.Errorf("in time is %v, not as %s", inTime, c.Expect.Decision)
		}
		if inTime && delay != *c.Expect.DelayMs {
			t.Errorf("the delay is %d, not %d", delay, *c.Expect.DelayMs)
		}
	})
}

func TestBudgetsRetries(t *testing.T) {
	type expect struct {
		Decision string `json:"decision"`
		Tokens   int    `json:"tokens"`
	}
	type step struct {
		Event  string `json:"event"`
		Class  string `json:"cls"`
		Expect expect `json:"expect"`
	}
	type one struct {
		Name    string `json:"name"`
		Initial int    `json:"initial_tokens"`
		Steps   []step `json:"steps"`
	}
	vectors.Run(t, "retry_budget", func(t *testing.T, c one) {
		budget := &RetryBudget{tokens: c.Initial}
		held := 0
		for i, s := range c.Steps {
			if s.Event == "OK" {
				budget.OnSuccess(held)
				held = 0
			} else {
				cost := budget.Take(kinds[s.Class])
				if (cost > 0) != (s.Expect.Decision == "RETRY") {
					t.Errorf("step %d costs %d, not as %s", i, cost, s.Expect.Decision)
				}
				if cost > 0 {
					held = cost
				}
			}
			if budget.Tokens() != s.Expect.Tokens {
				t.Errorf("step %d leaves %d tokens, not %d", i, budget.Tokens(), s.Expect.Tokens)
			}
		}
	})
}

func TestBreaksCircuits(t *testing.T) {
	type expect struct {
		Allowed   *bool  `json:"allowed"`
		State     string `json:"state"`
		OpenUntil *int64 `json:"open_until_ms"`
	}
	type step struct {
		AtMs      int64  `json:"at_ms"`
		Event     string `json:"event"`
		Outcome   string `json:"outcome"`
		LatencyMs int64  `json:"latency_ms"`
		R         int    `json:"r"`
		Times     int    `json:"times"`
		Expect    expect `json:"expect"`
	}
	type one struct {
		Name  string `json:"name"`
		Steps []step `json:"steps"`
	}
	states := map[BreakerState]string{Closed: "CLOSED", Open: "OPEN", HalfOpen: "HALF_OPEN"}
	outcomes := map[string]Outcome{"IGNORE": Ignore, "FAIL": Failed, "CONN_FAIL": ConnectFailed}
	vectors.Run(t, "breaker", func(t *testing.T, c one) {
		b := NewBreaker()
		for i, s := range c.Steps {
			if s.Event == "ALLOW?" {
				if allowed := b.Allow(s.AtMs); allowed != *s.Expect.Allowed {
					t.Errorf("step %d: allowed is %v", i, allowed)
				}
			}
			for range s.Times {
				if s.Outcome == "OK" {
					b.OnSuccess(s.AtMs, s.LatencyMs)
				} else if outcome, ok := outcomes[s.Outcome]; ok {
					b.OnFailure(s.AtMs, outcome, s.LatencyMs, s.R)
				} else {
					t.Errorf("step %d: outcome %q is not known", i, s.Outcome)
				}
			}
			if states[b.State()] != s.Expect.State {
				t.Errorf("step %d: the state is %s, not %s", i, states[b.State()], s.Expect.State)
			}
			if until := s.Expect.OpenUntil; until != nil && b.OpenUntilMs() != *until {
				t.Errorf("step %d: open until %d, not %d", i, b.OpenUntilMs(), *until)
			}
		}
	})
}

func TestSizesTheWindow(t *testing.T) {
	type step struct {
		AtMs     int64  `json:"at_ms"`
		Event    string `json:"event"`
		InFlight int    `json:"inflight"`
		Times    int    `json:"times"`
		State    string `json:"state"`
		Signal   string `json:"signal"`
		Expect   struct {
			Limit int `json:"limit"`
		} `json:"expect"`
	}
	type one struct {
		Name  string `json:"name"`
		Steps []step `json:"steps"`
	}
	states := map[string]PressureState{"NORMAL": Normal, "ELEVATED": Elevated, "THROTTLED": Throttled,
		"OVERLOADED": Overloaded, "READ_ONLY": ReadOnly}
	signals := map[string]Signal{"ELEVATED": SignalElevated, "THROTTLED": SignalThrottled,
		"OVERLOADED": SignalOverloaded, "TIMEOUT": SignalTimeout}
	vectors.Run(t, "window", func(t *testing.T, c one) {
		w := NewWindow()
		for i, s := range c.Steps {
			switch s.Event {
			case "ACK":
				for range s.Times {
					w.OnAck(s.InFlight)
				}
			case "STATE":
				w.OnState(states[s.State])
			case "SIGNAL":
				w.OnSignal(signals[s.Signal], s.AtMs)
			case "REFUSED":
				w.OnRefused()
			default:
				t.Errorf("step %d: event %q is not known", i, s.Event)
			}
			if w.Limit() != s.Expect.Limit {
				t.Errorf("step %d: the limit is %d, not %d", i, w.Limit(), s.Expect.Limit)
			}
		}
	})
}

func TestClassifiesErrors(t *testing.T) {
	type one struct {
		Code       uint32 `json:"code"`
		Kind       string `json:"kind"`
		Idempotent bool   `json:"idempotent"`
		Expect     string `json:"expect"`
		Breaker    string `json:"breaker"`
		Backoff    string `json:"backoff_class"`
		Payload    string `json:"payload_retry"`
		Note       string `json:"note"`
	}
	decisions := map[Decision]string{Fail: "FAIL", Retry: "RETRY", RefreshThenRetry: "REFRESH_THEN_RETRY",
		FailOutcomeUnknown: "FAIL_OUTCOME_UNKNOWN"}
	vectors.Run(t, "retry_classify", func(t *testing.T, c one) {
		decision := Classify(classNames[c.Payload], codes.Code(c.Code), c.Kind == "PUBLISH", c.Idempotent)

		if decisions[decision] != c.Expect {
			t.Errorf("the decision is %s", decisions[decision])
		}
		if info, _ := codes.Lookup(codes.Code(c.Code)); c.Breaker != "" && (info.Breaker != c.Breaker || info.Backoff != c.Backoff) {
			t.Errorf("the registry says breaker %s, backoff %s", info.Breaker, info.Backoff)
		}
	})
}

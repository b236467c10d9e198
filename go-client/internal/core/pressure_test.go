package core

import (
	"fmt"
	"testing"

	"github.com/spillway-io/spillway/go-client/internal/vectors"
)

func TestPressureView(t *testing.T) {
	type step struct {
		AtMs         int64 `json:"at_ms"`
		Event        string
		Seq          uint64
		State        string
		Reasons      []uint32
		Scope        string
		RetryAfterMs int64 `json:"retry_after_ms"`
		ValidForMs   int64 `json:"valid_for_ms"`
		ThrottleMs   int64 `json:"throttle_ms"`
		Expect       struct {
			State        string
			Reasons      []uint32
			Scope        string
			RetryAfterMs int64 `json:"retry_after_ms"`
			Changed      bool
		}
	}
	type one struct {
		Name  string
		Steps []step
	}
	vectors.Run(t, "client_pressure", func(t *testing.T, c one) {
		v := &PressureView{}
		for _, s := range c.Steps {
			state, changed := named(t, pressureNames, s.State), false
			switch s.Event {
			case "CONNECTED":
				changed = v.Connected(state, s.AtMs)
			case "SIGNAL":
				changed = v.Signal(PressureSignal{s.Seq, state, s.Reasons, s.Scope, s.RetryAfterMs, s.ValidForMs}, s.AtMs)
			case "ACK":
				changed = v.Ack(state, s.ThrottleMs, s.AtMs)
			case "REFUSED":
				changed = v.Refused(state, s.Reasons, s.Scope, s.RetryAfterMs, s.AtMs)
			case "TIMER":
				changed = v.Timer(s.AtMs)
			default:
				t.Fatalf("unknown event %s", s.Event)
			}
			want := s.Expect
			if v.State != named(t, pressureNames, want.State) || fmt.Sprint(v.Reasons) != fmt.Sprint(want.Reasons) ||
				v.Scope != want.Scope || v.RetryAfterMs(s.AtMs) != want.RetryAfterMs || changed != want.Changed {
				t.Fatalf("%s: after %+v it is %+v, %d ms, changed %v", c.Name, s, *v, v.RetryAfterMs(s.AtMs), changed)
			}
		}
	})
}

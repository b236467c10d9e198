package core

import (
	"math/rand/v2"
	"testing"

	"github.com/spillway-io/spillway/go-client/internal/codes"
)

// Each of many processes has one client, so that nothing but chance spreads them. Their broker dies, refuses for a while, and is back.
func TestClientsOfManyProcessesComeBackSpread(t *testing.T) {
	const clients, stepMs, awayMs, secondMs = 50, 10, 10_000, 1_000
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	r := func() int { return random.IntN(65_536) }
	var machines []*ConnectionMachine
	connected := 0
	var connects []int64 // when each was
	nowMs := int64(0)
	dials := func(m *ConnectionMachine, actions []Action) {
		for len(actions) > 0 {
			action := actions[0]
			actions = actions[1:]
			if action.Kind != Dial {
				continue
			}
			c := action.Candidate
			actions = append(actions, m.Connected(c)...)
			if nowMs > 0 {
				connects = append(connects, nowMs)
			}
			if nowMs > 0 && nowMs < awayMs {
				actions = append(actions, m.Failed(c, Refusal{Code: codes.ConnectFailed}, nowMs, r())...)
			} else {
				connected++
				actions = append(actions, m.HelloOk(c, Welcome{}, 1, nowMs, r())...)
			}
		}
	}
	for range clients {
		m := NewConnectionMachine([]*Candidate{NewCandidate("broker:7400")}, Preference{})
		machines = append(machines, m)
		dials(m, m.Start(nowMs, r()))
	}
	nowMs, connected = stepMs, 0
	for _, m := range machines {
		dials(m, m.LostConnection(m.Active(), nowMs, r()))
	}
	for ; connected < clients && nowMs < 60_000; nowMs += stepMs {
		for _, m := range machines {
			dials(m, m.Timer(nowMs, r()))
		}
	}

	most := func(fromMs int64) (most int) {
		for i, from := range connects {
			n := 0
			for _, at := range connects[i:] {
				if at < from+secondMs {
					n++
				}
			}
			if from >= fromMs {
				most = max(most, n)
			}
		}
		return most
	}
	last := connects[len(connects)-1]
	t.Logf("seed %d: %d connects of %d clients; at most %d in the first second, %d in one second from 2 s on, %d once it is back; all are "+
		"back after %d ms", seed, len(connects), clients, most(0), most(2_000), most(awayMs), last-awayMs)
	if most(awayMs) > clients*6/10 || last > awayMs+10_000 {
		t.Errorf("once it is back %d connect in a second, the last one after %d ms", most(awayMs), last-awayMs)
	}
}

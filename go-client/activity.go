package spillway

import "sync"

const (
	roleActive  = 0
	roleStandby = 1
)

// activity is whether a subscription is the one its group delivers to, and who hears of its changes, in their order. The state is
// guarded by the client's lock.
type activity struct {
	active   bool
	listener func(bool) // nil: nobody

	mu      sync.Mutex
	untold  []bool
	telling bool
}

func (l *subLink) setActive(active bool) {
	a := &l.activity
	if active == a.active {
		return
	}
	a.active = active
	if a.listener != nil {
		a.mu.Lock()
		a.untold = append(a.untold, active)
		a.mu.Unlock()
		l.sub.c.later(a.tell)
	}
}

// tell tells what is untold, one after the other; who comes while another is at it leaves it to that.
func (a *activity) tell() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.telling {
		return
	}
	a.telling = true
	for len(a.untold) > 0 {
		next := a.untold[0]
		a.untold = a.untold[1:]
		a.mu.Unlock()
		a.listener(next)
		a.mu.Lock()
	}
	a.telling = false
}

// IsActive tells whether this member may get messages: in an exclusive group one member, while the others stand by; in any
// other group, and for a reader, whoever is connected. It changes behind the caller's back, see WithOnActive.
func (s *Subscription) IsActive() bool {
	s.c.mu.Lock()
	defer s.c.unlock()
	return s.activity.active
}

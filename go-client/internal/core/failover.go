package core

import (
	"cmp"
	"math"
	"slices"
)

// Candidate is one endpoint and what the client knows of it.
type Candidate struct {
	Endpoint string
	Breaker  *Breaker // counts the calls on its connections, too

	zone            string // empty: not known yet
	clustered       bool   // whether it is a node of a cluster, as far as it has said
	leads           bool   // whether its cluster named it as the leader when it was heard of last
	dialed          bool   // whether it was ever tried
	pressure        PressureState
	blockedUntilMs  int64
	drainingUntilMs int64
	failedMs        int64
}

// NewCandidate returns one of which nothing is known.
func NewCandidate(endpoint string) *Candidate {
	return &Candidate{Endpoint: endpoint, Breaker: NewBreaker(), blockedUntilMs: math.MinInt64, drainingUntilMs: math.MinInt64,
		failedMs: math.MinInt64}
}

func (c *Candidate) isBlocked(nowMs int64) bool  { return nowMs < c.blockedUntilMs }
func (c *Candidate) isDraining(nowMs int64) bool { return nowMs < c.drainingUntilMs }

// isPanic: with more than half of the breakers open the fault is probably on this side.
func isPanic(candidates []*Candidate, nowMs int64) bool {
	open := 0
	for _, c := range candidates {
		if c.Breaker.IsOpen(nowMs) {
			open++
		}
	}
	return open*2 > len(candidates)
}

// FailoverOrder returns the candidates to try, best first: those whose breaker is closed, then those that do not leave, then by
// pressure, then the own zone before an unknown one before another, for a reader of the nearest then the leader last; equals stay in
// the order in which they were given.
// Blocked ones and open breakers are left out, unless more than half of the breakers are open: then breakers are ignored, and
// what failed longest ago comes first (Envoy's panic threshold).
func FailoverOrder(candidates []*Candidate, preference Preference, nowMs int64) []*Candidate {
	panicking := isPanic(candidates, nowMs)
	var order []*Candidate
	for _, c := range candidates {
		if !c.isBlocked(nowMs) && (panicking || !c.Breaker.IsOpen(nowMs)) {
			order = append(order, c)
		}
	}
	slices.SortStableFunc(order, func(a, b *Candidate) int {
		if panicking {
			return cmp.Compare(a.failedMs, b.failedMs)
		}
		return cmp.Or(
			cmp.Compare(rank(a.Breaker.State() != Closed), rank(b.Breaker.State() != Closed)),
			cmp.Compare(rank(a.isDraining(nowMs)), rank(b.isDraining(nowMs))),
			cmp.Compare(a.pressure, b.pressure),
			cmp.Compare(distance(a, preference.Zone), distance(b, preference.Zone)),
			cmp.Compare(rank(preference.Nearest && a.leads), rank(preference.Nearest && b.leads)),
		)
	})
	return order
}

func rank(last bool) int {
	if last {
		return 1
	}
	return 0
}

func distance(c *Candidate, ownZone string) int {
	switch {
	case ownZone == "" || c.zone == ownZone:
		return 0
	case c.zone == "":
		return 1
	}
	return 2
}

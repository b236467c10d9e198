package core

import "slices"

const (
	homeAfterMs     = 60_000
	homeSpreadMs    = 30_000
	nearestAfterMs  = 5_000
	nearestSpreadMs = 5_000
)

// Node is one that a cluster names.
type Node struct {
	Endpoint string
	Zone     string // empty when not said
}

// Preference says which endpoints are preferred.
type Preference struct {
	Zone    string // where the client runs; empty means no preference
	Nearest bool   // it only reads, which nodes of a cluster that follow serve, too: the nearest is preferred, not the leader
}

func (p Preference) isHome(c *Candidate) bool { return c.zone == p.Zone }

// isAway: where it is, it is not to stay for ever. A leader is where it is.
func (p Preference) isAway(active *Candidate) bool {
	return (p.Nearest || !active.clustered) && p.Zone != "" && !p.isHome(active)
}

// lookAfterMs: when who is away looks for those at home. A reader goes at once to one that it has just heard of.
func (p Preference) lookAfterMs(known []*Candidate, r int) int64 {
	switch {
	case !p.Nearest:
		return homeAfterMs + Scaled(homeSpreadMs, r)
	case slices.ContainsFunc(known, func(c *Candidate) bool { return p.isHome(c) && !c.dialed }):
		return 0
	}
	return nearestAfterMs + Scaled(nearestSpreadMs, r)
}

package core

import "slices"

// maxLearned: more are never learned, whatever a broker says.
const maxLearned = 16

// knownEndpoints are those a client may connect to: those it was configured with, for good, and those that the nodes of a cluster
// have named, which change with it. Driven by vectors/connection.json.
type knownEndpoints struct {
	all        []*Candidate // the configured ones in their order, then the learned ones
	configured int
}

// isCluster: a broker that stands alone names only itself, perhaps by an address that is of no use behind a proxy: nothing is
// learned from that.
func isCluster[T any](nodes []T) bool { return len(nodes) > 1 }

// replaceLearned: what a cluster names takes the place of what was learned before.
func (k *knownEndpoints) replaceLearned(nodes []Node) {
	fresh := slices.Clone(k.all[:k.configured])
	for _, node := range nodes {
		isNamed := func(c *Candidate) bool { return c.Endpoint == node.Endpoint }
		if !slices.ContainsFunc(fresh, isNamed) && len(fresh) < k.configured+maxLearned {
			candidate := k.find(node.Endpoint)
			if candidate == nil {
				candidate = NewCandidate(node.Endpoint)
			}
			fresh = append(fresh, candidate)
		}
	}
	k.all = fresh
}

// locate takes up where they are, and that the first one leads.
func (k *knownEndpoints) locate(nodes []Node) {
	for _, c := range k.all {
		c.leads = false
	}
	for i, node := range nodes {
		if c := k.find(node.Endpoint); c != nil {
			c.leads = i == 0
			if node.Zone != "" {
				c.zone = node.Zone
			}
		}
	}
}

// learn one more; at the bound the one that was learned first gives way.
func (k *knownEndpoints) learn(endpoint string) *Candidate {
	if known := k.find(endpoint); known != nil {
		return known
	}
	if len(k.all) == k.configured+maxLearned {
		k.all = slices.Delete(k.all, k.configured, k.configured+1)
	}
	candidate := NewCandidate(endpoint)
	k.all = append(k.all, candidate)
	return candidate
}

func (k *knownEndpoints) find(endpoint string) *Candidate {
	for _, c := range k.all {
		if c.Endpoint == endpoint {
			return c
		}
	}
	return nil
}

package core

import "slices"

const maxRedirects = 3

// round of the endpoints: which are still to be tried, and what those that were tried have said.
type round struct {
	rest         []*Candidate
	unreachable  []*Candidate
	redirects    int
	seenFollower bool  // a node is well, but does not lead
	retryAfterMs int64 // the longest pause that such a node asked for
}

func (r *round) poll() *Candidate {
	if len(r.rest) == 0 {
		return nil
	}
	next := r.rest[0]
	r.rest = r.rest[1:]
	return next
}

// remove what is tried out of its turn.
func (r *round) remove(c *Candidate) {
	r.rest = slices.DeleteFunc(r.rest, func(each *Candidate) bool { return each == c })
}

func (r *round) failed(c *Candidate) { r.unreachable = append(r.unreachable, c) }

// mayFollow: a node says that another leads. Whether it is to be believed: not for ever, and not when that one was just not there.
func (r *round) mayFollow(to *Candidate) bool {
	if r.redirects == maxRedirects || slices.Contains(r.unreachable, to) {
		return false
	}
	r.redirects++
	return true
}

func (r *round) sawFollower(retryAfterMs int64) {
	r.seenFollower = true
	r.retryAfterMs = max(r.retryAfterMs, retryAfterMs)
}

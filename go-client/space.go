package spillway

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// space counts the bytes of records that are without outcome. Safe for concurrent use.
type space struct {
	limit   int64
	used    atomic.Int64
	waiters atomic.Int32
	mu      sync.Mutex
	freed   chan struct{}
}

func newSpace(limit int64) *space { return &space{limit: limit, freed: make(chan struct{})} }

// tryTake: one record of any size fits when there is nothing else. A refusal wakes nobody, else waiting would be spinning.
func (s *space) tryTake(n int64) bool {
	for {
		used := s.used.Load()
		if used > 0 && used+n > s.limit {
			return false
		}
		if s.used.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

// take waits for space at most that long, or until the context or stop ends.
func (s *space) take(ctx context.Context, n int64, wait time.Duration, stop <-chan struct{}) bool {
	if s.tryTake(n) {
		return true
	}
	if wait <= 0 {
		return false
	}
	s.waiters.Add(1)
	defer s.waiters.Add(-1)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		s.mu.Lock()
		freed := s.freed
		s.mu.Unlock()
		if s.tryTake(n) {
			return true
		}
		select {
		case <-freed:
		case <-timer.C:
			return false
		case <-ctx.Done():
			return false
		case <-stop:
			return false
		}
	}
}

func (s *space) give(n int64) {
	s.used.Add(-n)
	if s.waiters.Load() > 0 {
		s.mu.Lock()
		close(s.freed)
		s.freed = make(chan struct{})
		s.mu.Unlock()
	}
}

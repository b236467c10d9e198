package spillway

import (
	"context"
	"testing"
	"time"
)

func TestWaitsForSpaceWithoutSpinning(t *testing.T) {
	s := newSpace(100)
	s.tryTake(80)
	s.waiters.Add(1) // as take does
	freed := s.freed

	if s.tryTake(40) {
		t.Fatal("it does not fit, and is taken")
	}
	select {
	case <-freed:
		t.Error("a refusal wakes those that wait, itself among them")
	default:
	}

	s.give(80)

	select {
	case <-freed:
	default:
		t.Error("what comes free wakes nobody")
	}
	if !s.tryTake(400) {
		t.Error("a record larger than the buffer does not fit an empty one")
	}
}

func TestWaitForSpaceEnds(t *testing.T) {
	s := newSpace(100)
	s.tryTake(100)
	stop := make(chan struct{})
	close(stop)
	ended, cancel := context.WithCancel(context.Background())
	cancel()

	if s.take(context.Background(), 1, time.Millisecond, nil) || s.take(ended, 1, time.Hour, nil) ||
		s.take(context.Background(), 1, time.Hour, stop) || s.take(context.Background(), 1, 0, nil) {
		t.Error("there is no space, and it is taken")
	}

	taken := make(chan bool)
	go func() { taken <- s.take(context.Background(), 60, time.Hour, nil) }()
	s.give(50)
	s.give(50)
	if !<-taken {
		t.Error("space came free, and is not taken")
	}
}

package spill

import (
	"context"
	"errors"
	"fmt"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

const (
	drainRecords = 64
	drainBytes   = 256 << 10
	lookEvery    = 100 * time.Millisecond
	// stuckFor: after a record that the broker refuses and nobody takes.
	stuckFor = time.Second
)

// drain publishes what is waiting, batch by batch, while the broker is at ease.
func (s *Spool) drain() {
	defer s.running.Done()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-s.stop
		cancel()
	}()
	var calmSince time.Time
	for ctx.Err() == nil {
		if waiting, _ := s.journal.waiting(); waiting == 0 {
			s.obstacle.Store(nil)
			s.sleep(ctx, time.Hour)
			continue
		}
		p := s.producer.Load()
		if why := unrest(p); why != nil {
			s.obstacle.Store(&why)
			calmSince = time.Time{}
			s.sleep(ctx, lookEvery)
			continue
		}
		if calmSince.IsZero() {
			calmSince = time.Now()
		}
		if left := s.o.calm - time.Since(calmSince); left > 0 {
			s.sleep(ctx, min(left, lookEvery))
			continue
		}
		started, live := time.Now(), s.live.Load()
		if err := s.drainBatch(ctx, p); err != nil {
			s.obstacle.Store(&err)
			calmSince = time.Time{}
			s.sleep(ctx, stuckFor)
		} else if s.live.Load() != live {
			s.pause(ctx, 3*time.Since(started)) // a quarter of the time
		}
	}
}

// unrest is why nothing should be drained now.
func unrest(p *spillway.Producer) error {
	if p == nil {
		return errNoProducer
	}
	if pressure := p.Pressure(); pressure.State > spillway.PressureElevated {
		return fmt.Errorf("the broker is %v", pressure)
	}
	if !p.MayPublish() {
		return errors.New("the broker takes nothing at present")
	}
	return nil
}

// drainBatch publishes what is waiting first, and settles what the broker has.
func (s *Spool) drainBatch(ctx context.Context, p *spillway.Producer) error {
	from := s.journal.marked.settled
	batch, err := s.journal.read(from, drainRecords, drainBytes)
	if err != nil || len(batch) == 0 {
		return err
	}
	known := s.journal.marked
	if err := s.journal.attempt(batch[len(batch)-1].number+1, unixMs(time.Now())); err != nil {
		return err
	}
	futures := make([]spillway.Future, len(batch))
	for i := range batch {
		if batch[i].topic != s.topic {
			return fmt.Errorf("entry %d is of topic %s; the directory is another spool's", batch[i].number, batch[i].topic)
		}
		batch[i].record.FirstAttempt = known.firstAttempt(&batch[i])
		futures[i] = p.PublishAsync(ctx, batch[i].record)
	}
	settled, failed := from, error(nil)
	for i := range batch {
		ack, err := futures[i].Ack(ctx)
		if failed != nil {
			continue // those behind it are published again; their keys tell what is stored
		}
		if err == nil {
			s.drained.Add(1)
			if ack.Duplicate {
				s.duplicates.Add(1)
			}
		} else if failed = s.refuse(ctx, &batch[i], err); failed != nil {
			continue
		}
		settled = batch[i].number + 1
	}
	if settled > from {
		if err := s.journal.settle(settled); err != nil {
			return err
		}
	}
	return failed
}

// refuse gives away what the broker will never take; else says why it must wait.
func (s *Spool) refuse(ctx context.Context, e *spilled, err error) error {
	if ctx.Err() != nil || isSpillable(err) || errors.Is(err, spillway.ErrClosed) || s.o.onRefused == nil || !isFinal(err) {
		return fmt.Errorf("entry %d: %w", e.number, err)
	}
	s.o.onRefused(e.record, err)
	s.refused.Add(1)
	return nil
}

// isFinal: it is the record that the broker does not want, and not its topic or its producer.
func isFinal(err error) bool {
	for _, each := range []error{spillway.ErrInvalidArgument, spillway.ErrTooLarge, spillway.ErrIdempotencyConflict,
		spillway.ErrDedupWindowExceeded} {
		if errors.Is(err, each) {
			return true
		}
	}
	return false
}

// sleep until there is something to look at.
func (s *Spool) sleep(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.wake:
	case <-ctx.Done():
	}
}

// pause for all of that time.
func (s *Spool) pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

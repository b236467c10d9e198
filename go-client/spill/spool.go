package spill

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
	"github.com/spillway-io/spillway/go-client/internal/codes"
)

// Outcome of a publish: acked by the broker, or spilled.
type Outcome struct {
	// Spilled: the broker does not have it, as far as is known; it is in the spool.
	Spilled bool
	// Ack is the broker's; nil when the record is spilled.
	Ack *spillway.Ack
	// Cause says why it is spilled.
	Cause error
}

// Stats of a spool.
type Stats struct {
	// Waiting records, and the Bytes of the files.
	Waiting uint64
	Bytes   int64
	// Since it was opened: spilled, stored by the drain, those of them that were stored before, and given to the listener for refused
	// records.
	Spilled, Drained, Duplicates, Refused uint64
	// Torn: entries that were being written when a process ended. Damaged: files with something else that cannot be read.
	Torn, Damaged uint64
	// Obstacle is why the drain does not go on; nil when it does, or has nothing to do.
	Obstacle error
}

// Spool of one topic in one directory. Safe for concurrent use.
type Spool struct {
	topic    string
	o        options
	journal  *journal
	entries  chan *entry
	wake     chan struct{}
	stop     chan struct{}
	running  sync.WaitGroup
	writers  sync.RWMutex // held for reading while an entry is on its way to the journal
	isClosed bool         // guarded by writers

	producer                              atomic.Pointer[spillway.Producer]
	outage                                atomic.Pointer[error] // why the last live record was spilled
	live                                  atomic.Uint64         // records that were published live
	spilled, drained, duplicates, refused atomic.Uint64
	obstacle                              atomic.Pointer[error]
}

// entry on its way to the journal.
type entry struct {
	body []byte
	done chan error
}

// Open the spool of a topic in a directory of its own, which is created when it is missing. What an earlier process has left there
// is published, too, once a producer is attached.
func Open(dir, topic string, opts ...Option) (*Spool, error) {
	o := options{maxBytes: 256 << 20, sync: true, patience: 2 * time.Second, calm: 10 * time.Second, logger: slog.Default()}
	for _, option := range opts {
		if err := option(&o); err != nil {
			return nil, err
		}
	}
	j, err := openJournal(dir, &o)
	if err != nil {
		return nil, fmt.Errorf("the spool in %s cannot be opened: %w", dir, err)
	}
	s := &Spool{topic: topic, o: o, journal: j, entries: make(chan *entry), wake: make(chan struct{}, 1), stop: make(chan struct{})}
	s.running.Add(2)
	go s.write()
	go s.drain()
	return s, nil
}

// Attach the producer of the topic that records go through; before that all are spilled. The spool does not close it.
func (s *Spool) Attach(p *spillway.Producer) error {
	if p.Topic() != s.topic {
		return fmt.Errorf("the producer is of topic %s, the spool of %s", p.Topic(), s.topic)
	}
	s.producer.Store(p)
	s.wakeDrain()
	return nil
}

var errNoProducer = errors.New("no producer is attached yet")

// Publish the record, or spill it when the broker does not take it: it cannot be reached, is under pressure, or the record's time, the
// context's deadline included, is over. Fails when the record is wrong, when the context is cancelled, and when it can neither be
// published nor spilled; ErrOutcomeUnknown then says that it may be stored all the same.
func (s *Spool) Publish(ctx context.Context, record spillway.Record) (Outcome, error) {
	if record.IdempotencyKey == nil {
		record.IdempotencyKey = newKey()
	}
	fix(&record)
	first, maybeStored := time.Now(), !record.FirstAttempt.IsZero()
	if maybeStored {
		first = record.FirstAttempt
	}
	ack, err := s.publishLive(ctx, record)
	if err == nil {
		return Outcome{Ack: &ack}, nil
	}
	if !isSpillable(err) || errors.Is(ctx.Err(), context.Canceled) {
		return Outcome{}, err
	}
	var e *spillway.Error
	maybeStored = maybeStored || errors.As(err, &e) && e.OutcomeUnknown()
	record.FirstAttempt = time.Time{}
	if failed := s.spill(&record, first, maybeStored); failed != nil {
		return Outcome{}, s.neither(err, failed, maybeStored)
	}
	s.spilled.Add(1)
	return Outcome{Spilled: true, Cause: err}, nil
}

func (s *Spool) publishLive(ctx context.Context, record spillway.Record) (spillway.Ack, error) {
	p := s.producer.Load()
	if p == nil {
		return spillway.Ack{}, errNoProducer
	}
	if why := s.outage.Load(); why != nil && !p.MayPublish() {
		return spillway.Ack{}, *why
	}
	s.live.Add(1)
	ctx, cancel := context.WithTimeout(ctx, s.o.patience)
	defer cancel()
	ack, err := p.Publish(ctx, record)
	if err == nil {
		s.outage.Store(nil)
	} else if isSpillable(err) {
		s.outage.Store(&err)
	}
	return ack, err
}

// isSpillable: the same record may be taken later.
func isSpillable(err error) bool {
	var e *spillway.Error
	if !errors.As(err, &e) {
		return err == errNoProducer
	}
	if e.OutcomeUnknown() || e.Retry == spillway.RetrySafe || e.Retry == spillway.RetryRefresh {
		return true
	}
	switch codes.Code(e.Code) {
	case codes.DeadlineExceeded, codes.LocalBufferFull, codes.RetryBudgetExhausted, codes.BreakerOpen:
		return true
	}
	return false
}

// fix what is relative to now.
func fix(r *spillway.Record) {
	now := time.Now()
	if r.Timestamp.IsZero() {
		r.Timestamp = now
	}
	if r.DeliverAfter > 0 && r.DeliverAt.IsZero() {
		r.DeliverAt, r.DeliverAfter = now.Add(r.DeliverAfter), 0
	}
	if r.ExpiresAfter > 0 && r.ExpiresAt.IsZero() {
		r.ExpiresAt, r.ExpiresAfter = now.Add(r.ExpiresAfter), 0
	}
}

func newKey() []byte {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // crypto/rand never fails on the systems Go supports
	}
	return []byte(hex.EncodeToString(b[:]))
}

func (s *Spool) spill(record *spillway.Record, first time.Time, maybeStored bool) error {
	body, err := encode(s.topic, record, first, maybeStored)
	if err != nil {
		return err
	}
	if len(body) > maxBody {
		return fmt.Errorf("the record has %d bytes; a spool takes %d", len(body), maxBody)
	}
	s.writers.RLock()
	defer s.writers.RUnlock()
	if s.isClosed {
		return errors.New("the spool is closed")
	}
	e := &entry{body, make(chan error, 1)}
	s.entries <- e
	err = <-e.done
	s.wakeDrain()
	return err
}

// neither stored nor spilled.
func (s *Spool) neither(cause, spool error, maybeStored bool) error {
	e := &spillway.Error{Code: int(codes.LocalBufferFull), Reason: "LOCAL_BUFFER_FULL", Retry: spillway.RetrySafe,
		What: "a record for " + s.topic + " can neither be published nor spilled"}
	if maybeStored {
		e.Code, e.Reason, e.Retry = int(codes.OutcomeUnknown), "OUTCOME_UNKNOWN", spillway.RetryUnknownOutcome
	}
	waiting, bytes := s.journal.waiting()
	e.Why = fmt.Sprintf("spool: %v, with %d records in %d of %d bytes in %s; broker: %v", spool, waiting, bytes, s.o.maxBytes,
		s.journal.dir, cause)
	e.NextStep = "look at the broker's health and the disk's, enlarge the spool, or publish less"
	return e
}

const maxGroup = 256 // entries that are written together

// write the entries that are there together, with one sync.
func (s *Spool) write() {
	defer s.running.Done()
	for first := range s.entries {
		group := []*entry{first}
		bodies := [][]byte{first.body}
	more:
		for len(group) < maxGroup {
			select {
			case e, ok := <-s.entries:
				if !ok {
					break more
				}
				group, bodies = append(group, e), append(bodies, e.body)
			default:
				break more
			}
		}
		_, err := s.journal.append(bodies)
		for _, e := range group {
			e.done <- err
		}
	}
}

func (s *Spool) wakeDrain() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Stats as they are.
func (s *Spool) Stats() Stats {
	stats := Stats{Spilled: s.spilled.Load(), Drained: s.drained.Load(), Duplicates: s.duplicates.Load(), Refused: s.refused.Load(),
		Torn: s.journal.tornTails, Damaged: s.journal.damagedTails}
	stats.Waiting, stats.Bytes = s.journal.waiting()
	if why := s.obstacle.Load(); why != nil && stats.Waiting > 0 {
		stats.Obstacle = *why
	}
	return stats
}

// Close stops the drain; what is waiting stays on the disk for the next Open. Closing twice is fine.
func (s *Spool) Close() error {
	s.writers.Lock()
	if s.isClosed {
		s.writers.Unlock()
		return nil
	}
	s.isClosed = true
	close(s.entries)
	close(s.stop)
	s.writers.Unlock()
	s.running.Wait()
	return s.journal.close()
}

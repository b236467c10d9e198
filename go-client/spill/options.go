package spill

import (
	"fmt"
	"log/slog"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

const (
	minSegment = 64 << 10
	maxSegment = 8 << 20
	minBytes   = 1 << 20
)

type options struct {
	maxBytes  int64
	sync      bool
	patience  time.Duration
	calm      time.Duration
	onRefused func(spillway.Record, error)
	logger    *slog.Logger
}

// Option of Open.
type Option func(*options) error

// WithMaxBytes bounds the files of the spool. At least 1 MiB, default 256 MiB.
func WithMaxBytes(bytes int64) Option {
	return func(o *options) error {
		o.maxBytes = bytes
		if bytes < minBytes {
			return fmt.Errorf("the spool has %d bytes; it must have at least %d", bytes, minBytes)
		}
		return nil
	}
}

// WithoutSync: Publish returns when the file system has the record. What is spilled survives the process, and not the machine.
func WithoutSync() Option {
	return func(o *options) error { o.sync = false; return nil }
}

// WithPatience says for how long a record is tried before it is spilled, once at the begin of an outage; after that records are
// spilled at once until the broker takes them again. Default 2 s.
func WithPatience(wait time.Duration) Option {
	return func(o *options) error { o.patience = wait; return positive("the patience", wait) }
}

// WithCalm says for how long the broker must have taken records, and said nothing of pressure, before the spool is drained.
// Default 10 s.
func WithCalm(wait time.Duration) Option {
	return func(o *options) error { o.calm = wait; return positive("the calm", wait) }
}

// WithOnRefused sets who is given a record that the broker will never take, with the reason: it is in conflict with its
// idempotency key, too large, or so late that nobody can tell whether it is stored. Without it the spool stops at such a record, and
// Stats says so. Called on a goroutine of the spool, one after the other.
func WithOnRefused(take func(spillway.Record, error)) Option {
	return func(o *options) error { o.onRefused = take; return nil }
}

// WithLogger sets where warnings go. Default: slog.Default().
func WithLogger(logger *slog.Logger) Option {
	return func(o *options) error { o.logger = logger; return nil }
}

func positive(what string, wait time.Duration) error {
	if wait <= 0 {
		return fmt.Errorf("%s is %v; it must be more than nothing", what, wait)
	}
	return nil
}

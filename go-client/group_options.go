package spillway

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Mode says how a group shares its records. A group keeps the mode it began with.
type Mode int

// The modes, as on the wire.
const (
	// Shared: each record goes to one member at a time, in no particular order.
	Shared Mode = 0
	// KeyOrdered: the same, and the records of one key are delivered one at a time, in their order, also across redelivery and
	// when members come and go: the next one when the one before is acked or dead-lettered. A slow or failing key holds up itself
	// alone. Records without a key have no order.
	KeyOrdered Mode = 1
	// Exclusive: one member gets everything, the others stand by for when it leaves. See Subscription.IsActive.
	Exclusive Mode = 2
)

func (m Mode) String() string {
	switch m {
	case Shared:
		return "SHARED"
	case KeyOrdered:
		return "KEY_ORDERED"
	case Exclusive:
		return "EXCLUSIVE"
	case modeStream:
		return "STREAM"
	}
	return fmt.Sprintf("MODE_%d", int(m))
}

func (m Mode) check() error {
	if m < Shared || m > Exclusive {
		return invalid(fmt.Sprintf("the mode %d is none", int(m)), "it must be Shared, KeyOrdered or Exclusive")
	}
	return nil
}

const (
	maxBackoff      = 7 * 24 * time.Hour
	maxBackoffSteps = 32
	maxFilterChars  = 1024

	settingBackoff     = "retry.backoff.ms"
	settingJitter      = "retry.jitter.percent"
	settingMaxInFlight = "max.inflight"
)

// The options below are settings of the group, not of this member: taken when the group is new. One that is there keeps its
// own, whatever they say, but for mode and filter, which must be the same. Admin.AlterGroup changes them.

// WithMode sets how the group shares its records. Default Shared.
func WithMode(mode Mode) SubscribeOption {
	return func(o *subscribeOptions) error {
		o.mode = mode
		return mode.check()
	}
}

// WithFilter sets which records the group wants, by their headers, for instance "region = 'eu' && has(priority)"; docs/protocol.md
// has the language. What it does not want counts as settled. At most 1,024 characters. Default: all.
func WithFilter(expression string) SubscribeOption {
	return func(o *subscribeOptions) error {
		o.filter = expression
		if chars := utf8.RuneCountInString(expression); chars < 1 || chars > maxFilterChars {
			return invalid(fmt.Sprintf("the filter has %d characters", chars), fmt.Sprintf("it must have 1 to %d", maxFilterChars))
		}
		return nil
	}
}

// WithRetryBackoff sets how long a record waits after its first failure, its second, and so on, when its nack named no delay or
// its lease ran out; the last one is repeated. 1 to 32 delays of at most 7 days. Default: as the group has it, at first 0.
func WithRetryBackoff(delays ...time.Duration) SubscribeOption {
	return func(o *subscribeOptions) error {
		if err := countBetween("the number of backoff delays", len(delays), 1, maxBackoffSteps); err != nil {
			return err
		}
		var list []string
		for _, delay := range delays {
			if err := between("a backoff delay", delay, 0, maxBackoff); err != nil {
				return err
			}
			list = append(list, strconv.FormatInt(delay.Milliseconds(), 10))
		}
		return o.set(settingBackoff, strings.Join(list, ","))
	}
}

// WithRetryBackoffBetween makes that wait low after the first failure and double it with each, up to high. 1 ms to 7 days.
func WithRetryBackoffBetween(low, high time.Duration) SubscribeOption {
	return func(o *subscribeOptions) error {
		if err := between("the least backoff", low, time.Millisecond, maxBackoff); err != nil {
			return err
		}
		if err := between("the most backoff", high, low, maxBackoff); err != nil {
			return err
		}
		return o.set(settingBackoff, fmt.Sprintf("%d..%d", low.Milliseconds(), high.Milliseconds()))
	}
}

// WithRetryJitterPercent sets the share of that wait that is random, so that what failed together does not come again together.
// 0 to 100, default: as the group has it, at first 20.
func WithRetryJitterPercent(percent int) SubscribeOption {
	return func(o *subscribeOptions) error {
		if err := countBetween("the jitter", percent, 0, 100); err != nil {
			return err
		}
		return o.set(settingJitter, strconv.Itoa(percent))
	}
}

// WithMaxInFlight limits the records that all members together hold unsettled. 0 to 100,000,000, 0 = no bound; default: as the
// group has it, at first none. WithMaxUnacked is the limit of one member.
func WithMaxInFlight(records int) SubscribeOption {
	return func(o *subscribeOptions) error {
		if err := countBetween("max in flight", records, 0, 100_000_000); err != nil {
			return err
		}
		return o.set(settingMaxInFlight, strconv.Itoa(records))
	}
}

// WithGroupSetting sets any setting of the group by its name, for instance "dlq.breaker.percent". The broker checks it.
func WithGroupSetting(key, value string) SubscribeOption {
	return func(o *subscribeOptions) error {
		if key == "" {
			return invalid("the name of a group's setting is empty", "docs/protocol.md lists the settings")
		}
		return o.set(key, value)
	}
}

func (o *subscribeOptions) set(key, value string) error {
	if o.groupSettings == nil {
		o.groupSettings = map[string]string{}
	}
	o.groupSettings[key] = value
	return nil
}

// hasBackoff: the group knows how long what failed is to wait.
func (o *subscribeOptions) hasBackoff() bool {
	_, ok := o.groupSettings[settingBackoff]
	return ok
}

// WithOnActive hears, in order, when this member becomes the active one of an exclusive group and when it is no more, as when its
// connection is lost; see Subscription.IsActive. On one of the client's goroutines: it must not block. Default: nobody.
func WithOnActive(listener func(active bool)) SubscribeOption {
	return func(o *subscribeOptions) error { o.onActive = listener; return nil }
}

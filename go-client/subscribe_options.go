package spillway

import (
	"fmt"
	"math"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/pb"
)

// Start says where to begin reading, or where to set a group.
type Start struct{ wire *pb.Start }

// Kinds of a start, as on the wire.
const (
	startGroup    = 0
	startEarliest = 1
	startLatest   = 2
	startOffset   = 3
	startTime     = 4
)

// StartEarliest is the oldest record there is.
func StartEarliest() Start { return Start{&pb.Start{Kind: startEarliest}} }

// StartLatest is after the newest record there is.
func StartLatest() Start { return Start{&pb.Start{Kind: startLatest}} }

// StartGroup is where the group is; a new group begins at the earliest record.
func StartGroup() Start { return Start{&pb.Start{Kind: startGroup}} }

// StartOffset is that record of that partition. As the start of a reader, it reads no other partition.
func StartOffset(partition int, offset int64) Start {
	return Start{&pb.Start{Kind: startOffset, Partition: uint32(partition), Offset: uint64(offset)}}
}

// StartTime is in every partition the first record appended at that time or later.
func StartTime(t time.Time) Start {
	return Start{&pb.Start{Kind: startTime, UnixMs: uint64(max(0, t.UnixMilli()))}}
}

// check refuses what no Start function made, and places that cannot be.
func (s Start) check() error {
	switch {
	case s.wire == nil:
		return invalid("the start is empty", "use one of the Start functions")
	case s.wire.GetPartition() > math.MaxInt32 || s.wire.GetOffset() > math.MaxInt64:
		return invalid("a start has a partition or an offset below 0", "both count from 0")
	}
	return nil
}

// LostLeases are messages whose settlement did not count: the lease was over, and they are or will be with another member.
// What their handling did may be done again.
type LostLeases struct {
	Topic     string
	Partition int
	// FirstOffset to LastOffset, both included.
	FirstOffset, LastOffset int64
	Cause                   *Error
}

// SubscribeOption of Client.Subscribe.
type SubscribeOption func(*subscribeOptions) error

type subscribeOptions struct {
	group         string
	start         *pb.Start
	lease         time.Duration
	maxUnacked    int
	maxDeliveries int
	partitions    []uint32
	readFrom      ReadFrom
	creditBytes   int64
	name          string
	mode          Mode
	filter        string
	groupSettings map[string]string
	standby       bool
	onActive      func(bool)
	onLostLeases  func(LostLeases)
}

// WithGroup joins this group, which is created when it does not exist. Default: no group, a reader of its own.
func WithGroup(name string) SubscribeOption {
	return func(o *subscribeOptions) error {
		o.group = name
		if name == "" {
			return invalid("the group's name is empty", "leave it out for a reader of its own, or give one")
		}
		return nil
	}
}

// WithStart says where to begin: for a reader, default latest; for a group only when it is new, default earliest. A group
// that exists goes on where it is; Admin.SeekGroup moves it.
func WithStart(start Start) SubscribeOption {
	return func(o *subscribeOptions) error {
		o.start = start.wire
		return start.check()
	}
}

// WithLeaseTime says how long a message is leased. 1 s to 12 h, default: the broker's, 30 s.
func WithLeaseTime(lease time.Duration) SubscribeOption {
	return func(o *subscribeOptions) error {
		o.lease = lease
		return between("the lease time", lease, time.Second, 12*time.Hour)
	}
}

func countBetween(what string, n, low, high int) error {
	if n < low || n > high {
		return invalid(fmt.Sprintf("%s is %d", what, n), fmt.Sprintf("it must be from %d to %d", low, high))
	}
	return nil
}

// WithMaxUnacked limits the messages that are leased to this member at a time. 1 to 1,000,000, default: the broker's, 10,000.
func WithMaxUnacked(messages int) SubscribeOption {
	return func(o *subscribeOptions) error {
		o.maxUnacked = messages
		return countBetween("max unacked", messages, 1, 1_000_000)
	}
}

// WithMaxDeliveries sets the failed deliveries after which a message is dead-lettered, up to 1,000, for the group. Default 0: as
// the group has it; WithGroupSetting("max.deliveries", "0") is never.
func WithMaxDeliveries(deliveries int) SubscribeOption {
	return func(o *subscribeOptions) error {
		o.maxDeliveries = deliveries
		return countBetween("max deliveries", deliveries, 0, 1_000)
	}
}

// WithPartitions reads only these partitions. Default: all. For a reader without a group.
func WithPartitions(indexes ...int) SubscribeOption {
	return func(o *subscribeOptions) error {
		o.partitions = nil
		for _, i := range indexes {
			if err := countBetween("a partition", i, 0, 1<<16); err != nil {
				return err
			}
			o.partitions = append(o.partitions, uint32(i))
		}
		return nil
	}
}

// WithCreditBytes sets the bytes of batches the broker may send ahead. 1 MiB to 1 GiB, default 8 MiB.
func WithCreditBytes(bytes int64) SubscribeOption {
	return func(o *subscribeOptions) error {
		o.creditBytes = bytes
		return countBetween("the credit", int(bytes), 1<<20, 1<<30)
	}
}

// WithConsumerName sets what the broker's views call this consumer. Default: the client's name.
func WithConsumerName(name string) SubscribeOption {
	return func(o *subscribeOptions) error { o.name = name; return nil }
}

// WithOnLostLeases hears of settlements that came too late, on one of the client's goroutines: it must not block. Default:
// nobody.
func WithOnLostLeases(listener func(LostLeases)) SubscribeOption {
	return func(o *subscribeOptions) error { o.onLostLeases = listener; return nil }
}

// WithStandby stands by in a group in mode KeyOrdered or Exclusive: it takes over from a member that is not well, or is gone, until
// that is back or another comes. WithOnActive hears of it. Default: not.
func WithStandby() SubscribeOption {
	return func(o *subscribeOptions) error { o.standby = true; return nil }
}

// complete checks what the options say together.
func (o *subscribeOptions) complete() error {
	if o.standby && o.mode != KeyOrdered && o.mode != Exclusive {
		return invalid("a subscription is to stand by", "it needs a group in mode KeyOrdered or Exclusive, whose members have a part "+
			"that another can take over")
	}
	if o.group == "" {
		if o.lease != 0 || o.maxUnacked != 0 || o.maxDeliveries != 0 {
			return invalid("a reader has no lease, max unacked or max deliveries", "they are for groups; a reader acks nothing")
		}
		if o.mode != Shared || o.filter != "" || len(o.groupSettings) > 0 {
			return invalid("a reader has no mode, filter or settings", "they are for groups; a reader gets every record")
		}
		if o.start == nil {
			o.start = &pb.Start{Kind: startLatest}
		}
		if o.start.GetKind() == startGroup {
			return invalid("a reader cannot start where a group is", "it has no group; start at earliest, latest, an offset or a time")
		}
		if o.start.GetKind() == startOffset {
			if len(o.partitions) > 0 && (len(o.partitions) > 1 || o.partitions[0] != o.start.GetPartition()) {
				return invalid("a reader is to start at an offset of one partition and to read others",
					"an offset is a place in one partition")
			}
			o.partitions = []uint32{o.start.GetPartition()}
		}
		return nil
	}
	if o.readFrom != Leader {
		return invalid("a group is to read from the nearest node", "the leader shares the records among a group's members")
	}
	if len(o.partitions) > 0 {
		return invalid("a group member asked for certain partitions", "the members of a group share all of them")
	}
	if o.start == nil {
		o.start = &pb.Start{Kind: startGroup}
	}
	return nil
}

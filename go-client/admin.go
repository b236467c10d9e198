package spillway

import (
	"context"
	"sort"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// Admin manages topics, groups and replays. Every call waits up to the client's request timeout, or until its context ends, retries
// what is safe to retry, and fails with an *Error: ErrDeadlineExceeded, ErrOutcomeUnknown, or the broker's answer. Safe for
// concurrent use.
type Admin struct{ c *Client }

// Admin of topics, groups and replays.
func (c *Client) Admin() *Admin { return &Admin{c} }

// Topic as it is.
type Topic struct {
	Name string
	// Config has all settings in effect.
	Config map[string]string
	// Revision changes with every alteration.
	Revision uint64
	Created  time.Time
	// Partitions in order, from 0.
	Partitions []TopicPartition
}

// TopicPartition as it is.
type TopicPartition struct {
	Partition int
	// StartOffset of the oldest record there is, EndOffset of the next one; consumers see what is below VisibleOffset.
	StartOffset, EndOffset, VisibleOffset int64
	// Bytes on disk.
	Bytes uint64
	// CorruptBatches were found damaged and are never served.
	CorruptBatches uint64
}

// Operations of the wire.
const (
	opCreate = 1
	opAlter  = 2
	opDelete = 3
	opPurge  = 4
)

// CreateTopic creates a topic. Settings are those of docs/protocol.md, for instance "durability" (mapped, synced),
// "retention.ms", "dedup.window.ms", "backlog.records" with "backlog.policy", "retain.until.acked", or "accepts" (dlq, replay);
// those not given have the broker's defaults. Fails with ErrAlreadyExists when it is there with others, ErrInvalidArgument.
func (a *Admin) CreateTopic(ctx context.Context, name string, partitions int, config map[string]string) (*Topic, error) {
	if err := countBetween("the number of partitions", partitions, 1, 1024); err != nil {
		return nil, err
	}
	return a.topic(ctx, "create topic "+name, name, &pb.TopicAdmin{Op: opCreate, Topic: name, Config: config,
		Partitions: uint32(partitions), IdempotencyKey: a.c.key()})
}

// AlterTopic changes the given settings; expectRevision 0 = whatever it is now. Fails with ErrTopicNotFound,
// ErrInvalidArgument, ErrRevisionMismatch.
func (a *Admin) AlterTopic(ctx context.Context, name string, config map[string]string, expectRevision uint64) (*Topic, error) {
	return a.topic(ctx, "alter topic "+name, name, &pb.TopicAdmin{Op: opAlter, Topic: name, Config: config,
		ExpectRevision: expectRevision, IdempotencyKey: a.c.key()})
}

// DeleteTopic deletes the topic, its records and its groups. Fails with ErrTopicNotFound.
func (a *Admin) DeleteTopic(ctx context.Context, name string) error {
	_, err := a.topic(ctx, "delete topic "+name, name, &pb.TopicAdmin{Op: opDelete, Topic: name, IdempotencyKey: a.c.key()})
	return err
}

// PurgeTopic removes the records before a place, for every group; reason is for the audit and not empty. Fails with
// ErrTopicNotFound, ErrPositionOutOfRange, and ErrWrongState where a replay still needs the records.
func (a *Admin) PurgeTopic(ctx context.Context, name string, before Start, reason string) (*Topic, error) {
	if err := checkReason("a purge", reason); err != nil {
		return nil, err
	}
	if err := before.check(); err != nil {
		return nil, err
	}
	if before.wire.GetKind() == startGroup {
		return nil, invalid("a purge cannot end where a group is", "give latest, an offset or a time")
	}
	return a.topic(ctx, "purge topic "+name, name, &pb.TopicAdmin{Op: opPurge, Topic: name, Before: before.wire, Reason: reason,
		IdempotencyKey: a.c.key()})
}

func checkReason(of, reason string) error {
	if reason == "" {
		return invalid("the reason of "+of+" is empty", "it is kept for the audit")
	}
	return nil
}

func (a *Admin) topic(ctx context.Context, what, name string, header *pb.TopicAdmin) (*Topic, error) {
	if name == "" {
		return nil, invalid("the topic's name is empty", "it has 1 to 200 characters")
	}
	info := &pb.TopicInfo{}
	if err := a.c.call(ctx, &call{what: what, kind: wire.TopicAdmin, header: header, changes: true}, info, nil); err != nil {
		return nil, err
	}
	return topicOf(info), nil
}

// DescribeTopic fails with ErrTopicNotFound.
func (a *Admin) DescribeTopic(ctx context.Context, name string) (*Topic, error) {
	if name == "" {
		return nil, invalid("the topic's name is empty", "it has 1 to 200 characters")
	}
	topics, err := a.topics(ctx, "describe topic "+name, &pb.Metadata{Topics: []string{name}})
	if err != nil {
		return nil, err
	}
	if len(topics) == 0 {
		return nil, newError(codes.TopicNotFound, "there is no topic "+name, "the broker does not know it", "create it")
	}
	return topics[0], nil
}

// ListTopics returns all topics, by name.
func (a *Admin) ListTopics(ctx context.Context) ([]*Topic, error) {
	return a.topics(ctx, "list topics", &pb.Metadata{All: true})
}

func (a *Admin) topics(ctx context.Context, what string, header *pb.Metadata) ([]*Topic, error) {
	list := &pb.TopicList{}
	if err := a.c.call(ctx, &call{what: what, kind: wire.Metadata, header: header}, nil, list); err != nil {
		return nil, err
	}
	var topics []*Topic
	for _, info := range list.GetTopics() {
		topics = append(topics, topicOf(info))
	}
	sort.Slice(topics, func(i, j int) bool { return topics[i].Name < topics[j].Name })
	return topics, nil
}

func topicOf(info *pb.TopicInfo) *Topic {
	t := &Topic{Name: info.GetName(), Config: info.GetConfig(), Revision: info.GetRevision(),
		Created: time.UnixMilli(int64(info.GetCreatedUnixMs()))}
	for _, p := range info.GetPartitions() {
		t.Partitions = append(t.Partitions, TopicPartition{Partition: int(p.GetPartition()),
			StartOffset: int64(p.GetStartOffset()), EndOffset: int64(p.GetEndOffset()),
			VisibleOffset: int64(p.GetVisibleOffset()), Bytes: p.GetBytes(), CorruptBatches: p.GetCorruptBatches()})
	}
	return t
}

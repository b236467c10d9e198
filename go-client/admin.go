package spillway

import (
	"context"
	"sort"
	"time"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// Admin manages topics and groups. Every call waits up to the client's request timeout, or until its context ends, retries
// what is safe to retry, and fails with an *Error: ErrDeadlineExceeded, ErrOutcomeUnknown, or the broker's answer. Safe for
// concurrent use.
type Admin struct{ c *Client }

// Admin of topics and groups.
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

// Group as it is.
type Group struct {
	Topic, Name string
	// Members are connected consumers.
	Members  int
	Revision uint64
	// MaxDeliveries are the failed deliveries after which a message is dead-lettered; 0 = never.
	MaxDeliveries int
	Created       time.Time
	Partitions    []GroupPartition
}

// GroupPartition says where a group is in a partition.
type GroupPartition struct {
	Partition int
	// Cursor: everything below is settled. AckedAbove are settled records above it.
	Cursor     int64
	AckedAbove int64
	// InFlight are leased, WaitingRetry failed and wait for their next delivery.
	InFlight, WaitingRetry int64
	EndOffset              int64
	// Backlog are records not settled.
	Backlog int64
}

// Backlog is the records not settled in all partitions.
func (g *Group) Backlog() int64 {
	sum := int64(0)
	for _, p := range g.Partitions {
		sum += p.Backlog
	}
	return sum
}

// SeekOutcome says what moving a group did, or would do.
type SeekOutcome struct {
	// Applied is false for a dry run.
	Applied    bool
	Revision   uint64
	Partitions []SeekPartition
}

// SeekPartition: the cursor before and after, and the end of the partition.
type SeekPartition struct {
	Partition     int
	From, To, End int64
}

// Operations of the wire.
const (
	opCreate = 1
	opAlter  = 2
	opDelete = 3

	opListGroups    = 1
	opDescribeGroup = 2
	opDeleteGroup   = 3
)

// CreateTopic creates a topic. Settings are "durability" (mapped, synced), "retention.ms", "retention.bytes",
// "dedup.window.ms", "dedup.window.keys"; those not given have the broker's defaults. Fails with ErrAlreadyExists when it is
// there with others, ErrInvalidArgument.
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

// ListGroups returns the groups of one topic, or of all with an empty name. Fails with ErrTopicNotFound.
func (a *Admin) ListGroups(ctx context.Context, topic string) ([]*Group, error) {
	return a.groups(ctx, "list groups", &pb.GroupAdmin{Op: opListGroups, Topic: topic}, false)
}

// DescribeGroup fails with ErrTopicNotFound, ErrGroupNotFound.
func (a *Admin) DescribeGroup(ctx context.Context, topic, group string) (*Group, error) {
	groups, err := a.groups(ctx, "describe group "+group+" of "+topic,
		&pb.GroupAdmin{Op: opDescribeGroup, Topic: topic, Group: group}, false)
	if err != nil {
		return nil, err
	}
	if len(groups) == 0 {
		return nil, newError(codes.GroupNotFound, "there is no group "+group+" of "+topic, "the broker does not know it",
			"a group begins with its first member")
	}
	return groups[0], nil
}

// DeleteGroup forgets the group and where it was. Fails with ErrTopicNotFound, ErrGroupNotFound.
func (a *Admin) DeleteGroup(ctx context.Context, topic, group string) error {
	_, err := a.groups(ctx, "delete group "+group+" of "+topic,
		&pb.GroupAdmin{Op: opDeleteGroup, Topic: topic, Group: group, IdempotencyKey: a.c.key()}, true)
	return err
}

func (a *Admin) groups(ctx context.Context, what string, header *pb.GroupAdmin, changes bool) ([]*Group, error) {
	list := &pb.GroupList{}
	err := a.c.call(ctx, &call{what: what, kind: wire.GroupAdmin, header: header, changes: changes}, nil, list)
	if err != nil {
		return nil, err
	}
	var groups []*Group
	for _, info := range list.GetGroups() {
		groups = append(groups, groupOf(info))
	}
	return groups, nil
}

func groupOf(info *pb.GroupInfo) *Group {
	g := &Group{Topic: info.GetTopic(), Name: info.GetGroup(), Members: int(info.GetMembers()), Revision: info.GetRevision(),
		MaxDeliveries: int(info.GetMaxDeliveries()), Created: time.UnixMilli(int64(info.GetCreatedUnixMs()))}
	for _, p := range info.GetPartitions() {
		g.Partitions = append(g.Partitions, GroupPartition{Partition: int(p.GetPartition()), Cursor: int64(p.GetCursor()),
			AckedAbove: int64(p.GetAckedAbove()), InFlight: int64(p.GetInFlight()), WaitingRetry: int64(p.GetWaitingRetry()),
			EndOffset: int64(p.GetEndOffset()), Backlog: int64(p.GetBacklog())})
	}
	return g
}

// SeekGroup moves a group, in all partitions or, for an offset, in one. dryRun only says what would happen; reason is for the
// audit and not empty. Fails with ErrTopicNotFound, ErrGroupNotFound, ErrPositionOutOfRange.
func (a *Admin) SeekGroup(ctx context.Context, topic, group string, to Start, dryRun bool, reason string) (*SeekOutcome, error) {
	if reason == "" {
		return nil, invalid("the reason of a seek is empty", "it is kept for the audit")
	}
	if err := to.check(); err != nil {
		return nil, err
	}
	if to.wire.GetKind() == startGroup {
		return nil, invalid("a group cannot be moved to where it is", "give earliest, latest, an offset or a time")
	}
	result := &pb.SeekResult{}
	err := a.c.call(ctx, &call{what: "seek group " + group + " of " + topic, kind: wire.Seek, changes: !dryRun,
		header: &pb.Seek{To: to.wire, Topic: topic, Group: group, DryRun: dryRun, Reason: reason}}, result, nil)
	if err != nil {
		return nil, err
	}
	outcome := &SeekOutcome{Applied: result.GetApplied(), Revision: result.GetRevision()}
	for _, p := range result.GetPartitions() {
		outcome.Partitions = append(outcome.Partitions, SeekPartition{Partition: int(p.GetPartition()), From: int64(p.GetFrom()),
			To: int64(p.GetTo()), End: int64(p.GetEnd())})
	}
	return outcome, nil
}

package spillway

import (
	"context"
	"fmt"
	"sort"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/pb"
	"github.com/spillway-io/spillway/go-client/internal/wire"
)

// Operations of the wire on groups.
const (
	opListGroups     = 1
	opDescribeGroup  = 2
	opDeleteGroup    = 3
	opCreateGroup    = 4
	opAlterGroup     = 5
	opPauseGroup     = 6
	opResumeGroup    = 7
	opSnapshotGroup  = 8
	opRestoreGroup   = 9
	opListSnapshots  = 10
	opDeleteSnapshot = 11
)

// noReason is the reason of changes for which nobody is asked for one.
const noReason = "client"

// Group as it is.
type Group struct {
	Topic, Name string
	Mode        Mode
	// Members are connected consumers, MemberList says who they are.
	Members    int
	MemberList []GroupMember
	Revision   uint64
	// Config has all settings in effect.
	Config map[string]string
	// MaxDeliveries are the failed deliveries after which a message is dead-lettered; 0 = never.
	MaxDeliveries int
	Created       time.Time
	// Paused: it delivers nothing until it is resumed. The reason begins with ADMIN or DLQ_BREAKER; both are zero when it is not.
	Paused      bool
	PauseReason string
	PausedSince time.Time
	// Acked and DeadLettered records since the group began.
	Acked, DeadLettered int64
	Partitions          []GroupPartition
}

// GroupMember is a connected consumer.
type GroupMember struct {
	ID   uint64
	Name string
	// Active: it may get messages; of an exclusive group's members, one.
	Active bool
	// Paused: it takes nothing at present.
	Paused   bool
	InFlight int64
	Lease    time.Duration
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
	// Scheduled wait for their time, KeyBlocked for their key's turn; Dropped were lost to a bound of the topic.
	Scheduled, KeyBlocked, Dropped int64
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

// GroupSpec says how a group is to be. The zero value is a shared group that begins at the earliest record.
type GroupSpec struct {
	Mode Mode
	// Start says where it begins; the zero Start: at the earliest record.
	Start Start
	// Settings that are not the default; docs/protocol.md lists them.
	Settings map[string]string
}

// CreateGroup creates a group before it has a member. One that is there like that is fine. Fails with ErrTopicNotFound,
// ErrAlreadyExists when it is there otherwise, ErrInvalidArgument.
func (a *Admin) CreateGroup(ctx context.Context, topic, group string, spec GroupSpec) (*Group, error) {
	if err := spec.Mode.check(); err != nil {
		return nil, err
	}
	if spec.Start.wire != nil {
		if err := spec.Start.check(); err != nil {
			return nil, err
		}
	}
	return a.changeGroup(ctx, "create", &pb.GroupAdmin{Op: opCreateGroup, Topic: topic, Group: group, Mode: uint32(spec.Mode),
		Start: spec.Start.wire, Args: spec.Settings, Reason: noReason})
}

// AlterGroup changes the given settings, the filter too: what that leaves out counts as settled from then on; with a revision other than 0 only when that is the group's. Fails with
// ErrGroupNotFound, ErrRevisionMismatch, ErrInvalidArgument.
func (a *Admin) AlterGroup(ctx context.Context, topic, group string, settings map[string]string, expectRevision uint64) (*Group, error) {
	return a.changeGroup(ctx, "alter", &pb.GroupAdmin{Op: opAlterGroup, Topic: topic, Group: group, Args: settings,
		ExpectRevision: expectRevision, Reason: noReason})
}

// PauseGroup holds deliveries back until ResumeGroup, also across restarts of the broker; the reason is not empty and
// shown as long as it is paused. What is leased may be settled. Fails with ErrGroupNotFound.
func (a *Admin) PauseGroup(ctx context.Context, topic, group, reason string) (*Group, error) {
	if err := checkReason("a pause", reason); err != nil {
		return nil, err
	}
	return a.changeGroup(ctx, "pause", &pb.GroupAdmin{Op: opPauseGroup, Topic: topic, Group: group, Reason: reason})
}

// ResumeGroup delivers again, after PauseGroup or after the dead letters' breaker has paused the group. Fails with
// ErrGroupNotFound.
func (a *Admin) ResumeGroup(ctx context.Context, topic, group, reason string) (*Group, error) {
	if err := checkReason("resuming a group", reason); err != nil {
		return nil, err
	}
	return a.changeGroup(ctx, "resume", &pb.GroupAdmin{Op: opResumeGroup, Topic: topic, Group: group, Reason: reason})
}

func (a *Admin) changeGroup(ctx context.Context, verb string, header *pb.GroupAdmin) (*Group, error) {
	header.IdempotencyKey = a.c.key()
	what := verb + " group " + header.GetGroup() + " of " + header.GetTopic()
	groups, err := a.groups(ctx, what, header, true)
	if err != nil {
		return nil, err
	}
	if len(groups) != 1 {
		return nil, unexpected(what, fmt.Sprintf("%d groups", len(groups)))
	}
	return groups[0], nil
}

func unexpected(what, found string) *Error {
	return newError(codes.MalformedFrame, "the answer to "+what+" has "+found, "there should be one of what was asked for",
		"check that client and broker are of compatible releases")
}

// GroupSnapshot is what a group had settled at some time.
type GroupSnapshot struct {
	Name, Reason string
	Taken        time.Time
	// Partitions, of which Cursor and AckedAbove count.
	Partitions []GroupPartition
}

// SnapshotGroup keeps what the group has settled, under that name. Fails with ErrGroupNotFound, ErrAlreadyExists,
// and ErrWrongState when the group has as many snapshots as it may.
func (a *Admin) SnapshotGroup(ctx context.Context, topic, group, snapshot, reason string) (*GroupSnapshot, error) {
	header, err := a.ofSnapshot(opSnapshotGroup, topic, group, snapshot, reason)
	if err != nil {
		return nil, err
	}
	what := "snapshot group " + group + " of " + topic
	list, err := a.snapshots(ctx, what, header, true)
	if err != nil {
		return nil, err
	}
	for _, each := range list {
		if each.Name == snapshot {
			return each, nil
		}
	}
	return nil, unexpected(what, "no snapshot of that name")
}

// RestoreGroup makes exactly that settled again which the snapshot has; leases end. Fails with ErrGroupNotFound, ErrNotFound.
func (a *Admin) RestoreGroup(ctx context.Context, topic, group, snapshot, reason string) (*Group, error) {
	header, err := a.ofSnapshot(opRestoreGroup, topic, group, snapshot, reason)
	if err != nil {
		return nil, err
	}
	return a.changeGroup(ctx, "restore", header)
}

// GroupSnapshots returns the snapshots of a group, by name. Fails with ErrGroupNotFound.
func (a *Admin) GroupSnapshots(ctx context.Context, topic, group string) ([]*GroupSnapshot, error) {
	return a.snapshots(ctx, "list snapshots of group "+group+" of "+topic,
		&pb.GroupAdmin{Op: opListSnapshots, Topic: topic, Group: group}, false)
}

// DeleteGroupSnapshot forgets a snapshot. Fails with ErrGroupNotFound, ErrNotFound.
func (a *Admin) DeleteGroupSnapshot(ctx context.Context, topic, group, snapshot string) error {
	header, err := a.ofSnapshot(opDeleteSnapshot, topic, group, snapshot, noReason)
	if err == nil {
		_, err = a.snapshots(ctx, "delete snapshot "+snapshot+" of group "+group+" of "+topic, header, true)
	}
	return err
}

func (a *Admin) ofSnapshot(op uint32, topic, group, snapshot, reason string) (*pb.GroupAdmin, error) {
	if snapshot == "" {
		return nil, invalid("the snapshot's name is empty", "it names what the group had settled")
	}
	if err := checkReason("a snapshot or restore", reason); err != nil {
		return nil, err
	}
	return &pb.GroupAdmin{Op: op, Topic: topic, Group: group, Snapshot: snapshot, Reason: reason, IdempotencyKey: a.c.key()}, nil
}

func (a *Admin) snapshots(ctx context.Context, what string, header *pb.GroupAdmin, changes bool) ([]*GroupSnapshot, error) {
	ok := &pb.GroupAdminOk{}
	if err := a.groupAdmin(ctx, what, header, changes, ok, nil); err != nil {
		return nil, err
	}
	var list []*GroupSnapshot
	for _, s := range ok.GetSnapshots() {
		list = append(list, &GroupSnapshot{Name: s.GetName(), Reason: s.GetReason(), Taken: timeOrZero(int64(s.GetTakenUnixMs())),
			Partitions: groupPartitionsOf(s.GetPartitions())})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list, nil
}

func (a *Admin) groupAdmin(ctx context.Context, what string, header *pb.GroupAdmin, changes bool, answer, payload proto.Message) error {
	return a.c.call(ctx, &call{what: what, kind: wire.GroupAdmin, header: header, changes: changes}, answer, payload)
}

func (a *Admin) groups(ctx context.Context, what string, header *pb.GroupAdmin, changes bool) ([]*Group, error) {
	list := &pb.GroupList{}
	if err := a.groupAdmin(ctx, what, header, changes, nil, list); err != nil {
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
		Mode: Mode(info.GetMode()), MaxDeliveries: int(info.GetMaxDeliveries()), Created: timeOrZero(int64(info.GetCreatedUnixMs())),
		Config: info.GetConfig(), Paused: info.GetPaused(), PauseReason: info.GetPauseReason(),
		PausedSince: timeOrZero(int64(info.GetPausedUnixMs())), Acked: int64(info.GetAcked()), DeadLettered: int64(info.GetDeadLettered()),
		Partitions: groupPartitionsOf(info.GetPartitions())}
	for _, m := range info.GetMemberList() {
		g.MemberList = append(g.MemberList, GroupMember{ID: m.GetMember(), Name: m.GetName(), Active: m.GetActive(),
			Paused: m.GetPaused(), InFlight: int64(m.GetInFlight()), Lease: time.Duration(m.GetLeaseMs()) * time.Millisecond})
	}
	return g
}

func groupPartitionsOf(list []*pb.GroupPartition) []GroupPartition {
	var partitions []GroupPartition
	for _, p := range list {
		partitions = append(partitions, GroupPartition{Partition: int(p.GetPartition()), Cursor: int64(p.GetCursor()),
			AckedAbove: int64(p.GetAckedAbove()), InFlight: int64(p.GetInFlight()), WaitingRetry: int64(p.GetWaitingRetry()),
			EndOffset: int64(p.GetEndOffset()), Backlog: int64(p.GetBacklog()),
			Scheduled: int64(p.GetScheduled()), KeyBlocked: int64(p.GetKeyBlocked()), Dropped: int64(p.GetDropped())})
	}
	return partitions
}

// SeekGroup moves a group, in all partitions or, for an offset, in one. dryRun only says what would happen; reason is for the
// audit and not empty. Fails with ErrTopicNotFound, ErrGroupNotFound, ErrPositionOutOfRange.
func (a *Admin) SeekGroup(ctx context.Context, topic, group string, to Start, dryRun bool, reason string) (*SeekOutcome, error) {
	if err := checkReason("a seek", reason); err != nil {
		return nil, err
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

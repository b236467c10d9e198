package main

import (
	"context"

	spillway "github.com/spillway-io/spillway/go-client"
)

type groupCall = func(ctx context.Context, admin *spillway.Admin, topic, group string) (*spillway.Group, error)

// groupOp is an operation on a group whose answer is the group.
func groupOp(prepare func(a *args) groupCall) operation {
	return topicOp(func(ctx context.Context, admin *spillway.Admin, topic string, a *args) (any, error) {
		group := a.text("group")
		call := prepare(a)
		if err := a.finish(); err != nil {
			return nil, err
		}
		g, err := call(ctx, admin, topic, group)
		return answer(g, err, groupOf)
	})
}

var createGroupOp = groupOp(func(a *args) groupCall {
	spec := spillway.GroupSpec{Start: a.start("start"), Settings: a.texts("config")}
	if a.has("mode") {
		spec.Mode = a.mode("mode")
	}
	return func(ctx context.Context, admin *spillway.Admin, topic, group string) (*spillway.Group, error) {
		return admin.CreateGroup(ctx, topic, group, spec)
	}
})

var alterGroupOp = groupOp(func(a *args) groupCall {
	a.require("config")
	config, revision := a.texts("config"), uint64(a.number("expect_revision", 0))
	return func(ctx context.Context, admin *spillway.Admin, topic, group string) (*spillway.Group, error) {
		return admin.AlterGroup(ctx, topic, group, config, revision)
	}
})

var pauseGroupOp = groupOp(func(a *args) groupCall {
	reason := a.optionalText("reason", "conformance")
	return func(ctx context.Context, admin *spillway.Admin, topic, group string) (*spillway.Group, error) {
		return admin.PauseGroup(ctx, topic, group, reason)
	}
})

var resumeGroupOp = groupOp(func(a *args) groupCall {
	reason := a.optionalText("reason", "conformance")
	return func(ctx context.Context, admin *spillway.Admin, topic, group string) (*spillway.Group, error) {
		return admin.ResumeGroup(ctx, topic, group, reason)
	}
})

var restoreGroupOp = groupOp(func(a *args) groupCall {
	snapshot, reason := a.text("snapshot"), a.optionalText("reason", "conformance")
	return func(ctx context.Context, admin *spillway.Admin, topic, group string) (*spillway.Group, error) {
		return admin.RestoreGroup(ctx, topic, group, snapshot, reason)
	}
})

var snapshotGroupOp = topicOp(func(ctx context.Context, admin *spillway.Admin, topic string, a *args) (any, error) {
	group, snapshot, reason := a.text("group"), a.text("snapshot"), a.optionalText("reason", "conformance")
	if err := a.finish(); err != nil {
		return nil, err
	}
	s, err := admin.SnapshotGroup(ctx, topic, group, snapshot, reason)
	return answer(s, err, snapshotOf)
})

var groupSnapshotsOp = topicOp(func(ctx context.Context, admin *spillway.Admin, topic string, a *args) (any, error) {
	group := a.text("group")
	if err := a.finish(); err != nil {
		return nil, err
	}
	list, err := admin.GroupSnapshots(ctx, topic, group)
	snapshots := []any{}
	for _, s := range list {
		snapshots = append(snapshots, snapshotOf(s))
	}
	return object{"snapshots": snapshots}, err
})

var deleteSnapshotOp = topicOp(func(ctx context.Context, admin *spillway.Admin, topic string, a *args) (any, error) {
	group, snapshot := a.text("group"), a.text("snapshot")
	if err := a.finish(); err != nil {
		return nil, err
	}
	return object{}, admin.DeleteGroupSnapshot(ctx, topic, group, snapshot)
})

func snapshotOf(s *spillway.GroupSnapshot) object {
	partitions := []any{}
	for _, p := range s.Partitions {
		partitions = append(partitions, object{"partition": p.Partition, "cursor": p.Cursor, "acked_above": p.AckedAbove})
	}
	return object{"snapshot": s.Name, "taken_ms": s.Taken.UnixMilli(), "reason": s.Reason, "partitions": partitions}
}

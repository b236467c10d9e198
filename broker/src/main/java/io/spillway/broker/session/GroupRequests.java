package io.spillway.broker.session;

import io.spillway.broker.auth.Operation;
import io.spillway.broker.auth.Resource;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.shard.GroupChange;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.GroupAdmin;
import io.spillway.protocol.v1.GroupAdminOk;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.GroupList;
import io.spillway.protocol.v1.GroupSnapshot;
import io.spillway.protocol.v1.Seek;
import io.spillway.protocol.v1.SeekResult;
import java.util.List;
import java.util.function.Consumer;

/** Administration of groups, and seeks: requests on channel 0. Confined to the connection's event loop. */
final class GroupRequests {
    private static final int LIST = 1;
    private static final int DESCRIBE = 2;
    private static final int DELETE = 3;
    private static final int CREATE = 4;
    private static final int ALTER = 5;
    private static final int PAUSE = 6;
    private static final int RESUME = 7;
    private static final int SNAPSHOT = 8;
    private static final int RESTORE = 9;
    private static final int LIST_SNAPSHOTS = 10;
    private static final int DELETE_SNAPSHOT = 11;

    private final SessionContext context;
    private final Outbox outbox;
    private final Audited audited;
    private final Restraint restraint;
    private final Gate gate;

    GroupRequests(SessionContext context, Outbox outbox, Audited audited, Restraint restraint, Gate gate) {
        this.context = context;
        this.outbox = outbox;
        this.audited = audited;
        this.restraint = restraint;
        this.gate = gate;
    }

    void administer(Frame frame) {
        GroupAdmin request = frame.header(GroupAdmin.parser());
        int correlation = frame.correlation();
        if (request.getOp() == LIST && request.getTopic().isEmpty()) {
            list(
                    context.catalog.get().all().stream()
                            .filter(topic -> gate.allows(Operation.DESCRIBE, Resource.TOPIC, topic.name()))
                            .toList(),
                    0,
                    GroupList.newBuilder(),
                    correlation);
            return;
        }
        TopicSpec topic = context.catalog.get().get(request.getTopic());
        switch (request.getOp()) {
            case LIST -> list(List.of(topic), 0, GroupList.newBuilder(), correlation);
            case DESCRIBE ->
                offer(
                        topic,
                        new ShardCommand.DescribeGroups(
                                topic.topicId(),
                                request.getGroup(),
                                reply(correlation, groups -> answer(correlation, groups, List.of()))));
            case DELETE ->
                audited.offer(
                        audited.entry(request),
                        context.mailbox(topic),
                        reply -> new ShardCommand.DeleteGroup(topic.topicId(), request.getGroup(), reply),
                        this.<GroupInfo>reply(correlation, group -> answer(correlation, List.of(group), List.of())));
            default -> change(request, topic, correlation);
        }
    }

    private void change(GroupAdmin request, TopicSpec topic, int correlation) {
        if (request.getOp() == CREATE) {
            restraint.require("creating group " + request.getGroup());
        }
        GroupChange change = change(request);
        audited.offer(
                audited.entry(request),
                context.mailbox(topic),
                reply -> new ShardCommand.ChangeGroup(
                        topic.topicId(),
                        request.getGroup(),
                        change,
                        request.getExpectRevision(),
                        request.getReason(),
                        reply),
                this.<GroupChange.Done>reply(
                        correlation, done -> answer(correlation, List.of(done.group()), done.snapshots())));
    }

    private static GroupChange change(GroupAdmin request) {
        return switch (request.getOp()) {
            case CREATE -> new GroupChange.Create(request.getMode(), request.getStart(), request.getArgsMap());
            case ALTER -> new GroupChange.Alter(request.getArgsMap());
            case PAUSE -> new GroupChange.Pause();
            case RESUME -> new GroupChange.Resume();
            case SNAPSHOT -> new GroupChange.TakeSnapshot(request.getSnapshot());
            case RESTORE -> new GroupChange.Restore(request.getSnapshot());
            case LIST_SNAPSHOTS -> new GroupChange.ListSnapshots();
            case DELETE_SNAPSHOT -> new GroupChange.DeleteSnapshot(request.getSnapshot());
            default -> throw AdminRequests.unknownOperation("group", request.getOp(), DELETE_SNAPSHOT);
        };
    }

    private void offer(TopicSpec topic, ShardCommand command) {
        AdminRequests.offer(context.mailbox(topic), command);
    }

    private <T> Reply<T> reply(int correlation, Consumer<T> answer) {
        return Reply.of(answer, why -> outbox.fail(FrameKind.GROUP_ADMIN, 0, correlation, WireErrors.of(why)));
    }

    private void answer(int correlation, List<GroupInfo> groups, List<GroupSnapshot> snapshots) {
        outbox.answerPayload(
                FrameKind.GROUP_ADMIN,
                correlation,
                GroupAdminOk.newBuilder()
                        .setRevision(groups.size() == 1 ? groups.get(0).getRevision() : 0)
                        .addAllSnapshots(snapshots)
                        .build(),
                GroupList.newBuilder().addAllGroups(groups).build());
    }

    /** Asks each topic's shard in turn. */
    private void list(List<TopicSpec> topics, int next, GroupList.Builder list, int correlation) {
        if (next == topics.size()) {
            answer(correlation, list.getGroupsList(), List.of());
            return;
        }
        TopicSpec topic = topics.get(next);
        Reply<List<GroupInfo>> reply = reply(correlation, groups -> {
            groups.stream()
                    .filter(group -> gate.allows(Operation.DESCRIBE, Resource.GROUP, group.getGroup()))
                    .forEach(list::addGroups);
            list(topics, next + 1, list, correlation);
        });
        if (!context.mailbox(topic).offer(new ShardCommand.DescribeGroups(topic.topicId(), null, reply))) {
            reply.failed(AdminRequests.overloaded());
        }
    }

    void seek(Frame frame) {
        Seek request = frame.header(Seek.parser());
        if (!request.getDryRun()) {
            restraint.require("moving group " + request.getGroup());
        }
        TopicSpec topic = context.catalog.get().get(request.getTopic());
        Reply<SeekResult> reply = outbox.reply(FrameKind.SEEK, 0, frame.correlation(), result -> result);
        audited.offer(
                audited.entry(request),
                context.mailbox(topic),
                answer -> new ShardCommand.Seek(
                        topic.topicId(),
                        request.getGroup(),
                        request.getTo(),
                        request.getDryRun(),
                        request.getExpectRevision(),
                        request.getReason(),
                        answer),
                reply);
    }
}

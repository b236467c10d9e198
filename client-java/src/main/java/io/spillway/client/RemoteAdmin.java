package io.spillway.client;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.v1.GroupAdmin;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.GroupList;
import io.spillway.protocol.v1.Metadata;
import io.spillway.protocol.v1.Seek;
import io.spillway.protocol.v1.SeekResult;
import io.spillway.protocol.v1.TopicAdmin;
import io.spillway.protocol.v1.TopicInfo;
import io.spillway.protocol.v1.TopicList;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;

/** Administration over the client's connection. Thread-safe. */
final class RemoteAdmin implements Admin {
    private static final int CREATE = 1;
    private static final int ALTER = 2;
    private static final int DELETE = 3;
    private static final int LIST = 1;
    private static final int DESCRIBE = 2;
    private static final String REASON = "client";

    private final Requests requests;
    private final RemoteReplays replays;

    RemoteAdmin(Requests requests) {
        this.requests = requests;
        replays = new RemoteReplays(requests);
    }

    @Override
    public TopicDescription createTopic(String name, int partitions, Map<String, String> config) {
        Arguments.between("partitions", partitions, 1, Integer.MAX_VALUE);
        return changeTopic(
                "create topic " + name,
                topicAdmin(CREATE, name).setPartitions(partitions).putAllConfig(config));
    }

    @Override
    public TopicDescription alterTopic(String name, Map<String, String> config) {
        return alterTopic(name, config, 0);
    }

    @Override
    public TopicDescription alterTopic(String name, Map<String, String> config, long expectRevision) {
        return changeTopic(
                "alter topic " + name,
                topicAdmin(ALTER, name).putAllConfig(config).setExpectRevision(expectRevision));
    }

    @Override
    public void deleteTopic(String name) {
        changeTopic("delete topic " + name, topicAdmin(DELETE, name));
    }

    private static TopicAdmin.Builder topicAdmin(int op, String name) {
        return TopicAdmin.newBuilder()
                .setOp(op)
                .setTopic(Arguments.notEmpty("the topic's name", name))
                .setReason(REASON)
                .setIdempotencyKey(UUID.randomUUID().toString());
    }

    private TopicDescription changeTopic(String what, TopicAdmin.Builder header) {
        return requests.call(new Requests.Request<>(
                what, FrameKind.TOPIC_ADMIN, header.build(), true, frame -> topic(frame.header(TopicInfo.parser()))));
    }

    @Override
    public TopicDescription describeTopic(String name) {
        Arguments.notEmpty("the topic's name", name);
        List<TopicDescription> found = metadata(
                "describe topic " + name, Metadata.newBuilder().addTopics(name).build());
        return found.stream()
                .filter(topic -> topic.name().equals(name))
                .findFirst()
                .orElseThrow(() -> SpillwayException.of(
                        Code.TOPIC_NOT_FOUND,
                        "topic " + name + " does not exist",
                        "the broker has no topic of that name",
                        "create it, or correct the name"));
    }

    @Override
    public List<TopicDescription> listTopics() {
        return metadata("list topics", Metadata.newBuilder().setAll(true).build());
    }

    private List<TopicDescription> metadata(String what, Metadata header) {
        return requests.call(new Requests.Request<>(
                what,
                FrameKind.METADATA,
                header,
                false,
                frame -> parse(frame, TopicList.parser()).getTopicsList().stream()
                        .map(RemoteAdmin::topic)
                        .sorted(Comparator.comparing(TopicDescription::name))
                        .toList()));
    }

    @Override
    public List<GroupDescription> listGroups() {
        return groups("list groups", GroupAdmin.newBuilder().setOp(LIST), false);
    }

    @Override
    public List<GroupDescription> listGroups(String topic) {
        Arguments.notEmpty("the topic's name", topic);
        return groups(
                "list groups of topic " + topic,
                GroupAdmin.newBuilder().setOp(LIST).setTopic(topic),
                false);
    }

    @Override
    public GroupDescription describeGroup(String topic, String group) {
        List<GroupDescription> found =
                groups("describe group " + group + " of topic " + topic, groupAdmin(DESCRIBE, topic, group), false);
        return found.stream()
                .filter(description -> description.group().equals(group))
                .findFirst()
                .orElseThrow(() -> SpillwayException.of(
                        Code.GROUP_NOT_FOUND,
                        "group " + group + " of topic " + topic + " does not exist",
                        "the broker has no group of that name there",
                        "list the topic's groups; a group begins with its first consumer"));
    }

    @Override
    public void deleteGroup(String topic, String group) {
        groups("delete group " + group + " of topic " + topic, groupAdmin(DELETE, topic, group), true);
    }

    private static GroupAdmin.Builder groupAdmin(int op, String topic, String group) {
        return GroupAdmin.newBuilder()
                .setOp(op)
                .setTopic(Arguments.notEmpty("the topic's name", topic))
                .setGroup(Arguments.notEmpty("the group's name", group))
                .setReason(REASON)
                .setIdempotencyKey(UUID.randomUUID().toString());
    }

    private List<GroupDescription> groups(String what, GroupAdmin.Builder header, boolean changes) {
        return requests.call(new Requests.Request<>(
                what,
                FrameKind.GROUP_ADMIN,
                header.build(),
                changes,
                frame -> parse(frame, GroupList.parser()).getGroupsList().stream()
                        .map(RemoteAdmin::group)
                        .sorted(Comparator.comparing(GroupDescription::topic).thenComparing(GroupDescription::group))
                        .toList()));
    }

    @Override
    public SeekOutcome seekGroup(String topic, String group, StartPosition to, boolean dryRun, String reason) {
        if (to.kind() == StartPosition.GROUP) {
            throw Arguments.invalid("group " + group + " is to go where it is", "that is no move");
        }
        Seek header = Seek.newBuilder()
                .setTopic(Arguments.notEmpty("the topic's name", topic))
                .setGroup(Arguments.notEmpty("the group's name", group))
                .setTo(to.wire())
                .setDryRun(dryRun)
                .setReason(Arguments.notEmpty("the reason", reason))
                .build();
        return requests.call(new Requests.Request<>(
                "seek group " + group + " of topic " + topic + " to " + to,
                FrameKind.SEEK,
                header,
                !dryRun,
                frame -> seek(frame.header(SeekResult.parser()))));
    }

    @Override
    public ReplayPlan planReplay(ReplaySelection selection) {
        return replays.plan(selection, plan -> {});
    }

    @Override
    public ReplayPlan planReplay(ReplaySelection selection, Consumer<ReplayPlan> progress) {
        return replays.plan(selection, progress);
    }

    @Override
    public ReplayPlan replayPlan(String planId) {
        return replays.plan(planId);
    }

    @Override
    public List<ReplayPlan> replayPlans() {
        return replays.plans();
    }

    @Override
    public void deleteReplayPlan(String planId) {
        replays.deletePlan(planId);
    }

    @Override
    public ReplayJob startReplay(String planId, ReplayTarget target, ReplayOptions options) {
        return replays.start(planId, target, options);
    }

    @Override
    public List<ReplayPlan.Range> replayToFile(String planId, String path, String reason) {
        return replays.toFile(planId, path, reason);
    }

    @Override
    public ReplayJob replay(String jobId) {
        return replays.job(jobId);
    }

    @Override
    public List<ReplayJob> replays() {
        return replays.jobs();
    }

    @Override
    public ReplayJob pauseReplay(String jobId, String reason) {
        return replays.pause(jobId, reason);
    }

    @Override
    public ReplayJob resumeReplay(String jobId, String reason) {
        return replays.resume(jobId, reason);
    }

    @Override
    public ReplayJob cancelReplay(String jobId, String reason) {
        return replays.cancel(jobId, reason);
    }

    @Override
    public ReplayJob replayDiff(String jobId) {
        return replays.diff(jobId);
    }

    @Override
    public ReplayJob awaitReplay(String jobId, Duration timeout) {
        return replays.await(jobId, timeout);
    }

    // ---- from the wire

    static <T> T parse(Frame frame, Parser<T> parser) {
        try {
            ByteBuffer payload = frame.payload().nioBuffer();
            return parser.parseFrom(com.google.protobuf.CodedInputStream.newInstance(payload));
        } catch (InvalidProtocolBufferException e) {
            throw new ProtocolException(
                    Code.MALFORMED_FRAME, "the payload of a frame of kind " + frame.kindCode() + ": " + e);
        }
    }

    private static TopicDescription topic(TopicInfo info) {
        return new TopicDescription(
                info.getName(),
                Map.copyOf(info.getConfigMap()),
                info.getRevision(),
                info.getCreatedUnixMs(),
                info.getPartitionsList().stream()
                        .map(p -> new TopicDescription.Partition(
                                p.getPartition(),
                                p.getStartOffset(),
                                p.getEndOffset(),
                                p.getVisibleOffset(),
                                p.getBytes(),
                                p.getCorruptBatches()))
                        .sorted(Comparator.comparingInt(TopicDescription.Partition::partition))
                        .toList());
    }

    private static GroupDescription group(GroupInfo info) {
        return new GroupDescription(
                info.getTopic(),
                info.getGroup(),
                info.getMembers(),
                info.getRevision(),
                info.getMaxDeliveries(),
                info.getCreatedUnixMs(),
                info.getPartitionsList().stream()
                        .map(p -> new GroupDescription.Partition(
                                p.getPartition(),
                                p.getCursor(),
                                p.getAckedAbove(),
                                p.getInFlight(),
                                p.getWaitingRetry(),
                                p.getEndOffset(),
                                p.getBacklog()))
                        .sorted(Comparator.comparingInt(GroupDescription.Partition::partition))
                        .toList());
    }

    private static SeekOutcome seek(SeekResult result) {
        return new SeekOutcome(
                result.getApplied(),
                result.getRevision(),
                result.getPartitionsList().stream()
                        .map(p -> new SeekOutcome.Partition(p.getPartition(), p.getFrom(), p.getTo(), p.getEnd()))
                        .sorted(Comparator.comparingInt(SeekOutcome.Partition::partition))
                        .toList());
    }
}

package io.spillway.client;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.v1.Metadata;
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
    private static final int PURGE = 4;
    private static final int PAUSE = 5;
    private static final int RESUME = 6;
    private static final int SHED_CLASS = 7;
    private static final String REASON = "client";

    private final Requests requests;
    private final RemoteGroups groups;
    private final RemoteReplays replays;

    RemoteAdmin(Requests requests) {
        this.requests = requests;
        groups = new RemoteGroups(requests);
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
    public TopicDescription purgeTopic(String name, StartPosition before, String reason) {
        if (before.kind() == StartPosition.GROUP) {
            throw Arguments.invalid("topic " + name + " is to be purged up to where a group is", "that is no place");
        }
        return changeTopic(
                "purge topic " + name + " before " + before,
                topicAdmin(PURGE, name).setBefore(before.wire()).setReason(Arguments.notEmpty("the reason", reason)));
    }

    @Override
    public TopicDescription pauseTopic(String name, boolean publish, boolean dispatch, String reason) {
        return changeTopic("pause topic " + name, switched(PAUSE, name, publish, dispatch, reason));
    }

    @Override
    public TopicDescription resumeTopic(String name, boolean publish, boolean dispatch, String reason) {
        return changeTopic("resume topic " + name, switched(RESUME, name, publish, dispatch, reason));
    }

    private static TopicAdmin.Builder switched(int op, String name, boolean publish, boolean dispatch, String reason) {
        return topicAdmin(op, name)
                .setPublish(publish)
                .setDispatch(dispatch)
                .setReason(Arguments.notEmpty("the reason", reason));
    }

    @Override
    public TopicDescription shedClassOfTopic(String name, int shedClass, String reason) {
        return changeTopic(
                "give topic " + name + " a class",
                topicAdmin(SHED_CLASS, name)
                        .setShedClass(shedClass)
                        .setReason(Arguments.notEmpty("the reason", reason)));
    }

    @Override
    public List<GroupDescription> listGroups() {
        return groups.list();
    }

    @Override
    public List<GroupDescription> listGroups(String topic) {
        return groups.list(topic);
    }

    @Override
    public GroupDescription describeGroup(String topic, String group) {
        return groups.describe(topic, group);
    }

    @Override
    public void deleteGroup(String topic, String group) {
        groups.delete(topic, group);
    }

    @Override
    public GroupDescription createGroup(
            String topic, String group, GroupMode mode, StartPosition start, Map<String, String> config) {
        return groups.create(topic, group, mode, start, config);
    }

    @Override
    public GroupDescription alterGroup(String topic, String group, Map<String, String> config) {
        return groups.alter(topic, group, config, 0);
    }

    @Override
    public GroupDescription alterGroup(String topic, String group, Map<String, String> config, long expectRevision) {
        return groups.alter(topic, group, config, expectRevision);
    }

    @Override
    public GroupDescription pauseGroup(String topic, String group, String reason) {
        return groups.pause(topic, group, reason);
    }

    @Override
    public GroupDescription resumeGroup(String topic, String group, String reason) {
        return groups.resume(topic, group, reason);
    }

    @Override
    public GroupSnapshot snapshotGroup(String topic, String group, String name, String reason) {
        return groups.snapshot(topic, group, name, reason);
    }

    @Override
    public GroupDescription restoreGroup(String topic, String group, String name, String reason) {
        return groups.restore(topic, group, name, reason);
    }

    @Override
    public List<GroupSnapshot> groupSnapshots(String topic, String group) {
        return groups.snapshots(topic, group);
    }

    @Override
    public void deleteGroupSnapshot(String topic, String group, String name) {
        groups.deleteSnapshot(topic, group, name);
    }

    @Override
    public SeekOutcome seekGroup(String topic, String group, StartPosition to, boolean dryRun, String reason) {
        return groups.seek(topic, group, to, dryRun, reason);
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
                        .toList(),
                new TopicDescription.Life(info.getEpoch(), info.getMirroredBy(), info.getFencedBy()),
                new TopicDescription.Switches(
                        info.getPublishPaused(),
                        info.getDispatchPaused(),
                        info.getShedClass(),
                        info.getSwitchReason(),
                        info.getSwitchedUnixMs()));
    }
}

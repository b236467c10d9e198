package io.spillway.broker.session;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.auth.Operation;
import io.spillway.broker.auth.Resource;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.Switches;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Component;
import io.spillway.protocol.v1.HealthCheck;
import io.spillway.protocol.v1.HealthStatus;
import io.spillway.protocol.v1.Metadata;
import io.spillway.protocol.v1.MetadataOk;
import io.spillway.protocol.v1.PartitionInfo;
import io.spillway.protocol.v1.ReplayAdmin;
import io.spillway.protocol.v1.ReplayAdminOk;
import io.spillway.protocol.v1.ReplayList;
import io.spillway.protocol.v1.TopicAdmin;
import io.spillway.protocol.v1.TopicInfo;
import io.spillway.protocol.v1.TopicList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;

/** Metadata and topic administration: requests on channel 0. Confined to the connection's event loop. */
final class AdminRequests {
    private static final int CREATE = 1;
    private static final int ALTER = 2;
    private static final int DELETE = 3;
    private static final int PURGE = 4;
    private static final int PAUSE = 5;
    private static final int RESUME = 6;
    private static final int SHED_CLASS = 7;
    private static final int SERVING = 1;
    private static final int NOT_SERVING = 2;

    private final SessionContext context;
    private final Outbox outbox;
    private final Audited audited;
    private final Restraint restraint;
    private final Gate gate;
    private final LinkRequests links;

    AdminRequests(SessionContext context, Outbox outbox, Audited audited, Restraint restraint, Gate gate) {
        this.context = context;
        this.outbox = outbox;
        this.audited = audited;
        this.restraint = restraint;
        this.gate = gate;
        links = new LinkRequests(context, outbox, audited);
    }

    static SpillwayException overloaded() {
        return new SpillwayException(
                Code.OVERLOADED,
                "a request was refused before any work",
                "the broker's queue is full",
                "send again after the stated time",
                200,
                null);
    }

    void handle(FrameKind kind, Frame frame) {
        switch (kind) {
            case METADATA -> metadata(frame);
            case TOPIC_ADMIN -> topicAdmin(frame);
            case HEALTH_CHECK -> healthCheck(frame);
            case REPLAY_ADMIN -> replayAdmin(frame);
            case LINK -> links.handle(frame);
            default -> throw new IllegalArgumentException("not an admin request: " + kind);
        }
    }

    static void offer(Mailbox mailbox, ShardCommand command) {
        if (!mailbox.offer(command)) {
            throw overloaded();
        }
    }

    private void metadata(Frame frame) {
        Metadata request = frame.header(Metadata.parser());
        int correlation = frame.correlation();
        if (request.getAll()) {
            describe(
                    context.catalog.get().all().stream()
                            .filter(topic -> gate.allows(Operation.DESCRIBE, Resource.TOPIC, topic.name()))
                            .toList(),
                    correlation);
        } else {
            describeNamed(request.getTopicsList(), correlation);
        }
    }

    /** Describes topics by name; where the broker creates topics by use, one that is missing is created first. */
    private void describeNamed(List<String> names, int correlation) {
        TopicCatalog catalog = context.catalog.get();
        List<TopicSpec> topics = new ArrayList<>();
        for (String name : names) {
            if (catalog.find(name) == null && context.config.autoCreatePartitions() > 0) {
                create(name, names, correlation);
                return;
            }
            topics.add(catalog.get(name));
        }
        describe(topics, correlation);
    }

    private void create(String missing, List<String> names, int correlation) {
        Audit.refuseChange(missing);
        restraint.require("creating topic " + missing);
        Reply<TopicSpec> reply = new Reply<>() {
            @Override
            public void ok(TopicSpec created) {
                describeNamed(names, correlation);
            }

            @Override
            public void failed(SpillwayException why) {
                outbox.fail(FrameKind.METADATA, 0, correlation, WireErrors.of(why));
            }
        };
        offer(
                context.catalogMailbox(),
                new ShardCommand.CreateTopic(missing, context.config.autoCreatePartitions(), Map.of(), reply));
    }

    private void describe(List<TopicSpec> topics, int correlation) {
        MetadataOk ok = MetadataOk.newBuilder()
                .setRevision(context.catalog.get().revision())
                .addAllEndpoints(context.endpoints())
                .build();
        describe(
                topics,
                0,
                TopicList.newBuilder(),
                correlation,
                list -> outbox.answerPayload(FrameKind.METADATA, correlation, ok, list.build()));
    }

    /** Asks each topic's shard in turn, then answers with all but those that were deleted meanwhile. */
    private void describe(
            List<TopicSpec> topics,
            int next,
            TopicList.Builder list,
            int correlation,
            Consumer<TopicList.Builder> end) {
        if (next == topics.size()) {
            end.accept(list);
            return;
        }
        TopicSpec topic = topics.get(next);
        Reply<List<PartitionInfo>> reply = new Reply<>() {
            @Override
            public void ok(List<PartitionInfo> partitions) {
                list.addTopics(info(topic, partitions));
                describe(topics, next + 1, list, correlation, end);
            }

            @Override
            public void failed(SpillwayException why) {
                if (why.code() == Code.TOPIC_NOT_FOUND) {
                    describe(topics, next + 1, list, correlation, end);
                } else {
                    outbox.fail(FrameKind.METADATA, 0, correlation, WireErrors.of(why));
                }
            }
        };
        if (!context.mailbox(topic).offer(new ShardCommand.DescribeTopic(topic.topicId(), reply))) {
            reply.failed(overloaded());
        }
    }

    private TopicInfo info(TopicSpec topic, List<PartitionInfo> partitions) {
        TopicInfo.Builder info = TopicInfo.newBuilder()
                .setName(topic.name())
                .setTopicId(topic.topicId())
                .putAllConfig(topic.config().toMap())
                .setRevision(topic.revision())
                .setCreatedUnixMs(topic.createdMs())
                .setMirroredBy(topic.standing().mirroredBy())
                .setFencedBy(topic.standing().fencedBy())
                .setEpoch(topic.standing().epoch())
                .setPublishPaused(topic.switches().publishPaused())
                .setDispatchPaused(topic.switches().dispatchPaused())
                .setShedClass(topic.switches().shedClass())
                .setSwitchReason(topic.switches().reason())
                .setSwitchedUnixMs(topic.switches().changedMs());
        for (int i = 0; i < topic.partitions(); i++) {
            PartitionInfo.Builder partition = i < partitions.size()
                    ? partitions.get(i).toBuilder()
                    : PartitionInfo.newBuilder().setPartition(i);
            info.addPartitions(partition.setLeader(context.endpoints().get(0)));
        }
        return info.build();
    }

    private void topicAdmin(Frame frame) {
        TopicAdmin request = frame.header(TopicAdmin.parser());
        Audit.refuseChange(request.getTopic());
        if (request.getOp() == PURGE) {
            purge(request, frame.correlation());
            return;
        }
        if (request.getOp() == CREATE || request.getOp() == ALTER) {
            restraint.require("a change of topic " + request.getTopic());
        }
        Reply<TopicSpec> reply =
                outbox.reply(FrameKind.TOPIC_ADMIN, 0, frame.correlation(), topic -> info(topic, List.of()));
        Function<Reply<TopicSpec>, ShardCommand> command = switch (request.getOp()) {
            case CREATE ->
                answer -> new ShardCommand.CreateTopic(
                        request.getTopic(), request.getPartitions(), request.getConfigMap(), answer);
            case ALTER ->
                answer -> new ShardCommand.AlterTopic(
                        request.getTopic(), request.getConfigMap(), request.getExpectRevision(), answer);
            case DELETE ->
                answer -> new ShardCommand.DeleteTopic(request.getTopic(), request.getExpectRevision(), answer);
            case PAUSE, RESUME, SHED_CLASS ->
                answer -> new ShardCommand.SwitchTopic(
                        request.getTopic(), change(request), request.getExpectRevision(), request.getReason(), answer);
            default -> throw unknownOperation("topic", request.getOp(), SHED_CLASS);
        };
        audited.offer(audited.entry(request), context.catalogMailbox(), command, reply);
    }

    private static ShardCommand.TopicSwitch change(TopicAdmin request) {
        if (request.getReason().isBlank()) {
            throw WireErrors.invalid(
                    "topic " + request.getTopic() + " is not switched", "no reason is given", "give one");
        }
        if (request.getOp() == SHED_CLASS) {
            int shedClass = request.getShedClass();
            if (shedClass < 0 || shedClass > Switches.MAX_SHED_CLASS) {
                throw WireErrors.invalid(
                        "the class is " + Integer.toUnsignedString(shedClass),
                        "it goes from 0 to " + Switches.MAX_SHED_CLASS,
                        "correct it");
            }
            return (before, reason, nowMs) -> before.withShedClass(shedClass, reason, nowMs);
        }
        boolean publish = request.getPublish();
        boolean dispatch = request.getDispatch();
        if (!publish && !dispatch) {
            throw WireErrors.invalid(
                    "topic " + request.getTopic() + " is not switched",
                    "neither publish nor dispatch is named",
                    "name what is meant");
        }
        boolean isPaused = request.getOp() == PAUSE;
        return (before, reason, nowMs) -> before.paused(publish, dispatch, isPaused, reason, nowMs);
    }

    private void purge(TopicAdmin request, int correlation) {
        TopicSpec topic = context.catalog.get().get(request.getTopic());
        Reply<List<PartitionInfo>> reply =
                outbox.reply(FrameKind.TOPIC_ADMIN, 0, correlation, partitions -> info(topic, partitions));
        audited.offer(
                audited.entry(request),
                context.mailbox(topic),
                answer -> new ShardCommand.PurgeTopic(
                        topic.topicId(), request.getBefore(), request.getExpectRevision(), answer),
                reply);
    }

    static SpillwayException unknownOperation(String kind, int operation, int last) {
        return WireErrors.invalid(
                "unknown " + kind + " operation " + operation, "this broker knows 1 to " + last, "use a newer broker");
    }

    private void replayAdmin(Frame frame) {
        ReplayAdmin request = frame.header(ReplayAdmin.parser());
        int correlation = frame.correlation();
        context.replays.request(request, gate, new Reply<>() {
            @Override
            public void ok(ReplayList list) {
                outbox.answerPayload(FrameKind.REPLAY_ADMIN, correlation, ReplayAdminOk.getDefaultInstance(), list);
            }

            @Override
            public void failed(SpillwayException why) {
                outbox.fail(FrameKind.REPLAY_ADMIN, 0, correlation, WireErrors.of(why));
            }
        });
    }

    private void healthCheck(Frame frame) {
        frame.header(HealthCheck.parser());
        Degradation.View view = context.degradation();
        outbox.answer(
                FrameKind.HEALTH_CHECK,
                0,
                frame.correlation(),
                HealthStatus.newBuilder()
                        .setStatus(context.draining.get() ? NOT_SERVING : SERVING)
                        .addComponents(Component.newBuilder()
                                .setName("degradation")
                                .setStatus(SERVING)
                                .setWhat(view.step().name())
                                .setWhy(view.why())
                                .setNextStep(view.step().next())
                                .setSinceUnixMs(view.sinceMs()))
                        .build());
    }
}

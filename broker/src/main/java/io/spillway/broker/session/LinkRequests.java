package io.spillway.broker.session;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.audit.Audit;
import io.spillway.broker.audit.AuditEntry;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.shard.LinkCommand;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Link;
import io.spillway.protocol.v1.LinkOk;
import io.spillway.protocol.v1.LinkPartition;
import io.spillway.protocol.v1.LinkState;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** What a broker of another cluster asks that copies topics from here. Confined to the connection's event loop. */
final class LinkRequests {
    private static final int FETCH = 1;
    private static final int STATE = 2;
    private static final int FENCE = 3;
    private static final int LIFT = 4;
    private static final int MAX_BYTES = 8 << 20;
    private static final int RETRY_MS = 50;

    private final SessionContext context;
    private final Outbox outbox;
    private final Audited audited;

    LinkRequests(SessionContext context, Outbox outbox, Audited audited) {
        this.context = context;
        this.outbox = outbox;
        this.audited = audited;
    }

    void handle(Frame frame) {
        Link request = frame.header(Link.parser());
        switch (request.getOp()) {
            case FETCH -> fetch(request, frame.correlation());
            case STATE -> state(request, frame.correlation());
            case FENCE -> fence(request, frame.correlation());
            case LIFT -> lift(request, frame.correlation());
            default -> throw AdminRequests.unknownOperation("link", request.getOp(), LIFT);
        }
    }

    private TopicSpec topic(Link request) {
        Audit.refuseChange(request.getTopic());
        if (!outbox.writable()) {
            throw new SpillwayException(
                    Code.OVERLOADED,
                    "a request was refused before any work",
                    "the answers before it were not taken yet",
                    "send again after the stated time, and fewer ahead",
                    RETRY_MS,
                    null);
        }
        return context.catalog.get().get(request.getTopic());
    }

    private void fetch(Link request, int correlation) {
        TopicSpec topic = topic(request);
        int maxBytes = Math.max(1, Math.min(MAX_BYTES, request.getMaxBytes()));
        offer(
                topic,
                new LinkCommand.Fetch(
                        topic.topicId(), request.getPositionsList(), maxBytes, reply(correlation, fetched -> {
                            LinkOk.Builder ok = LinkOk.newBuilder().setUnixMs(context.clock.nowMs());
                            fetched.partitions().forEach(partition -> ok.addPartitions(toWire(partition)));
                            ByteBuf batches = fetched.batches();
                            outbox.answerPayload(FrameKind.LINK, correlation, ok.build(), batches);
                        })));
    }

    private static LinkPartition toWire(LinkCommand.FetchedPartition partition) {
        return LinkPartition.newBuilder()
                .setPartition(partition.partition())
                .setStartOffset(partition.start())
                .setEndOffset(partition.end())
                .setNextOffset(partition.next())
                .setBytes(partition.bytes())
                .setProducers(partition.beside().toByteString())
                .setNextUnixMs(partition.nextTimeMs())
                .build();
    }

    private void state(Link request, int correlation) {
        TopicSpec topic = topic(request);
        offer(topic, new LinkCommand.Export(topic.topicId(), this.<LinkCommand.Exported>reply(correlation, exported -> {
            LinkState.Builder state = LinkState.newBuilder();
            exported.groups().forEach(group -> state.addGroups(group.toByteString()));
            exported.partitions().forEach(partition -> state.addPartitions(toWire(partition)));
            outbox.answerPayload(
                    FrameKind.LINK,
                    correlation,
                    LinkOk.newBuilder().setUnixMs(context.clock.nowMs()).build(),
                    state.build());
        })));
    }

    private void offer(TopicSpec topic, LinkCommand command) {
        AdminRequests.offer(context.mailbox(topic), new ShardCommand.Link(command));
    }

    private <T> Reply<T> reply(int correlation, Consumer<T> answer) {
        return Reply.of(answer, why -> outbox.fail(FrameKind.LINK, 0, correlation, WireErrors.of(why)));
    }

    private void fence(Link request, int correlation) {
        request.getTopicsList().forEach(Audit::refuseChange);
        audited.offer(
                entry("link.fence", request, Map.of("link", request.getLink(), "place", request.getPlace())),
                context.catalogMailbox(),
                reply -> new ShardCommand.Link(new LinkCommand.Fence(
                        request.getLink(), request.getTopicsList(), request.getEpoch(), request.getPlace(), reply)),
                named(correlation));
    }

    private void lift(Link request, int correlation) {
        audited.offer(
                entry("link.lift", request, Map.of()),
                context.catalogMailbox(),
                reply -> new ShardCommand.Link(new LinkCommand.Lift(request.getTopicsList(), reply)),
                named(correlation));
    }

    private AuditEntry entry(String operation, Link request, Map<String, String> detail) {
        return new AuditEntry(audited.who(), operation, String.join(",", request.getTopicsList()), "", "", detail);
    }

    private Reply<List<String>> named(int correlation) {
        return reply(
                correlation,
                topics -> outbox.answer(
                        FrameKind.LINK,
                        0,
                        correlation,
                        LinkOk.newBuilder()
                                .addAllTopics(topics)
                                .setUnixMs(context.clock.nowMs())
                                .build()));
    }
}

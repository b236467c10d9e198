package io.spillway.broker.link;

import com.google.protobuf.InvalidProtocolBufferException;
import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Inbox;
import io.spillway.broker.base.Pace;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.records.GroupState;
import io.spillway.broker.records.LinkKept;
import io.spillway.broker.records.PartitionMirrored;
import io.spillway.broker.shard.LinkCommand;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.v1.Link;
import io.spillway.protocol.v1.LinkOk;
import io.spillway.protocol.v1.LinkPartition;
import io.spillway.protocol.v1.LinkState;
import io.spillway.protocol.v1.Metadata;
import io.spillway.protocol.v1.PartitionInfo;
import io.spillway.protocol.v1.TopicInfo;
import io.spillway.protocol.v1.TopicList;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies the topics of a link: finds which there are, fetches their batches, appends them here, and copies their groups.
 * Where to go on is where the copy ends, so that nothing of it is lost when it is interrupted. Confined to the link's thread.
 */
final class Copying {
    private static final Logger LOG = LoggerFactory.getLogger(Copying.class);

    private static final int FETCH = 1;
    private static final int STATE = 2;
    private static final long GROUPS_EVERY_MS = 1_000;
    private static final long REST_MS = 5;
    /** Requests sent ahead, and the bytes they all may bring. */
    private static final int MOST_AHEAD = 32;

    private static final int MOST_BYTES = 8 << 20;
    private static final int MOST_BYTES_EACH = 4 << 20;

    private final LinkKept link;
    private final Target target;
    private final Clock clock;
    private final Pace pace;
    private final Map<String, CopiedTopic> topics = new TreeMap<>();
    /** Topics that match and are not copied, and why not. */
    private final Map<String, String> refused = new TreeMap<>();

    /** The source lets go of the topics by this link. */
    private boolean promoting;

    private long bytes;
    private long records;

    Copying(LinkKept link, Target target, Clock clock) {
        this.link = link;
        this.target = target;
        this.clock = clock;
        pace = new Pace(link.getBytesPerSecond());
    }

    /** From now on the source may let go of the topics by this link. */
    void promoting() {
        promoting = true;
    }

    List<CopiedTopic> topics() {
        return List.copyOf(topics.values());
    }

    @Nullable
    CopiedTopic topic(String name) {
        return topics.get(name);
    }

    long bytes() {
        return bytes;
    }

    long records() {
        return records;
    }

    List<LinkView.Topic> view() {
        List<LinkView.Topic> all = new ArrayList<>();
        topics.values().forEach(topic -> all.add(topic.view()));
        refused.forEach((name, why) -> all.add(new LinkView.Topic(name, why, 0, List.of())));
        all.sort(Comparator.comparing(LinkView.Topic::name));
        return all;
    }

    /** Takes up the copies that are here already, as after a restart. */
    void recall() throws InterruptedException {
        for (TopicSpec spec : target.catalog().all()) {
            if (spec.standing().mirroredBy().equals(link.getName())) {
                take(spec);
            }
        }
    }

    /** Takes up a topic that is here, whatever it is. */
    void recall(String topic) throws InterruptedException {
        TopicSpec spec = target.catalog().find(topic);
        if (spec != null) {
            take(spec);
        }
    }

    /** Waits a moment, because there is nothing to do. */
    void rest() throws InterruptedException {
        new Inbox().run(REST_MS);
    }

    private void take(TopicSpec spec) throws InterruptedException {
        CopiedTopic known = topics.get(spec.name());
        if (known != null && known.spec.topicId() == spec.topicId()) {
            known.spec = spec;
            return;
        }
        CopiedTopic topic = new CopiedTopic(spec);
        List<PartitionInfo> partitions =
                Target.await(target.send(spec.shard(), reply -> new ShardCommand.DescribeTopic(spec.topicId(), reply)));
        for (PartitionInfo partition : partitions) {
            topic.places[partition.getPartition()].end = partition.getEndOffset();
            topic.places[partition.getPartition()].start = partition.getStartOffset();
        }
        topics.put(spec.name(), topic);
    }

    /** Looks which topics the source has; each that matches gets a copy here. */
    void discover(Source source) throws IOException, InterruptedException {
        source.send(FrameKind.METADATA, 0, Metadata.newBuilder().setAll(true).build());
        Source.Received answer = source.receive();
        TopicList list;
        try {
            throwRefusal(answer);
            list = TopicList.parseFrom(answer.frame().payload().nioBuffer());
        } finally {
            answer.frame().release();
        }
        refused.clear();
        List<TopicInfo> wanted = new ArrayList<>();
        for (TopicInfo topic : list.getTopicsList()) {
            if (Patterns.match(link.getTopicsList(), topic.getName())) {
                wanted.add(topic);
            }
        }
        // Dead letters come behind the topics they are from, whose shard they need.
        wanted.sort(Comparator.comparing(topic -> topic.getName().endsWith(TopicNames.deadLetterTopic(""))));
        for (TopicInfo topic : wanted) {
            discover(topic);
        }
        for (CopiedTopic topic : topics.values()) {
            if (list.getTopicsList().stream().noneMatch(info -> info.getName().equals(topic.name))) {
                topic.failed("the source has it no more; the copy stays as it is", clock.nowMs());
            }
        }
    }

    private void discover(TopicInfo topic) throws InterruptedException {
        try {
            requireOwn(topic);
            take(target.ask(reply -> new LinkCommand.Mirror(
                    link.getName(),
                    topic.getName(),
                    topic.getPartitionsCount(),
                    topic.getConfigMap(),
                    topic.getEpoch(),
                    topic.getCreatedUnixMs(),
                    reply)));
        } catch (SpillwayException e) {
            CopiedTopic known = topics.get(topic.getName());
            if (known == null) {
                refused.put(topic.getName(), e.toString());
            } else {
                known.failed(e.toString(), clock.nowMs());
            }
        }
    }

    /** A link copies what lives at its source. */
    private void requireOwn(TopicInfo topic) {
        if (!topic.getMirroredBy().isEmpty()) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "topic " + topic.getName() + " is a copy at the source, too",
                    "link " + topic.getMirroredBy() + " fills it there",
                    "link to the cluster it lives in");
        }
        boolean own = promoting && topic.getFencedBy().equals(link.getName());
        if (!topic.getFencedBy().isEmpty() && !own) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "topic " + topic.getName() + " lives at the source no more",
                    "link " + topic.getFencedBy() + " took it elsewhere, epoch " + topic.getEpoch(),
                    "link to where it lives, or lift the fence at the source: spillway link lift " + topic.getName());
        }
    }

    static void throwRefusal(Source.Received answer) throws IOException {
        SpillwayException refusal = answer.refusal();
        if (refusal == null) {
            return;
        }
        switch (refusal.code()) {
            case UNSUPPORTED_KIND ->
                throw new SpillwayException(
                        Code.UNSUPPORTED_FEATURE,
                        "the source knows no links",
                        "its broker is older than this one",
                        "upgrade the source");
            case NOT_LEADER, LEADER_ELECTION, DRAINING -> throw new IOException(refusal.toString(), refusal);
            default -> throw refusal;
        }
    }

    /** One round of fetches over the topics that are due; whether it brought anything. */
    boolean fetch(Source source) throws IOException, InterruptedException {
        long nowMs = clock.nowMs();
        if (pace.available(1, nowMs) == 0) {
            return false;
        }
        List<CopiedTopic> due = topics.values().stream()
                .filter(topic -> topic.nextFetchMs <= nowMs)
                .sorted(Comparator.comparingLong(topic -> topic.nextFetchMs))
                .limit(MOST_AHEAD)
                .toList();
        if (due.isEmpty()) {
            return false;
        }
        int each = Math.min(MOST_BYTES_EACH, MOST_BYTES / due.size());
        Map<Integer, CopiedTopic> asked = new HashMap<>();
        for (CopiedTopic topic : due) {
            Link request = Link.newBuilder()
                    .setOp(FETCH)
                    .setLink(link.getName())
                    .setTopic(topic.name)
                    .addAllPositions(topic.positions())
                    .setMaxBytes(each)
                    .build();
            asked.put(source.send(FrameKind.LINK, Frame.CRITICAL, request), topic);
        }
        Map<CopiedTopic, List<Arrival>> arrivals = new HashMap<>();
        while (!asked.isEmpty()) {
            Source.Received answer = source.receive();
            try {
                CopiedTopic topic = asked.remove(answer.correlation());
                if (topic == null) {
                    throw new IOException(source.address() + " answered what was not asked");
                }
                arrivals.put(topic, arrived(topic, answer));
            } finally {
                answer.frame().release();
            }
        }
        boolean moved = false;
        for (CopiedTopic topic : due) {
            moved |= settle(topic, arrivals.getOrDefault(topic, List.of()));
        }
        return moved;
    }

    /** What a fetch brought of a partition, on its way into the log. */
    private record Arrival(CopiedTopic.Place place, LinkPartition from, int records, CompletableFuture<Long> end) {}

    /** Sends what came to the shard; a topic that fails does not hold the others up. */
    private List<Arrival> arrived(CopiedTopic topic, Source.Received answer) throws IOException {
        List<Arrival> arrivals = new ArrayList<>();
        try {
            throwRefusal(answer);
            LinkOk ok = answer.frame().header(LinkOk.parser());
            ByteBuf payload = answer.frame().payload();
            for (LinkPartition partition : ok.getPartitionsList()) {
                Arrival arrival = arrived(topic, partition, payload, ok.getUnixMs());
                if (arrival != null) {
                    arrivals.add(arrival);
                }
            }
            topic.idle(clock.nowMs());
        } catch (SpillwayException e) {
            refused(topic, e);
        } catch (ProtocolException e) {
            topic.failed(
                    new SpillwayException(
                                    e.code(),
                                    "what came of topic " + topic.name + " was refused",
                                    String.valueOf(e.getMessage()),
                                    "it is fetched again; if that does not help, check the network and the source's disk")
                            .toString(),
                    clock.nowMs());
        }
        return arrivals;
    }

    private @Nullable Arrival arrived(CopiedTopic topic, LinkPartition from, ByteBuf payload, long sourceMs)
            throws IOException {
        if (from.getPartition() < 0
                || from.getPartition() >= topic.places.length
                || from.getBytes() < 0
                || from.getBytes() > payload.readableBytes()) {
            throw new ProtocolException(
                    Code.MALFORMED_FRAME,
                    "partition " + from.getPartition() + " came with " + from.getBytes() + " bytes, and there are "
                            + payload.readableBytes());
        }
        CopiedTopic.Place place = topic.places[from.getPartition()];
        ByteBuf batches = payload.readSlice(from.getBytes());
        int count = Incoming.check(batches, place.end, from);
        place.sourceEnd = from.getEndOffset();
        place.lagMs = from.getNextUnixMs() == 0 ? 0 : Math.max(0, sourceMs - from.getNextUnixMs());
        if (from.getNextOffset() <= place.end && from.getStartOffset() <= place.start) {
            return null;
        }
        pace.take(from.getBytes());
        PartitionMirrored beside = PartitionMirrored.parseFrom(from.getProducers());
        return new Arrival(
                place, from, count, append(topic, from, batches.isReadable() ? batches.retain() : null, beside));
    }

    private CompletableFuture<Long> append(
            CopiedTopic topic, LinkPartition from, @Nullable ByteBuf batches, PartitionMirrored beside) {
        CompletableFuture<Long> end = target.send(
                topic.spec.shard(),
                reply -> new ShardCommand.Link(new LinkCommand.Append(
                        topic.spec.topicId(),
                        link.getName(),
                        from.getPartition(),
                        from.getStartOffset(),
                        from.getNextOffset(),
                        batches,
                        beside,
                        reply)));
        return batches == null ? end : end.whenComplete((done, failure) -> batches.release());
    }

    /** Waits until what came is durable here; whether the topic has moved. */
    private boolean settle(CopiedTopic topic, List<Arrival> arrivals) throws InterruptedException {
        boolean moved = false;
        for (Arrival arrival : arrivals) {
            try {
                CopiedTopic.Place place = arrival.place;
                long before = place.end;
                place.end = Target.await(arrival.end);
                place.start = Math.max(place.start, Math.min(arrival.from.getStartOffset(), place.end));
                moved |= place.end > before;
                count(topic, arrival, before);
            } catch (SpillwayException e) {
                topic.failed(e.toString(), clock.nowMs());
                return moved;
            }
        }
        if (moved) {
            topic.moved(clock.nowMs());
        }
        return moved;
    }

    private void count(CopiedTopic topic, Arrival arrival, long before) {
        LinkPartition from = arrival.from;
        bytes += from.getBytes();
        records += arrival.records;
        long missing = from.getNextOffset() - Math.max(before, from.getStartOffset()) - arrival.records;
        if (missing > 0 && arrival.place.end == from.getNextOffset()) {
            arrival.place.unreadable += missing;
            LOG.error(
                    "event=link_unreadable link={} topic={} partition={} before={} records={}"
                            + " why=\"the source cannot read them\" next=\"run spillway log verify at the source\"",
                    link.getName(),
                    topic.name,
                    from.getPartition(),
                    from.getNextOffset(),
                    missing);
        }
    }

    /** Copies the groups of some topics whose turn it is. */
    void copyGroups(Source source) throws IOException, InterruptedException {
        long nowMs = clock.nowMs();
        List<CopiedTopic> due = topics.values().stream()
                .filter(topic -> topic.nextGroupsMs <= nowMs && topic.why.isEmpty())
                .limit(MOST_AHEAD)
                .toList();
        for (CopiedTopic topic : due) {
            topic.nextGroupsMs = nowMs + GROUPS_EVERY_MS;
        }
        for (Map.Entry<CopiedTopic, LinkState> state : states(source, due).entrySet()) {
            try {
                copyGroups(state.getKey(), state.getValue());
            } catch (SpillwayException e) {
                state.getKey().failed(e.toString(), clock.nowMs());
            }
        }
    }

    private void refused(@Nullable CopiedTopic topic, SpillwayException why) {
        if (topic == null || why.code() == Code.UNSUPPORTED_FEATURE) {
            throw why;
        }
        if (why.code() == Code.OVERLOADED) {
            topic.idle(clock.nowMs());
        } else {
            topic.failed(why.toString(), clock.nowMs());
        }
    }

    /** The groups of topics and their producers; those that are refused are left out; of a fenced topic the last, with the ends of its partitions. */
    Map<CopiedTopic, LinkState> states(Source source, List<CopiedTopic> which) throws IOException {
        Map<Integer, CopiedTopic> asked = new HashMap<>();
        for (CopiedTopic topic : which) {
            Link request = Link.newBuilder()
                    .setOp(STATE)
                    .setLink(link.getName())
                    .setTopic(topic.name)
                    .build();
            asked.put(source.send(FrameKind.LINK, Frame.CRITICAL, request), topic);
        }
        Map<CopiedTopic, LinkState> states = new HashMap<>();
        while (!asked.isEmpty()) {
            Source.Received answer = source.receive();
            CopiedTopic topic = asked.remove(answer.correlation());
            try {
                if (topic == null) {
                    throw new IOException(source.address() + " answered what was not asked");
                }
                throwRefusal(answer);
                states.put(topic, LinkState.parseFrom(answer.frame().payload().nioBuffer()));
            } catch (SpillwayException e) {
                refused(topic, e);
            } finally {
                answer.frame().release();
            }
        }
        return states;
    }

    /** False when the groups are ahead of what is here. */
    boolean copyGroups(CopiedTopic topic, LinkState state) throws InterruptedException, InvalidProtocolBufferException {
        for (LinkPartition partition : state.getPartitionsList()) {
            if (!partition.getProducers().isEmpty()) {
                PartitionMirrored beside = PartitionMirrored.parseFrom(partition.getProducers());
                LinkPartition nothing = LinkPartition.newBuilder()
                        .setPartition(partition.getPartition())
                        .build();
                Target.await(append(topic, nothing, null, beside));
            }
        }
        int hash = state.getGroupsList().hashCode();
        if (hash == topic.groupsHash) {
            return true;
        }
        List<GroupState> groups = new ArrayList<>();
        for (var group : state.getGroupsList()) {
            groups.add(GroupState.parseFrom(group));
        }
        boolean whole = target.ask(
                topic.spec, reply -> new LinkCommand.Groups(topic.spec.topicId(), link.getName(), groups, reply));
        topic.groupsHash = whole ? hash : 0;
        return whole;
    }
}

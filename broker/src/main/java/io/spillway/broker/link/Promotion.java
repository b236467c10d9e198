package io.spillway.broker.link;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.records.LinkKept;
import io.spillway.broker.records.LinkPromoted;
import io.spillway.broker.records.Position;
import io.spillway.broker.shard.LinkCommand;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Link;
import io.spillway.protocol.v1.LinkOk;
import io.spillway.protocol.v1.LinkPartition;
import io.spillway.protocol.v1.LinkState;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the topics of a link over: in order, with the source letting go first, or at once, telling the source when it can be
 * reached again. What was decided is a record before anything is done, so that it goes on after a restart. Confined to the
 * link's thread.
 */
final class Promotion {
    private static final Logger LOG = LoggerFactory.getLogger(Promotion.class);
    private static final int FENCE = 3;
    private static final long REST_WAIT_MS = 5_000;

    private final Target target;
    private final Copying copying;
    private final Clock clock;
    private final Supplier<String> place;

    /** @param place where clients reach this cluster */
    Promotion(Target target, Copying copying, Clock clock, Supplier<String> place) {
        this.target = target;
        this.copying = copying;
        this.clock = clock;
        this.place = place;
    }

    /** The link as it is once an orderly promotion was decided. */
    LinkKept begin(LinkKept link) throws InterruptedException {
        LinkKept begun = withTopics(link, Links.PROMOTING, false);
        target.<Boolean>ask(reply -> new LinkCommand.Keep(begun, reply));
        LOG.info("event=link_promoting link={} topics={}", link.getName(), begun.getPromotedCount());
        return begun;
    }

    /** Opens the copies as they are; the link as it is then. */
    LinkKept force(LinkKept link) throws InterruptedException {
        LinkKept forced = withTopics(link, Links.PROMOTED, true);
        open(forced);
        LOG.warn(
                "event=link_forced link={} why=\"an operator asked for it\" next=\"the old source is fenced when it can be reached; see spillway link status\"",
                link.getName());
        return forced;
    }

    /** All of the link's copies under one epoch, above every one they had. */
    private LinkKept withTopics(LinkKept link, int state, boolean forced) {
        List<CopiedTopic> topics = copying.topics();
        long epoch = 1;
        for (CopiedTopic topic : topics) {
            epoch = Math.max(epoch, topic.spec.standing().epoch() + 1);
        }
        for (LinkPromoted before : link.getPromotedList()) {
            epoch = Math.max(epoch, before.getEpoch());
        }
        LinkKept.Builder out = link.toBuilder()
                .setState(state)
                .setForced(forced)
                .setPromotedMs(clock.nowMs())
                .clearPromoted();
        for (CopiedTopic topic : topics) {
            out.addPromoted(promoted(topic, epoch));
        }
        return out.build();
    }

    private static LinkPromoted promoted(CopiedTopic topic, long epoch) {
        LinkPromoted.Builder out =
                LinkPromoted.newBuilder().setTopic(topic.name).setEpoch(epoch);
        for (int i = 0; i < topic.places.length; i++) {
            out.addCopied(Position.newBuilder().setPartitionId(i).setOffset(topic.places[i].end));
        }
        return out.build();
    }

    private void open(LinkKept link) throws InterruptedException {
        List<LinkCommand.Opened> opened = new ArrayList<>();
        for (LinkPromoted topic : link.getPromotedList()) {
            CopiedTopic copy = copying.topic(topic.getTopic());
            if (copy != null) {
                opened.add(new LinkCommand.Opened(copy.spec.topicId(), topic.getEpoch()));
            }
        }
        target.<Boolean>ask(reply -> new LinkCommand.Open(link, opened, reply));
    }

    /** Lets the source let go, copies the rest, and opens the copies: nothing is lost. The link as it is then. */
    LinkKept finish(LinkKept decided, Source source) throws IOException, InterruptedException {
        copying.promoting();
        copying.discover(source);
        LinkKept link = decided.getPromotedCount() == copying.topics().size() ? decided : begin(decided);
        List<CopiedTopic> fenced = fence(link, source);
        Map<CopiedTopic, LinkState> last = last(source, fenced);
        copyRest(source, last);
        for (Map.Entry<CopiedTopic, LinkState> state : last.entrySet()) {
            if (!copying.copyGroups(state.getKey(), state.getValue())) {
                throw new SpillwayException(
                        Code.WRONG_STATE,
                        "groups of topic " + state.getKey().name + " are ahead of its records",
                        "the source gave a position beyond its own end",
                        "promote with --force to go on without the difference");
            }
        }
        LinkKept.Builder done =
                link.toBuilder().setState(Links.PROMOTED).setFenced(true).clearPromoted();
        for (LinkPromoted topic : link.getPromotedList()) {
            CopiedTopic copy = copying.topic(topic.getTopic());
            if (copy != null) {
                LinkPromoted now = promoted(copy, topic.getEpoch());
                done.addPromoted(now.toBuilder().addAllHad(now.getCopiedList()));
            }
        }
        LinkKept promoted = done.build();
        open(promoted);
        LOG.info("event=link_promoted link={} topics={}", link.getName(), promoted.getPromotedCount());
        return promoted;
    }

    /** The source takes nothing more for these topics from now on; those of them it has. */
    private List<CopiedTopic> fence(LinkKept link, Source source) throws IOException {
        List<CopiedTopic> fenced = new ArrayList<>();
        for (String name : fenced(link, source)) {
            CopiedTopic copy = copying.topic(name);
            if (copy != null) {
                fenced.add(copy);
            }
        }
        return fenced;
    }

    /** The last state of topics that are fenced: all of them, or it is tried again. */
    private Map<CopiedTopic, LinkState> last(Source source, List<CopiedTopic> fenced) throws IOException {
        Map<CopiedTopic, LinkState> last = copying.states(source, fenced);
        for (CopiedTopic topic : fenced) {
            if (!last.containsKey(topic)) {
                throw new SpillwayException(
                        Code.NOT_READY,
                        "the source does not say where topic " + topic.name + " ends",
                        topic.why,
                        "it is asked again");
            }
        }
        return last;
    }

    private List<String> fenced(LinkKept link, Source source) throws IOException {
        if (link.getPromotedCount() == 0) {
            return List.of();
        }
        Link.Builder request = Link.newBuilder()
                .setOp(FENCE)
                .setLink(link.getName())
                .setEpoch(link.getPromoted(0).getEpoch())
                .setPlace(place.get());
        link.getPromotedList().forEach(topic -> request.addTopics(topic.getTopic()));
        source.send(FrameKind.LINK, Frame.CRITICAL, request.build());
        Source.Received answer = source.receive();
        try {
            Copying.throwRefusal(answer);
            return answer.frame().header(LinkOk.parser()).getTopicsList();
        } finally {
            answer.frame().release();
        }
    }

    private void copyRest(Source source, Map<CopiedTopic, LinkState> last) throws IOException, InterruptedException {
        long deadlineMs = clock.nowMs() + REST_WAIT_MS;
        last.keySet().forEach(topic -> topic.nextFetchMs = 0);
        while (true) {
            CopiedTopic behind = null;
            for (Map.Entry<CopiedTopic, LinkState> entry : last.entrySet()) {
                behind = isBehind(entry.getKey(), entry.getValue()) ? entry.getKey() : behind;
            }
            if (behind == null) {
                return;
            }
            if (copying.fetch(source)) {
                deadlineMs = clock.nowMs() + REST_WAIT_MS;
            } else if (!behind.why.isEmpty() || clock.nowMs() > deadlineMs) {
                throw new SpillwayException(
                        Code.NOT_READY,
                        "topic " + behind.name + " is not whole yet",
                        behind.why.isEmpty() ? "nothing more came of it" : behind.why,
                        "it is tried again; to go on without the rest: spillway link promote --force");
            } else {
                copying.rest();
            }
        }
    }

    private static boolean isBehind(CopiedTopic topic, LinkState last) {
        for (LinkPartition partition : last.getPartitionsList()) {
            if (topic.places[partition.getPartition()].end < partition.getEndOffset()) {
                return true;
            }
        }
        return false;
    }

    /** Tells a source that was passed over that it is fenced, and finds out what it had that is not here. */
    LinkKept tellOld(LinkKept link, Source source) throws IOException, InterruptedException {
        Map<CopiedTopic, LinkState> last = last(source, fence(link, source));
        LinkKept.Builder told = link.toBuilder().setFenced(true).clearPromoted();
        for (LinkPromoted topic : link.getPromotedList()) {
            LinkPromoted.Builder out = topic.toBuilder().clearHad();
            CopiedTopic copy = copying.topic(topic.getTopic());
            LinkState state = copy == null ? null : last.get(copy);
            if (state != null) {
                for (LinkPartition partition : state.getPartitionsList()) {
                    out.addHad(Position.newBuilder()
                            .setPartitionId(partition.getPartition())
                            .setOffset(partition.getEndOffset()));
                }
            }
            told.addPromoted(out);
        }
        LinkKept done = told.build();
        target.<Boolean>ask(reply -> new LinkCommand.Keep(done, reply));
        LOG.info("event=link_old_source_fenced link={} source={}", link.getName(), source.address());
        return done;
    }
}

package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.Standing;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.records.StateRecord;
import io.spillway.protocol.Code;
import java.util.ArrayList;
import java.util.List;

/**
 * Says of topics that they live elsewhere, or here again. Each such change has a higher epoch than the one before, so that
 * what comes late from a link does nothing. Only shard 0 does it. Confined to the shard thread.
 */
final class Fencing {
    private final ShardState state;
    private final Journal journal;
    private final TopicAdministration topics;

    Fencing(ShardState state, Journal journal, TopicAdministration topics) {
        this.state = state;
        this.journal = journal;
        this.topics = topics;
    }

    /** All of them or none; a topic that is not here is left out. */
    void fence(LinkCommand.Fence command) {
        List<TopicSpec> here = new ArrayList<>();
        List<StateRecord> records = new ArrayList<>();
        Standing fenced = Standing.fenced(command.link(), command.place(), command.epoch());
        for (String name : command.topics()) {
            TopicSpec topic = state.catalog.get().find(name);
            if (topic == null) {
                continue;
            }
            here.add(topic);
            if (!isDone(topic, fenced)) {
                require(topic, command);
                records.add(topics.altered(topic, topic.config(), fenced));
            }
        }
        answer(here, records, command.reply());
    }

    private static boolean isDone(TopicSpec topic, Standing fenced) {
        return topic.standing().fencedBy().equals(fenced.fencedBy())
                && topic.standing().epoch() == fenced.epoch();
    }

    private static void require(TopicSpec topic, LinkCommand.Fence command) {
        Standing standing = topic.standing();
        if (standing.isMirrored()) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "topic " + topic.name() + " cannot be taken from here",
                    "it is itself a copy, which link " + standing.mirroredBy() + " fills",
                    "promote that link first, or link to its source");
        }
        if (standing.epoch() >= command.epoch()) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "topic " + topic.name() + " is not fenced by epoch " + command.epoch() + " of link "
                            + command.link(),
                    "it has epoch " + standing.epoch() + ": somebody has decided later that it lives "
                            + (standing.isFenced() ? "at " + standing.place() : "here"),
                    "two clusters may take publishes for it; decide which one goes on: spillway link status");
        }
    }

    /** Topics that are fenced are open again; of others nothing happens. */
    void lift(LinkCommand.Lift command) {
        List<TopicSpec> here = new ArrayList<>();
        List<StateRecord> records = new ArrayList<>();
        for (String name : command.topics()) {
            TopicSpec topic = state.catalog.get().get(name);
            here.add(topic);
            if (topic.standing().isFenced()) {
                records.add(topics.altered(
                        topic, topic.config(), Standing.open(topic.standing().epoch() + 1)));
            }
        }
        answer(here, records, command.reply());
    }

    private void answer(List<TopicSpec> here, List<StateRecord> records, Reply<List<String>> reply) {
        long sequence = records.isEmpty() ? journal.lastSequence() : topics.change(records);
        journal.whenDurable(
                sequence,
                new ReplyWhenDurable<>(here.stream().map(TopicSpec::name).toList(), reply));
    }
}

package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.Standing;
import io.spillway.broker.catalog.Switches;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.catalog.TopicConfig;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.log.WriteState;
import io.spillway.broker.records.StateRecord;
import io.spillway.broker.records.TopicAltered;
import io.spillway.broker.records.TopicDeleted;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.PartitionInfo;
import java.util.ArrayList;
import java.util.List;

/** Creates, alters and deletes topics; only shard 0 does, and the others follow the catalog. Confined to the shard thread. */
final class TopicAdministration {
    static final int MAX_PARTITIONS = 1024;

    private final ShardState state;
    private final Journal journal;
    private final int shards;
    private final Runnable tellOthers;

    /** @param tellOthers tells the other shards that the catalog changed */
    TopicAdministration(ShardState state, Journal journal, int shards, Runnable tellOthers) {
        this.state = state;
        this.journal = journal;
        this.shards = shards;
        this.tellOthers = tellOthers;
    }

    void create(ShardCommand.CreateTopic command, long nowMs) {
        TopicNames.check("topic", command.name());
        if (command.partitions() < 1 || command.partitions() > MAX_PARTITIONS) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "topic " + command.name() + " cannot have " + command.partitions() + " partitions",
                    "allowed: 1 to " + MAX_PARTITIONS,
                    "give an allowed number");
        }
        TopicConfig config = state.config.defaultTopic().with(command.config());
        TopicSpec known = state.catalog.get().find(command.name());
        if (known != null) {
            if (known.partitions() != command.partitions() || !known.config().equals(config)) {
                throw new SpillwayException(
                        Code.ALREADY_EXISTS,
                        "there is a topic \"" + command.name() + "\" already",
                        "with " + known.partitions() + " partitions and "
                                + known.config().toMap(),
                        "choose another name, or alter it: spillway topic alter " + command.name());
            }
            answer(known, command.reply());
            return;
        }
        answer(create(command.name(), command.partitions(), config, Standing.UNTOUCHED, -1, nowMs), command.reply());
    }

    /** Creates the dead-letter topic of a topic, in the same shard, when it is not there. */
    void createDeadLetterTopic(TopicSpec origin, long nowMs) {
        String name = TopicNames.deadLetterTopic(origin.name());
        if (state.catalog.get().find(name) == null) {
            TopicConfig config = TopicConfig.DEFAULT
                    .withDurability(origin.config().durability())
                    .withAccepts(new TopicConfig.Accepts(true, false));
            create(name, 1, config, Standing.UNTOUCHED, origin.shard(), nowMs);
        }
    }

    /** @param wantedShard below 0 = any */
    TopicSpec create(String name, int partitions, TopicConfig config, Standing standing, int wantedShard, long nowMs) {
        if (!name.equals(TopicNames.AUDIT)) {
            requireWritable("topic " + name + " cannot be created");
        }
        TopicCatalog catalog = state.catalog.get();
        int topicId = catalog.nextTopicId();
        TopicSpec spec = new TopicSpec(
                topicId,
                name,
                partitions,
                catalog.nextPartitionId(),
                wantedShard >= 0 ? wantedShard : topicId % shards,
                config,
                nowMs,
                catalog.revision() + 1,
                standing,
                Switches.UNTOUCHED);
        journal.commit(List.of(
                StateRecord.newBuilder().setTopicCreated(spec.toRecord()).build()));
        tellOthers.run();
        return spec;
    }

    /** Also while the disk is full: a shorter retention is how one frees it. */
    void alter(ShardCommand.AlterTopic command) {
        TopicSpec topic = require(command.name(), command.expectRevision());
        if (topic.standing().isMirrored()) {
            throw topic.refusal();
        }
        change(List.of(altered(topic, topic.config().with(command.changes()), topic.standing())));
        answer(state.catalog.get().get(command.name()), command.reply());
    }

    /** Also while the disk is full: to pause is how one gets it free. */
    void change(ShardCommand.SwitchTopic command, long nowMs) {
        TopicSpec topic = require(command.name(), command.expectRevision());
        if (topic.standing().isMirrored()) {
            throw topic.refusal();
        }
        Switches switches = command.change().of(topic.switches(), command.reason(), nowMs);
        change(List.of(StateRecord.newBuilder()
                .setTopicAltered(TopicAltered.newBuilder()
                        .setTopicId(topic.topicId())
                        .putAllConfig(topic.config().toMap())
                        .setRevision(state.catalog.get().revision() + 1)
                        .setSwitches(switches.toRecord()))
                .build()));
        answer(state.catalog.get().get(command.name()), command.reply());
    }

    /** The record that gives a topic a configuration and a standing. */
    StateRecord altered(TopicSpec topic, TopicConfig config, Standing standing) {
        return StateRecord.newBuilder()
                .setTopicAltered(TopicAltered.newBuilder()
                        .setTopicId(topic.topicId())
                        .putAllConfig(config.toMap())
                        .setRevision(state.catalog.get().revision() + 1)
                        .setLink(standing.toRecord()))
                .build();
    }

    /** Commits changes of the catalog, which the other shards hear of. */
    long change(List<StateRecord> records) {
        long sequence = journal.commit(records);
        tellOthers.run();
        return sequence;
    }

    void delete(ShardCommand.DeleteTopic command) {
        TopicSpec topic = require(command.name(), command.expectRevision());
        if (state.links.links.containsKey(topic.standing().mirroredBy())) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "topic " + topic.name() + " cannot be deleted",
                    "link " + topic.standing().mirroredBy() + " fills it, and would create it anew",
                    "delete the link first: spillway link delete "
                            + topic.standing().mirroredBy());
        }
        journal.commit(List.of(StateRecord.newBuilder()
                .setTopicDeleted(TopicDeleted.newBuilder()
                        .setTopicId(topic.topicId())
                        .setRevision(state.catalog.get().revision() + 1))
                .build()));
        tellOthers.run();
        answer(topic, command.reply());
    }

    TopicSpec require(String name, long expectRevision) {
        TopicSpec topic = state.catalog.get().get(name);
        if (expectRevision != 0 && expectRevision != topic.revision()) {
            throw new SpillwayException(
                    Code.REVISION_MISMATCH,
                    "topic " + name + " has revision " + topic.revision() + ", not " + expectRevision,
                    "it was changed since you read it",
                    "read it again and decide: spillway topic describe " + name);
        }
        return topic;
    }

    private void requireWritable(String what) {
        WriteState write = state.log.writeState();
        if (!write.writable()) {
            throw new SpillwayException(
                    Code.READ_ONLY, what, write.why(), "free disk space, or wait", write.retryAfterMs(), null);
        }
    }

    /** A change of a topic is always synced before it is answered. */
    private void answer(TopicSpec topic, Reply<TopicSpec> reply) {
        journal.whenDurable(journal.lastSequence(), new ReplyWhenDurable<>(topic, reply));
    }

    List<PartitionInfo> describe(TopicState topic) {
        List<PartitionInfo> infos = new ArrayList<>();
        for (Partition partition : topic.partitions) {
            infos.add(PartitionInfo.newBuilder()
                    .setPartition(partition.index)
                    .setStartOffset(state.log.startOffset(partition.id))
                    .setEndOffset(partition.endOffset)
                    .setVisibleOffset(partition.visibleEnd)
                    .setBytes(state.log.bytes(partition.id))
                    .build());
        }
        return infos;
    }
}

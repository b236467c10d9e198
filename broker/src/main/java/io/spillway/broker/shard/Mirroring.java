package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.Standing;
import io.spillway.broker.catalog.TopicConfig;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.log.WriteState;
import io.spillway.broker.records.PartitionMirrored;
import io.spillway.broker.records.ProducerNamed;
import io.spillway.broker.records.ProducerState;
import io.spillway.broker.records.StateRecord;
import io.spillway.protocol.Code;
import io.spillway.protocol.RecordBatch;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes topics copies of others and fills them: each batch gets the offset it had, through the journal as any batch does,
 * so that followers and the recovery take up producers and idempotency keys from it. Confined to the shard thread.
 */
final class Mirroring {
    /** What one entry holds of producers, in bytes: it has to fit any log. */
    private static final int ENTRY_BYTES = 512 << 10;

    private final ShardState state;
    private final Journal journal;
    private final TopicAdministration topics;

    Mirroring(ShardState state, Journal journal, TopicAdministration topics) {
        this.state = state;
        this.journal = journal;
        this.topics = topics;
    }

    void mirror(LinkCommand.Mirror command, long nowMs) {
        TopicConfig config = TopicConfig.DEFAULT.with(command.config());
        TopicSpec known = state.catalog.get().find(command.topic());
        Standing standing = Standing.mirrored(command.link(), command.epoch(), command.sourceCreatedMs());
        if (known == null) {
            TopicNames.check("topic", command.topic());
            topics.create(command.topic(), command.partitions(), config, standing, shardOf(command.topic()), nowMs);
        } else {
            requireCopy(known, command);
            if (!known.config().equals(config) || !known.standing().equals(standing)) {
                topics.change(List.of(topics.altered(known, config, standing)));
            }
        }
        journal.whenDurable(
                journal.lastSequence(),
                new ReplyWhenDurable<>(state.catalog.get().get(command.topic()), command.reply()));
    }

    /** Dead letters lie in the shard of the topic they are from. */
    private int shardOf(String topic) {
        for (TopicSpec other : state.catalog.get().all()) {
            if (TopicNames.deadLetterTopic(other.name()).equals(topic)) {
                return other.shard();
            }
        }
        return -1;
    }

    private static void requireCopy(TopicSpec known, LinkCommand.Mirror command) {
        Standing standing = known.standing();
        if (!standing.mirroredBy().equals(command.link())) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "topic " + known.name() + " is not copied by link " + command.link(),
                    standing.isMirrored()
                            ? "link " + standing.mirroredBy() + " fills it"
                            : "there is a topic of that name here that no link fills",
                    "delete it here if the copy is to take its place, or leave it out of the link");
        }
        if (standing.sourceCreatedMs() != command.sourceCreatedMs() || known.partitions() != command.partitions()) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "topic " + known.name() + " of the source is another than the one that was copied",
                    "it was deleted and created anew there",
                    "when the old records are not needed: spillway link delete " + command.link()
                            + ", spillway topic delete " + known.name() + ", and create the link again");
        }
    }

    void append(LinkCommand.Append command) {
        Partition partition = copy(command.topicId(), command.link()).partitions[command.partition()];
        requireWritable(partition);
        ByteBuf batches = command.batches();
        long first = batches == null ? command.next() : RecordBatch.baseOffset(batches, batches.readerIndex());
        if (partition.endOffset < Math.min(first, command.start())) {
            // Nothing older is left at the source.
            pass(partition, Math.min(first, command.start()), true);
        }
        boolean whole = batches == null || appendAll(partition, batches, records(partition, command));
        if (whole && partition.endOffset < command.next()) {
            pass(partition, command.next(), false);
        }
        long start = Math.min(
                Math.min(command.start(), state.log.endOffset(partition.id)),
                state.hold(partition.id).from());
        if (start > state.log.startOffset(partition.id)) {
            commit(partition, PartitionMirrored.newBuilder().setStartOffset(start));
        }
        if (batches == null) {
            records(partition, command).forEach(record -> journal.commit(List.of(record)));
        }
        long end = partition.endOffset;
        journal.whenDurable(journal.lastSequence(), new Journal.Waiter() {
            @Override
            public void durable(long durableNs) {
                partition.synced(end);
                partition.show(end);
                command.reply().ok(end);
            }

            @Override
            public void failed(SpillwayException why) {
                command.reply().failed(why);
            }
        });
    }

    /** False when it ended before a hole that has to wait until what is before it is in the log. */
    private boolean appendAll(Partition partition, ByteBuf batches, List<StateRecord> beside) {
        while (batches.isReadable()) {
            ByteBuf batch = batches.readSlice(RecordBatch.totalBytes(batches, batches.readerIndex()));
            int at = batch.readerIndex();
            long base = RecordBatch.baseOffset(batch, at);
            if (base + RecordBatch.recordCount(batch, at) <= partition.endOffset) {
                continue;
            }
            if (base < partition.endOffset) {
                throw new SpillwayException(
                        Code.WRONG_STATE,
                        "the copy of " + partition + " does not go on where its source does",
                        "it ends at " + partition.endOffset + ", within a batch that begins at " + base,
                        "the copy and its source have parted; delete the copy and link anew");
            }
            if (base > partition.endOffset && !pass(partition, base, false)) {
                return false;
            }
            boolean keyed = Batches.admit(batch, at);
            journal.commit(batches.isReadable() ? List.of() : beside, partition, batch, keyed);
        }
        return true;
    }

    /** Goes on at an offset behind the end; false while entries before are on their way. */
    private boolean pass(Partition partition, long to, boolean fromStart) {
        if (state.log.endOffset(partition.id) != partition.endOffset) {
            return false;
        }
        PartitionMirrored.Builder passed = PartitionMirrored.newBuilder().setEndOffset(to);
        commit(partition, fromStart ? passed.setStartOffset(to) : passed);
        return true;
    }

    private void commit(Partition partition, PartitionMirrored.Builder record) {
        journal.commit(List.of(StateRecord.newBuilder()
                .setPartitionMirrored(record.setPartitionId(partition.id))
                .build()));
    }

    /** What came beside the batches, with the ids of here, in records that fit an entry. */
    private static List<StateRecord> records(Partition partition, LinkCommand.Append command) {
        List<StateRecord> records = new ArrayList<>();
        PartitionMirrored.Builder open = PartitionMirrored.newBuilder();
        int bytes = 0;
        for (ProducerState producer : command.beside().getProducersList()) {
            bytes += producer.getSerializedSize();
            open.addProducers(producer);
            if (bytes > ENTRY_BYTES) {
                records.add(record(partition, open));
                open.clear();
                bytes = 0;
            }
        }
        for (ProducerNamed named : command.beside().getNamedList()) {
            if (!known(partition, named)) {
                open.addNamed(named.toBuilder().setPartitionId(partition.id));
            }
        }
        if (open.getProducersCount() + open.getNamedCount() > 0) {
            records.add(record(partition, open));
        }
        return records;
    }

    private static boolean known(Partition partition, ProducerNamed named) {
        ProducerNamed here = partition.named.get(named.getName());
        return here != null && here.getEpoch() == named.getEpoch() && here.getProducerId() == named.getProducerId();
    }

    private static StateRecord record(Partition partition, PartitionMirrored.Builder record) {
        return StateRecord.newBuilder()
                .setPartitionMirrored(record.setPartitionId(partition.id))
                .build();
    }

    /** The topic, which is a copy that this link fills. */
    private TopicState copy(int topicId, String link) {
        TopicState topic = state.topic(topicId);
        requireFilledBy(topic.spec, link);
        return topic;
    }

    static void requireFilledBy(TopicSpec topic, String link) {
        if (!topic.standing().mirroredBy().equals(link)) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "topic " + topic.name() + " takes nothing more from link " + link,
                    "it is not the copy of that link any more",
                    "see spillway link status");
        }
    }

    private void requireWritable(Partition partition) {
        WriteState write = state.log.writeState();
        if (!write.writable()) {
            throw new SpillwayException(
                    Code.READ_ONLY,
                    "nothing can be copied to " + partition + " now",
                    write.why(),
                    "free disk space here; the link goes on by itself",
                    write.retryAfterMs(),
                    null);
        }
    }

    void open(LinkCommand.Open command) {
        List<StateRecord> records = new ArrayList<>();
        for (LinkCommand.Opened opened : command.topics()) {
            TopicSpec topic = state.catalog.get().find(opened.topicId());
            if (topic != null
                    && topic.standing().mirroredBy().equals(command.link().getName())) {
                records.add(topics.altered(topic, topic.config(), Standing.open(opened.epoch())));
            }
        }
        records.add(StateRecord.newBuilder().setLinkKept(command.link()).build());
        journal.whenDurable(topics.change(records), new ReplyWhenDurable<>(true, command.reply()));
    }
}

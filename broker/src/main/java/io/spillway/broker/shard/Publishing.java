package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.broker.idempotency.ProducerStates;
import io.spillway.broker.log.WriteState;
import io.spillway.broker.records.ProducerNamed;
import io.spillway.broker.records.StateRecord;
import io.spillway.broker.tracing.TracedRecord;
import io.spillway.protocol.Code;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.v1.Durability;
import java.util.ArrayList;
import java.util.List;

/**
 * Decides what becomes of a publish: refused, a duplicate with its first result, or appended and answered once it is as
 * durable as the answer says. Confined to the shard thread.
 */
final class Publishing {
    /** How long a repetition of an idempotency key waits for its first copy to become durable. */
    private static final long REPETITION_WAIT_NS = 1_000_000_000;

    private final ShardState state;
    private final Journal journal;
    private final Clock clock;
    private final ShardCounters counters;
    private final BacklogBounds backlogs;
    private final KeyedPublishing keyed;
    private final List<Taken> repetitions = new ArrayList<>();

    Publishing(ShardState state, Journal journal, Clock clock, ShardCounters counters, BacklogBounds backlogs) {
        this.state = state;
        this.journal = journal;
        this.clock = clock;
        this.counters = counters;
        this.backlogs = backlogs;
        keyed = new KeyedPublishing(state, journal, counters);
    }

    void publish(ShardCommand.Publish command, long nowMs, long nowNs) {
        try {
            decide(command, nowMs, nowNs);
        } catch (SpillwayException e) {
            counters.refusedPublishes.increment();
            command.port().refused(command, e);
            refusedTraced(traced(command), command, e);
        } finally {
            command.batch().release();
        }
    }

    private void decide(ShardCommand.Publish command, long nowMs, long nowNs) {
        Partition partition = state.partition(command.partitionId());
        partition.topic.spec.requireOpen();
        if (command.deadlineNs() != 0 && nowNs - command.deadlineNs() >= 0) {
            throw new SpillwayException(
                    Code.DEADLINE_EXCEEDED,
                    "a publish to " + partition + " was dropped before any work",
                    "its deadline passed while it waited in the broker",
                    "retry, or allow more time");
        }
        ByteBuf batch = command.batch();
        int at = batch.readerIndex();
        long producerId = RecordBatch.producerId(batch, at);
        if (producerId != 0) {
            ProducerStates.Admission admission = partition.producers.admit(
                    producerId,
                    RecordBatch.producerEpoch(batch, at),
                    RecordBatch.baseSequence(batch, at),
                    RecordBatch.recordCount(batch, at),
                    RecordBatch.crc(batch, at));
            switch (admission.verdict()) {
                case NEW -> {}
                case DUPLICATE -> {
                    repeat(command, partition, admission);
                    return;
                }
                default -> throw refusal(partition, admission, RecordBatch.baseSequence(batch, at));
            }
        }
        if (!command.port().usesReserve()) {
            partition.topic.spec.requirePublishing();
            requireWritable(partition);
            backlogs.admit(partition.topic, nowMs);
        }
        append(command, partition, nowMs, nowNs);
    }

    private void append(ShardCommand.Publish command, Partition partition, long nowMs, long nowNs) {
        ByteBuf batch = command.batch();
        int at = batch.readerIndex();
        KeyedPublishing.Result result;
        if (command.keyed()) {
            long triedSinceMs = command.retriedForMs() < 0 ? FirstAttempt.UNKNOWN : nowMs - command.retriedForMs();
            result = keyed.append(partition, batch, triedSinceMs, nowMs);
        } else {
            long baseOffset = partition.endOffset;
            RecordBatch.stamp(batch, at, baseOffset, 0, nowMs);
            long sequence = command.port().usesReserve()
                    ? journal.commitFromReserve(partition, batch)
                    : journal.commit(List.of(), partition, batch, false);
            result = KeyedPublishing.Result.stored(sequence, baseOffset, nowMs);
        }
        counters.publishedBatches.increment();
        counters.publishedRecords.add(RecordBatch.recordCount(batch, at));
        counters.publishedBytes.add(batch.readableBytes());
        backlogs.appended(partition.topic, command.bytes(), command.count(), nowMs);
        int queueUs = micros(nowNs - command.receivedNs());
        boolean topicWaits = journal.holdsBack(partition.topic);
        long end = partition.endOffset;
        if (!topicWaits) {
            partition.show(end);
        }
        Taken taken = new Taken(command, partition, result, end, queueUs, nowNs);
        if (!waits(command, topicWaits)) {
            taken.answer(result, Durability.DUR_MAPPED, 0);
        }
        if (topicWaits || waits(command, false)) {
            if (!result.stored() && waits(command, topicWaits) && result.repeatsBehind(partition.syncedEnd)) {
                repetitions.add(taken);
            }
            journal.whenDurable(result.sequence(), taken);
        }
    }

    /** Answers repetitions of keys whose first copies take too long to become durable. */
    int answerRepetitions() {
        if (repetitions.isEmpty()) {
            return 0;
        }
        long nowNs = clock.nanoTime();
        int before = repetitions.size();
        repetitions.removeIf(taken -> taken.giveUp(nowNs));
        return before - repetitions.size();
    }

    /** Whether the answer waits. Levels out of reach come here only where less will do: the most there is. */
    private boolean waits(ShardCommand.Publish command, boolean topicWaits) {
        return switch (command.required()) {
            case DUR_DEFAULT -> topicWaits;
            case DUR_NONE, DUR_MAPPED -> !journal.answersEarly();
            case DUR_SYNCED, DUR_QUORUM, DUR_QUORUM_MAPPED, DUR_LOCAL_SPILLED, UNRECOGNIZED -> true;
        };
    }

    private PublishOutcome outcome(KeyedPublishing.Result result, Durability reached, int queueUs, int syncUs) {
        counters.acked(reached, (long) queueUs + syncUs);
        return new PublishOutcome(
                result.baseOffset(),
                reached,
                result.duplicate(),
                result.appendTimeMs(),
                result.keyResults(),
                result.errors(),
                queueUs,
                syncUs);
    }

    /** The records of a batch that was not released yet for which spans are made. */
    private List<TracedRecord> traced(ShardCommand.Publish command) {
        return state.tracing.of(command.batch(), command.batch().readerIndex());
    }

    private void refusedTraced(List<TracedRecord> records, ShardCommand.Publish command, SpillwayException why) {
        state.tracing.refused(records, command, state.partitions.get(command.partitionId()), why);
    }

    /** A batch that was taken, or was there before: answers it, when it is durable if it has to wait, and lets consumers see it. */
    private final class Taken implements Journal.Waiter {
        private final ShardCommand.Publish command;
        private final Partition partition;
        private final KeyedPublishing.Result result;
        private final List<TracedRecord> traced;
        private final long end;
        private final int queueUs;
        private final long appendedNs;
        private boolean answered;

        Taken(
                ShardCommand.Publish command,
                Partition partition,
                KeyedPublishing.Result result,
                long end,
                int queueUs,
                long appendedNs) {
            this.command = command;
            this.partition = partition;
            this.result = result;
            this.end = end;
            this.queueUs = queueUs;
            this.appendedNs = appendedNs;
            traced = traced(command);
        }

        /** @param told the result, or less when there is no more time for all of it */
        void answer(KeyedPublishing.Result told, Durability reached, int syncUs) {
            PublishOutcome outcome = outcome(told, reached, queueUs, syncUs);
            command.port().appended(command, outcome);
            state.tracing.appended(traced, command, partition, outcome);
        }

        @Override
        public boolean isPublish() {
            return true;
        }

        @Override
        public void durable(long durableNs) {
            partition.synced(end);
            partition.show(end);
            if (!answered && waits(command, journal.holdsBack(partition.topic))) {
                answered = true;
                answer(result, journal.reached(), micros(durableNs - appendedNs));
            }
        }

        @Override
        public void failed(SpillwayException why) {
            if (!answered && waits(command, journal.holdsBack(partition.topic))) {
                answered = true;
                command.port().refused(command, why);
                refusedTraced(traced, command, why);
            }
        }

        /** For a repetition, which waits for its first copy for a second and its own time; whether it is answered. */
        boolean giveUp(long nowNs) {
            boolean late = nowNs - appendedNs >= REPETITION_WAIT_NS
                    || (command.deadlineNs() != 0 && nowNs - command.deadlineNs() >= 0);
            if (!answered && late) {
                answered = true;
                KeyedPublishing.Result waiting = result.inProgress(partition, partition.syncedEnd);
                counters.keysInProgress.add(
                        result.keyResults().size() - waiting.keyResults().size());
                answer(waiting, Durability.DUR_MAPPED, 0);
            }
            return answered;
        }
    }

    /** A batch that came again: the first result, once the first copy is as durable as the answer says. */
    private void repeat(ShardCommand.Publish command, Partition partition, ProducerStates.Admission first) {
        counters.duplicateBatches.increment();
        KeyedPublishing.Result result = command.keyed()
                ? keyed.repeat(partition, command.batch(), first, clock.nowMs())
                : KeyedPublishing.Result.duplicate(journal.lastSequence(), first.baseOffset(), first.appendTimeMs());
        long nowNs = clock.nanoTime();
        int queueUs = micros(nowNs - command.receivedNs());
        Taken taken = new Taken(command, partition, result, 0, queueUs, nowNs);
        if (waits(command, journal.holdsBack(partition.topic))) {
            journal.whenDurable(journal.lastSequence(), taken);
        } else {
            taken.answer(result, Durability.DUR_MAPPED, 0);
        }
    }

    private static int micros(long ns) {
        return (int) Math.min(Integer.MAX_VALUE, Math.max(0, ns) / 1_000);
    }

    private void requireWritable(Partition partition) {
        WriteState write = state.log.writeState();
        if (!write.writable()) {
            throw new SpillwayException(
                    Code.READ_ONLY,
                    "nothing can be published to " + partition + " now",
                    write.why(),
                    "free disk space, or wait; consuming goes on",
                    write.retryAfterMs(),
                    null);
        }
    }

    private static SpillwayException refusal(
            Partition partition, ProducerStates.Admission admission, long baseSequence) {
        return switch (admission.verdict()) {
            case FENCED ->
                new SpillwayException(
                        Code.PRODUCER_FENCED,
                        "a producer of " + partition + " was replaced",
                        "a newer epoch of the same producer has published",
                        "stop this instance; the newer one goes on");
            case GAP ->
                new SpillwayException(
                        Code.SEQUENCE_GAP,
                        "a batch for " + partition + " begins at sequence " + baseSequence,
                        "the next one is " + admission.expectedSequence() + "; a batch before it was lost",
                        "open the publisher again with the next epoch");
            default ->
                new SpillwayException(
                        Code.IDEMPOTENCY_CONFLICT,
                        "sequence " + baseSequence + " of a producer of " + partition + " was used before",
                        "with other content, at offset " + admission.baseOffset(),
                        "never send other records under a used sequence");
        };
    }

    /** Gives the scratch memory back. */
    void close() {
        keyed.close();
    }

    /** Opens a publisher: by name the producer keeps its id and gets the next epoch, which fences older instances. */
    void open(ShardCommand.OpenPublisher command) {
        Partition partition = state.partition(command.partitionId());
        partition.topic.spec.requireOpen();
        long producerId = command.producerId();
        int epoch = command.epoch();
        if (!command.name().isEmpty()) {
            TopicNames.check("producer", command.name());
            ProducerNamed known = partition.named.get(command.name());
            boolean resumes = known != null && known.getProducerId() == producerId && known.getEpoch() == epoch;
            if (known != null && !command.owns().test(known.getProducerId())) {
                throw new SpillwayException(
                        Code.PERMISSION_DENIED,
                        "producer " + command.name() + " of topic " + partition.topic.spec.name() + " cannot be opened",
                        "its name belongs to another principal",
                        "take another name");
            }
            if (!resumes) {
                requireWritable(partition);
                producerId = known == null ? producerId : known.getProducerId();
                epoch = known == null ? 0 : known.getEpoch() + 1;
                journal.commit(List.of(StateRecord.newBuilder()
                        .setProducerNamed(ProducerNamed.newBuilder()
                                .setPartitionId(partition.id)
                                .setName(command.name())
                                .setProducerId(producerId)
                                .setEpoch(epoch))
                        .build()));
            }
        }
        ProducerStates.Last last = partition.producers.last(producerId);
        if (last != null && last.epoch() > epoch) {
            throw refusal(
                    partition,
                    new ProducerStates.Admission(ProducerStates.Verdict.FENCED, -1, last.lastSequence() + 1, 0),
                    0);
        }
        ProducerStates.Last same = last != null && last.epoch() == epoch ? last : null;
        command.reply()
                .ok(new ShardCommand.PublisherOpened(
                        producerId,
                        epoch,
                        same == null ? -1 : same.lastSequence(),
                        same == null ? -1 : same.lastOffset()));
    }
}

package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.Switches;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.diagnose.TopicFacts;
import io.spillway.broker.dispatch.HealthReport;
import io.spillway.broker.filter.Filter;
import io.spillway.broker.flow.Quota;
import io.spillway.broker.log.LogReplacement;
import io.spillway.broker.records.Agreed;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.Durability;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.PartitionInfo;
import io.spillway.protocol.v1.SeekResult;
import io.spillway.protocol.v1.Start;
import java.util.List;
import java.util.Map;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/** What a shard can be asked to do. */
public sealed interface ShardCommand {

    /** A command that is always answered, with a result or a refusal. */
    sealed interface Asking extends ShardCommand {
        Reply<?> reply();
    }

    /**
     * Append one batch, already validated. What the answer needs of the batch is kept beside it, because the answer comes
     * after the batch was released.
     *
     * @param batch exactly one batch; the shard releases it
     * @param keyed whether a record of it carries an idempotency key
     * @param deadlineNs when the publisher stops waiting, by the monotonic clock; 0 = never
     * @param required the least durability to answer at; DUR_DEFAULT = the topic's
     * @param retriedForMs how long the publisher has tried to send it, or {@link #FIRST_ATTEMPT}
     * @param shedClass how much it matters, 0 to 3, or {@link #CLASS_OF_TOPIC}
     */
    record Publish(
            PublisherPort port,
            int partitionId,
            ByteBuf batch,
            int bytes,
            int count,
            long baseSequence,
            boolean keyed,
            int correlation,
            long receivedNs,
            long deadlineNs,
            Durability required,
            int retriedForMs,
            int shedClass)
            implements ShardCommand {
        /** The batch is sent for the first time. */
        public static final int FIRST_ATTEMPT = -1;

        /** The publisher does not say. */
        public static final int CLASS_OF_TOPIC = -1;

        public static Publish of(
                PublisherPort port,
                int partitionId,
                ByteBuf batch,
                boolean keyed,
                int correlation,
                long receivedNs,
                long deadlineNs,
                Durability required) {
            int at = batch.readerIndex();
            return new Publish(
                    port,
                    partitionId,
                    batch,
                    batch.readableBytes(),
                    RecordBatch.recordCount(batch, at),
                    RecordBatch.baseSequence(batch, at),
                    keyed,
                    correlation,
                    receivedNs,
                    deadlineNs,
                    required,
                    FIRST_ATTEMPT,
                    CLASS_OF_TOPIC);
        }

        /** The same as a further attempt to send it. */
        public Publish retriedFor(int ms) {
            return new Publish(
                    port,
                    partitionId,
                    batch,
                    bytes,
                    count,
                    baseSequence,
                    keyed,
                    correlation,
                    receivedNs,
                    deadlineNs,
                    required,
                    ms,
                    shedClass);
        }

        /** The same with a class of its own. */
        public Publish ofClass(int number) {
            return new Publish(
                    port,
                    partitionId,
                    batch,
                    bytes,
                    count,
                    baseSequence,
                    keyed,
                    correlation,
                    receivedNs,
                    deadlineNs,
                    required,
                    retriedForMs,
                    number);
        }
    }

    /** @param owns whether a producer of that id is one of the client's */
    record OpenPublisher(
            int partitionId, String name, long producerId, int epoch, LongPredicate owns, Reply<PublisherOpened> reply)
            implements Asking {}

    /** What the broker knows of the producer; {@code lastSequence} is -1 when it has nothing of it. */
    record PublisherOpened(long producerId, int epoch, long lastSequence, long lastOffset) {}

    /**
     * @param leaseMs 0 = the broker's default
     * @param maxUnacked records; 0 = the broker's default
     * @param standsBy it wants records only when others are not well, or gone
     * @param ifNew why a group that is not there yet is not begun now; null = it is begun
     */
    record SubscribeGroup(
            int topicId,
            String group,
            int mode,
            Start start,
            int leaseMs,
            int maxUnacked,
            Map<String, String> settings,
            String consumerName,
            boolean standsBy,
            SubscriberPort port,
            @Nullable SpillwayException ifNew,
            Reply<Subscribed> reply)
            implements Asking {
        /** One that begins a new group if it has to. */
        public SubscribeGroup(
                int topicId,
                String group,
                int mode,
                Start start,
                int leaseMs,
                int maxUnacked,
                Map<String, String> settings,
                String consumerName,
                boolean standsBy,
                SubscriberPort port,
                Reply<Subscribed> reply) {
            this(topicId, group, mode, start, leaseMs, maxUnacked, settings, consumerName, standsBy, port, null, reply);
        }
    }

    /**
     * @param partitions indexes; empty = all
     * @param filter which records it wants; null = all
     */
    record SubscribeStream(
            int topicId,
            List<Integer> partitions,
            Start start,
            List<Start> starts,
            @Nullable Filter filter,
            SubscriberPort port,
            Reply<Subscribed> reply)
            implements Asking {}

    /** @param active false for a member that stands by */
    record Subscribed(long memberId, List<Integer> partitions, int leaseMs, boolean active) {}

    record Grant(SubscriberPort port, long maxBatches, long maxBytes, boolean paused) implements ShardCommand {}

    /**
     * Acks and what else settles a delivery. A member that does not want the result hears only of what was refused.
     *
     * @param confirm answer in any case, once the settles are written
     */
    record Settle(SubscriberPort port, List<AckItem> items, boolean confirm, Reply<List<ItemError>> reply)
            implements ShardCommand {
        public static boolean isKnownOutcome(int wire) {
            return Settling.isKnownOutcome(wire);
        }
    }

    /** A member said how it is. */
    record Health(SubscriberPort port, HealthReport report) implements ShardCommand {}

    record Writable(SubscriberPort port) implements ShardCommand {}

    /** Ends a subscription; what it still had leased goes back to its group. */
    record Unsubscribe(SubscriberPort port, @Nullable Reply<Boolean> reply) implements ShardCommand {}

    record Seek(
            int topicId,
            String group,
            Start to,
            boolean dryRun,
            long expectRevision,
            String reason,
            Reply<SeekResult> reply)
            implements Asking {}

    /** Deliver nothing from now on: the broker goes away. */
    record StopDelivering() implements ShardCommand {}

    record CreateTopic(String name, int partitions, Map<String, String> config, Reply<TopicSpec> reply)
            implements Asking {}

    record AlterTopic(String name, Map<String, String> changes, long expectRevision, Reply<TopicSpec> reply)
            implements Asking {}

    record DeleteTopic(String name, long expectRevision, Reply<TopicSpec> reply) implements Asking {}

    /** Removes the records before a position; the audit of it is the caller's. */
    record PurgeTopic(int topicId, Start before, long expectRevision, Reply<List<PartitionInfo>> reply)
            implements Asking {}

    /** The catalog changed: take up new settings, drop what was deleted. */
    record CatalogChanged() implements ShardCommand {}

    /** To shard 0: another shard needs the dead-letter topic of a topic of its own. */
    record DeadLetterTopicWanted(TopicSpec origin) implements ShardCommand {}

    /** Something that is only looked at. */
    sealed interface Describing extends Asking {}

    record DescribeTopic(int topicId, Reply<List<PartitionInfo>> reply) implements Describing {}

    /** @param group null = all groups of the topic */
    record DescribeGroups(int topicId, @Nullable String group, Reply<List<GroupInfo>> reply) implements Describing {}

    /** Asks why something is or is not delivered or accepted; topics without anything to say are left out. */
    record Diagnose(Looked what, Reply<List<TopicFacts>> reply) implements Describing {}

    /**
     * What is looked at.
     *
     * @param topicId {@link #ALL} = all of the shard
     * @param group empty = all
     * @param member the name or number of a consumer: only groups that have it; empty = all
     * @param onlyWrong only what was wrong at the last look, and topics that take nothing
     * @param most groups that are told of
     */
    record Looked(int topicId, String group, String member, boolean onlyWrong, int most) {
        public static final int ALL = 0;
    }

    record DeleteGroup(int topicId, String group, Reply<GroupInfo> reply) implements Asking {}

    /** @param expectRevision the revision the group must have; 0 = any */
    record ChangeGroup(
            int topicId,
            String group,
            GroupChange change,
            long expectRevision,
            String reason,
            Reply<GroupChange.Done> reply)
            implements Asking {}

    /** What the replays ask. */
    record Replay(ReplayCommand command) implements Asking {
        @Override
        public Reply<?> reply() {
            return command.reply();
        }
    }

    /** What links ask. */
    record Link(LinkCommand command) implements Asking {
        @Override
        public Reply<?> reply() {
            return command.reply();
        }
    }

    /** What operators ask. */
    sealed interface Operating extends Asking {}

    /** Sets a quota, or another rate for one that is there. */
    record SetQuota(Quota quota, Reply<Boolean> reply) implements Operating {}

    record RemoveQuota(Quota.Scope scope, String name, Reply<Boolean> reply) implements Operating {}

    /** Pauses publishing or dispatch of a topic, lets them go on, or gives it a class. */
    record SwitchTopic(String name, TopicSwitch change, long expectRevision, String reason, Reply<TopicSpec> reply)
            implements Asking {}

    /** What is switched, from what it was. */
    interface TopicSwitch {
        Switches of(Switches before, String reason, long nowMs);
    }

    /** Sets a toggle, keeps what it was set to, or takes it back. */
    record ChangeToggle(ToggleChange change, Reply<ToggleChange.Done> reply) implements Operating {}

    /** Lets somebody in or not any more, allows or denies something. */
    record ChangeAccess(AccessChange change, Reply<Boolean> reply) implements Operating {}

    /** What comes from the cluster, in the order of its log. */
    sealed interface Agreement extends ShardCommand {}

    /**
     * The cluster agreed on an entry.
     *
     * @param entry released by the shard
     * @param applied run by the shard thread when the entry is in the log and in memory
     */
    record Committed(long term, long index, ByteBuf entry, Runnable applied) implements Agreement {}

    /** This node was elected, and everything of the terms before was handed over. */
    record Lead(long term) implements Agreement {}

    /** Another node leads, or nobody. */
    record Follow() implements Agreement {}

    /** An entry of a session of this node was not agreed on, or nobody knows. */
    record Refused(long session, SpillwayException why) implements Agreement {}

    /** The files of another node's log are complete: they are to be this shard's from now on. */
    record Replace(LogReplacement by, Reply<Agreed> reply) implements Agreement {}
}

package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.records.GroupState;
import io.spillway.broker.records.LinkKept;
import io.spillway.broker.records.PartitionMirrored;
import io.spillway.protocol.v1.LinkPosition;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What links ask of a shard: those that end here, and those of other clusters that begin here. Each is answered. */
public sealed interface LinkCommand {
    Reply<?> reply();

    // ---- where the link ends

    /** To shard 0: all links that are kept. */
    record Load(Reply<List<LinkKept>> reply) implements LinkCommand {}

    /** To shard 0: keeps a link as it is now; answered once that is synced. */
    record Keep(LinkKept link, Reply<Boolean> reply) implements LinkCommand {}

    /** To shard 0: forgets a link; its topics stay as they are. */
    record Drop(String name, Reply<Boolean> reply) implements LinkCommand {}

    /**
     * To shard 0: makes a topic the copy of one elsewhere, or gives a copy the settings of its source. Refused with
     * WRONG_STATE when there is a topic of that name that is not this link's.
     */
    record Mirror(
            String link,
            String topic,
            int partitions,
            Map<String, String> config,
            long epoch,
            long sourceCreatedMs,
            Reply<TopicSpec> reply)
            implements LinkCommand {}

    /**
     * Appends batches to a copy at the offsets they have. Answered with the partition's end once that is durable.
     *
     * @param start the source's first offset
     * @param next where the batches end; what lies before and is not among them cannot be read at the source
     * @param batches validated, one after the other; null when there are none. The sender releases it, once answered
     * @param beside what the batches do not tell; its ids are the source's and are replaced
     */
    record Append(
            int topicId,
            String link,
            int partition,
            long start,
            long next,
            @Nullable ByteBuf batches,
            PartitionMirrored beside,
            Reply<Long> reply)
            implements LinkCommand {}

    /**
     * Makes the groups of a copy what those of the source are; its other groups go.
     *
     * @param groups with indexes where they have ids of partitions
     */
    record Groups(int topicId, String link, List<GroupState> groups, Reply<Boolean> reply) implements LinkCommand {}

    /** To shard 0: from now on the copies are open, and the link is this; in one entry. */
    record Open(LinkKept link, List<Opened> topics, Reply<Boolean> reply) implements LinkCommand {}

    /** A copy and the epoch it gets. */
    record Opened(int topicId, long epoch) {}

    // ---- where it begins

    /** Reads stored batches of several partitions, about so many bytes together, one batch at least. */
    record Fetch(int topicId, List<LinkPosition> positions, int maxBytes, Reply<Fetched> reply)
            implements LinkCommand {}

    /** @param batches the receiver releases it */
    record Fetched(List<FetchedPartition> partitions, ByteBuf batches) {}

    /**
     * @param next the offset after what was read; nothing between can be read but what is here
     * @param nextTimeMs append time of the record at {@code next}; 0 = there is none yet
     */
    record FetchedPartition(
            int partition, long start, long end, long next, int bytes, long nextTimeMs, PartitionMirrored beside) {}

    /** The groups of a topic and the producers of its partitions; of a fenced topic once nothing can change any more. */
    record Export(int topicId, Reply<Exported> reply) implements LinkCommand {}

    /** @param groups with indexes where they have ids of partitions */
    record Exported(List<GroupState> groups, List<FetchedPartition> partitions) {}

    /**
     * To shard 0: topics of these names live elsewhere from this epoch on. Answered with those that are here, once that
     * is durable.
     */
    record Fence(String link, List<String> topics, long epoch, String place, Reply<List<String>> reply)
            implements LinkCommand {}

    /** To shard 0: takes fences away. */
    record Lift(List<String> topics, Reply<List<String>> reply) implements LinkCommand {}
}

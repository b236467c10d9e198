package io.spillway.broker.shard;

import io.spillway.broker.catalog.TopicConfig;
import io.spillway.broker.flow.FairQueue;
import io.spillway.broker.flow.FlowKey;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Publishes that came, and whose turn it is. While a turn of the shard takes all that is there they go on as they came;
 * what does not fit a turn waits, and from then on failure domains, the principals of a domain and the partitions of a
 * principal have fair turns. Confined to the shard thread.
 */
final class Arrivals {
    private static final int TURN_PUBLISHES = 256;
    private static final long TURN_BYTES = 1 << 20;
    private static final int QUANTUM_BYTES = 64 << 10;
    /** More than these stay in the mailbox, which refuses what it cannot hold. */
    private static final int MAX_WAITING = 64 << 10;
    /** What a batch counts for beside its bytes, so that tiny ones are not free. */
    private static final int BATCH_BYTES = 256;

    private final FairQueue<ShardCommand.Publish> waiting = new FairQueue<>(QUANTUM_BYTES, FairQueue.Weights.EQUAL);

    private final Waits waits = new Waits();
    private final Admission admission;
    private final boolean controls;

    Arrivals(ShardState state, Admission.RefusedPublish refused) {
        controls = state.config.controls();
        admission =
                new Admission(waiting, state.config.publishBudgetBytes(), publish -> classOf(state, publish), refused);
    }

    /** How much a publish matters. */
    private static int classOf(ShardState state, ShardCommand.Publish publish) {
        if (publish.port().flow() == FlowKey.BROKER) {
            return 0;
        }
        if (publish.shedClass() != ShardCommand.Publish.CLASS_OF_TOPIC) {
            return publish.shedClass();
        }
        Partition partition = state.partitions.get(publish.partitionId());
        return partition == null
                ? TopicConfig.DEFAULT.shedClass()
                : partition.topic.spec.config().shedClass();
    }

    /** Gives the sink a turn's worth of publishes; how many. */
    int turn(Mailbox mailbox, Consumer<ShardCommand> sink, long nowMs, long nowNs) {
        int taken = 0;
        long bytes = 0;
        boolean direct = waiting.size() == 0;
        while (taken < TURN_PUBLISHES && bytes < TURN_BYTES) {
            ShardCommand.Publish next = direct ? mailbox.pollPublish() : waiting.poll();
            if (next == null) {
                break;
            }
            taken++;
            if (direct && !admission.admits(next, nowMs)) {
                continue;
            }
            bytes += next.bytes();
            if (controls) {
                waits.taken(next.port().flow().domain(), nowNs - next.receivedNs());
            }
            sink.accept(next);
        }
        if (controls) {
            if (taken > 0) {
                waits.endTurn();
            }
            collect(mailbox, nowMs);
        }
        return taken;
    }

    /** By failure domain, how long publishes waited since this was last asked, in ms. */
    Map<String, Integer> endInterval(long nowMs, long nowNs) {
        Map<String, Integer> waitedMs = waits.endInterval();
        admission.endInterval(waitedMs, nowMs, nowNs);
        return waitedMs;
    }

    /** Ten milliseconds are over. */
    void tick(int syncP50Ms, long nowMs, long nowNs) {
        if (controls) {
            admission.tick(waits, syncP50Ms, nowMs, nowNs);
        }
    }

    /** By failure domain, how many bytes each publisher may have unanswered; those that are not named, as many as ever. */
    Map<String, Long> windows() {
        return admission.windows();
    }

    /** Takes over what is in the mailbox, so that it refuses nobody because of a neighbour. */
    void collect(Mailbox mailbox, long nowMs) {
        ShardCommand.Publish next;
        while (waiting.size() < MAX_WAITING && (next = mailbox.pollPublish()) != null) {
            if (!admission.admits(next, nowMs)) {
                continue;
            }
            FlowKey key = next.port().flow();
            waiting.add(next, BATCH_BYTES + next.bytes(), key.domain(), key.principal(), next.partitionId());
        }
    }

    /** Gives the sink a turn's worth of publishes that are to be refused; how many. */
    int refuse(Mailbox mailbox, Consumer<ShardCommand.Publish> sink, long nowMs) {
        collect(mailbox, nowMs);
        int taken = 0;
        ShardCommand.Publish next;
        while (taken < TURN_PUBLISHES && (next = waiting.poll()) != null) {
            sink.accept(next);
            taken++;
        }
        return taken;
    }

    /** Gives the sink everything, in turn. */
    void drain(Mailbox mailbox, Consumer<? super ShardCommand.Publish> sink, long nowMs) {
        ShardCommand.Publish next;
        collect(mailbox, nowMs);
        while ((next = waiting.poll()) != null) {
            sink.accept(next);
            collect(mailbox, nowMs);
        }
    }
}

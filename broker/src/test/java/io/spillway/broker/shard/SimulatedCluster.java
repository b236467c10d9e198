package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Three shards and a log they agree on, as Raft gives it: one order, one leader a term, an old leader's entries refused or
 * late. Stepped by hand on one clock; what happens next is chance.
 */
final class SimulatedCluster {
    /** An entry of the log and the term in which it got there. */
    record Entry(long term, byte[] bytes) {}

    final SteppedShard.StillClock clock = new SteppedShard.StillClock();
    final List<AgreedNode> nodes = new ArrayList<>();
    private final List<Entry> log = new ArrayList<>();
    private final RandomGenerator random;
    private long term;
    private int elected = -1;

    SimulatedCluster(Path directory, RandomGenerator random) {
        this.random = random;
        for (int i = 0; i < 3; i++) {
            nodes.add(new AgreedNode(i, directory, clock));
        }
        // The first entry is Raft's own.
        log.add(new Entry(0, new byte[0]));
    }

    /** The node that decides, once it does; null meanwhile. */
    @Nullable
    AgreedNode leader() {
        AgreedNode node = elected < 0 ? null : nodes.get(elected);
        return node != null && node.up && node.leads ? node : null;
    }

    /** Elects a node that is up. The old leader hears of it only later. */
    void elect(int id) {
        term++;
        elected = id;
        AgreedNode node = nodes.get(id);
        handOver(node, log.size());
        node.mailbox.end(new ShardCommand.Lead(term));
    }

    /** One node hears that it does not lead. */
    void depose(AgreedNode node) {
        node.mailbox.end(new ShardCommand.Follow());
    }

    void kill(int id) {
        nodes.get(id).kill();
        if (elected == id) {
            elected = -1;
        }
    }

    /** A node that is down was killed after the first part of the newest entry had come into its log. */
    void tearNewest(int id) {
        Entry newest = log.get(log.size() - 1);
        nodes.get(id).tear(newest.term, log.size() - 1, newest.bytes);
    }

    void start(int id) {
        nodes.get(id).start();
    }

    /** Every node takes a turn; some of what they propose is agreed on, some of what is agreed on is handed over. */
    void step() {
        clock.nowMs += random.nextInt(3);
        for (AgreedNode node : nodes) {
            if (node.up) {
                take(node, random.nextInt(4));
                handOver(node, Math.min(log.size(), node.handedOver + random.nextInt(5)));
                node.run();
            }
        }
    }

    /** Everybody catches up with everything. */
    void settle() {
        for (int i = 0; i < 300; i++) {
            clock.nowMs += 5;
            for (AgreedNode node : nodes) {
                if (node.up) {
                    take(node, Integer.MAX_VALUE);
                    handOver(node, log.size());
                    node.run();
                }
            }
        }
    }

    private void take(AgreedNode node, int most) {
        for (int i = 0; i < most && !node.proposals.isEmpty(); i++) {
            AgreedNode.Proposal proposal = node.proposals.poll();
            if (node.id == elected) {
                byte[] bytes = new byte[proposal.entry().readableBytes()];
                proposal.entry().readBytes(bytes);
                log.add(new Entry(term, bytes));
            } else {
                node.mailbox.end(new ShardCommand.Refused(
                        proposal.session(),
                        new SpillwayException(Code.NOT_LEADER, "not the leader", "another was elected", "ask it")));
            }
            proposal.entry().release();
        }
    }

    private void handOver(AgreedNode node, int upTo) {
        for (; node.handedOver < upTo; node.handedOver++) {
            Entry entry = log.get(node.handedOver);
            if (entry.bytes.length > 0) {
                // Read-only, as the engine hands it over.
                ByteBuf bytes =
                        Unpooled.wrappedBuffer(ByteBuffer.wrap(entry.bytes).asReadOnlyBuffer());
                node.mailbox.end(new ShardCommand.Committed(entry.term, node.handedOver, bytes, () -> {}));
            }
        }
    }

    void close() {
        nodes.forEach(AgreedNode::close);
    }
}

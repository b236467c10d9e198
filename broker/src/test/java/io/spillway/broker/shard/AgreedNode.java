package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.spillway.broker.base.Published;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.log.ShardLog;
import io.spillway.broker.records.Agreed;
import io.spillway.broker.records.StateRecords;
import io.spillway.protocol.v1.Durability;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.SplittableRandom;

/** One node of {@link SimulatedCluster}: a shard without threads that a test steps, kills and opens again. */
final class AgreedNode implements Consensus {
    /** What the shard proposed, in order, and has not reached the cluster's log. */
    record Proposal(ByteBuf entry, long session) {}

    final int id;
    final ArrayDeque<Proposal> proposals = new ArrayDeque<>();
    /** Entries of the cluster's log that were handed over, in this life. */
    int handedOver;

    Agreed durable = ShardState.NOTHING_AGREED;
    boolean leads;
    boolean up;
    ShardState state;
    Mailbox mailbox = new Mailbox();
    private final SteppedShard.StillClock clock;
    private Path directory;
    private ShardLog log;
    private InlineSyncer syncer;
    private ShardAgent agent;
    private Replication replication = new Replication(this);
    private int copies;

    AgreedNode(int id, Path directory, SteppedShard.StillClock clock) {
        this.id = id;
        this.directory = directory.resolve("node-" + id + "-0");
        this.clock = clock;
        log = ShardLog.open(this.directory, SteppedShard.LOG, clock);
        state = recovered();
        syncer = new InlineSyncer(log.snapshots(), clock);
        agent = agent(snapshotSequence);
        up = true;
    }

    private long snapshotSequence;

    private ShardState recovered() {
        ShardState fresh = new ShardState(
                0, log, ModelShard.config(1 << 20), new Published<>(TopicCatalog.EMPTY), clock.nowMs() << 20);
        snapshotSequence = Recovery.run(fresh);
        return fresh;
    }

    private ShardAgent agent(long snapshot) {
        return new ShardAgent(
                state,
                mailbox,
                syncer,
                clock,
                new ShardCounters(),
                new Alone(),
                new SplittableRandom(1),
                snapshot,
                replication);
    }

    private static final class Alone implements ShardAgent.Neighbours {
        @Override
        public int shards() {
            return 1;
        }

        @Override
        public void catalogChanged() {}

        @Override
        public void requestDeadLetterTopic(TopicSpec origin) {}
    }

    @Override
    public void propose(ByteBuf entry, long session) {
        proposals.add(new Proposal(entry.copy(), session));
    }

    @Override
    public Durability reached() {
        return Durability.DUR_QUORUM;
    }

    @Override
    public void damaged(String why) {
        throw new AssertionError("node " + id + " is damaged: " + why);
    }

    @Override
    public void durable(Agreed upTo) {
        durable = upTo;
    }

    @Override
    public void leads(boolean leading) {
        leads = leading;
    }

    /** Turns until there is nothing to do; opens the shard anew when it has lost. */
    void run() {
        while (up && (agent.doWork() > 0 || agent.hasLost())) {
            if (agent.hasLost()) {
                agent.abandon();
                log.close();
                open();
            }
        }
    }

    private void open() {
        log = ShardLog.open(directory, SteppedShard.LOG, clock);
        state = recovered();
        syncer = new InlineSyncer(log.snapshots(), clock);
        agent = agent(snapshotSequence);
    }

    /** What the process knew is gone; its files are as they are, or as they were when they were synced last. */
    void kill() {
        Path next = directory.resolveSibling("node-" + id + "-" + ++copies);
        SteppedShard.copyTree(directory, next);
        directory = next;
        up = false;
        leads = false;
        agent.abandon();
        log.close();
        proposals.forEach(proposal -> proposal.entry.release());
        proposals.clear();
        replication.waiting().forEach(AgreedNode::release);
        mailbox.drainControls(AgreedNode::release);
        mailbox.drainEndings(AgreedNode::release);
        for (ShardCommand.Publish left = mailbox.pollPublish(); left != null; left = mailbox.pollPublish()) {
            left.batch().release();
        }
    }

    private static void release(ShardCommand command) {
        if (command instanceof ShardCommand.Committed committed) {
            committed.entry().release();
        }
    }

    /** While it was down, a kill in the middle: of this entry its log has got the first part. */
    void tear(long term, long index, byte[] bytes) {
        AgreedEntry entry = new AgreedEntry(Unpooled.wrappedBuffer(bytes));
        if (!entry.next() || entry.parts() < 2) {
            throw new IllegalArgumentException("an entry of " + entry.parts() + " parts has no middle");
        }
        Agreed here = Agreed.newBuilder()
                .setTerm(term)
                .setIndex(index)
                .setSession(entry.session())
                .setOrdinal(entry.ordinal())
                .setParts(entry.parts())
                .build();
        byte[] records = StateRecords.newBuilder().setAgreed(here).build().toByteArray();
        try (ShardLog torn = ShardLog.open(directory, SteppedShard.LOG, clock)) {
            byte[] state = ByteBufUtil.getBytes(Unpooled.wrappedBuffer(entry.state(), records));
            torn.append(state, entry.partitionId(), entry.batch(), true);
        }
    }

    /**
     * Starts again; the cluster's log is handed over again from behind what the log has, as a broker asks for it, or from
     * behind what is durable, so that much of it comes twice.
     */
    void start() {
        mailbox = new Mailbox();
        replication = new Replication(this);
        open();
        handedOver = (int) (copies % 2 == 0 ? durable : state.agreedWhole).getIndex() + 1;
        up = true;
    }

    void close() {
        if (up) {
            agent.close();
            log.close();
        }
        proposals.forEach(proposal -> proposal.entry.release());
        proposals.clear();
    }
}

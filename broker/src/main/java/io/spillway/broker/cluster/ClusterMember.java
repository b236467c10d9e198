package io.spillway.broker.cluster;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.spillway.broker.audit.Audit;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.chaos.Faults;
import io.spillway.broker.records.Agreed;
import io.spillway.broker.records.Question;
import io.spillway.broker.replication.ClusterId;
import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Deed;
import io.spillway.broker.replication.Peer;
import io.spillway.broker.replication.RaftNode;
import io.spillway.broker.replication.RaftPoint;
import io.spillway.broker.replication.Replica;
import io.spillway.broker.replication.ReplicationConfig;
import io.spillway.broker.shard.Consensus;
import io.spillway.broker.shard.DiskFaults;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.Shard;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Durability;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Joins a shard to the agreement of the nodes. What the shard decides is proposed; what the nodes agreed on goes to its
 * mailbox in order, with the news of who leads. Thread-safe; the thread {@code spillway-cluster} looks after the view.
 */
public final class ClusterMember implements Replica, Consensus, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterMember.class);
    private static final int LOOK_MS = 200;
    private static final int AGAIN_MS = 100;
    private static final long HAND_OVER_MS = 5_000;
    private static final long CLOSE_MS = 1_000;

    private final Shard shard;
    private final Mailbox mailbox;
    private final MemberFiles files;
    private final Checkup checkup;
    private final Clock clock;
    private final Standing standing = new Standing();
    private final Published<RaftPoint> durable;
    private final Published<Optional<ReplicationConfig>> config = new Published<>(Optional.empty());
    private final Published<Optional<MembershipAudit>> audit = new Published<>(Optional.empty());
    private final Outlook outlook;
    private final Office office;
    private final FileTransfer transfer;
    private final Repairs repairs;
    private final Scrub scrub;
    private final Rehearsal rehearsal;
    private final DiskFaults disk;
    private final ScheduledThreadPoolExecutor executor =
            new ScheduledThreadPoolExecutor(1, task -> new Thread(task, "spillway-cluster"));

    /**
     * @param shard recovered, not started
     * @param checkup of the files, which are as it left them
     */
    public ClusterMember(Shard shard, MemberFiles files, Checkup checkup, Clock clock, MemberTerms terms) {
        this.clock = clock;
        this.shard = shard;
        this.files = files;
        this.checkup = checkup;
        mailbox = shard.mailbox();
        durable = new Published<>(point(shard.agreed()));
        outlook = new Outlook(standing, new KnownMembers(files.members()), terms.readMaxLagMs());
        office = new Office(terms.zoneOrder());
        transfer = new FileTransfer(files, this::ask, mailbox, clock);
        repairs = new Repairs(standing, transfer, executor, agreed -> durable.set(point(agreed)));
        scrub = new Scrub(files.log(), clock, repairs::count, this::checked);
        rehearsal = new Rehearsal(() -> node().status(), (of, question) -> node().ask(of, question), clock);
        disk = new DiskFaults(clock);
        executor.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
        shard.join(this);
    }

    /**
     * Begins to take part, or to do what must be done before; the shard runs.
     *
     * @param writes what operators change
     * @param changed told of each new view, by the cluster's thread
     * @throws SpillwayException INVALID_ARGUMENT when the address or the directory cannot be used
     */
    public void start(ReplicationConfig given, Audit writes, Consumer<ClusterView> changed) {
        audit.set(Optional.of(new MembershipAudit(writes, standing, this::ask, executor)));
        outlook.tell(changed);
        ReplicationConfig with = given.withSeeds(checkup.seeds());
        config.set(Optional.of(with));
        Diagnosis diagnosis = checkup.diagnosis();
        if (diagnosis.start() == Diagnosis.Start.AS_IT_IS) {
            begin(with, checkup.cluster());
        } else {
            executor.execute(() -> repairs.comeBack(
                    with,
                    checkup,
                    learnt -> begin(with, learnt),
                    failure -> stopped("it could not take part again", "see its log and restart it", failure)));
        }
        executor.scheduleWithFixedDelay(this::look, 0, LOOK_MS, TimeUnit.MILLISECONDS);
        scrub.start();
    }

    private void begin(ReplicationConfig with, Optional<ClusterId> learnt) {
        try {
            standing.node.set(Optional.of(RaftNode.start(with, learnt, this)));
            files.replacement().settle();
        } catch (IOException e) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "the cluster cannot be reached from " + with.listen(),
                    e.toString(),
                    "check --cluster-listen and the data directory",
                    0,
                    e);
        }
    }

    public ClusterView view() {
        return outlook.view();
    }

    /** Whether this node leads, has entries that wait, and nothing is agreed on for a while. */
    public boolean isStalled() {
        return outlook.isStalled();
    }

    /** Why this node is not whole although it hears the leader, which goes on without it; empty when it is. */
    public String behind() {
        return outlook.behind();
    }

    /** How far the zones are that nobody waits for: bytes to be appended to a PublishAck. */
    public byte[] zoneLag() {
        return outlook.zoneLag();
    }

    /** The cluster in figures, after this node has stopped the last there were; null before {@link #start} has ended. */
    public @Nullable ClusterStatus status() {
        RaftNode running = standing.node.get().orElse(null);
        return running == null || running.isClosed() ? outlook.last() : running.status();
    }

    /** For changes of membership. */
    public RaftNode node() {
        return standing.node();
    }

    private void look() {
        RaftNode running = standing.node.get().orElse(null);
        if (running == null || !standing.stopped.get().isEmpty()) {
            return;
        }
        if (running.mustStartAgain()) {
            startAgain(running);
            return;
        }
        try {
            long nowMs = TimeUnit.NANOSECONDS.toMillis(clock.nanoTime());
            ClusterStatus status = outlook.look(running, nowMs);
            yieldOffice(running, status, nowMs);
            if (!shard.failure().isEmpty()) {
                handOver(HAND_OVER_MS);
                leave(running);
                stopped("the shard has stopped: " + shard.failure(), "see its log and restart it", null);
            }
        } catch (RuntimeException e) {
            // What is being closed has no figures any more.
            if (!running.isClosed()) {
                LOG.warn("event=cluster_status_failed next=\"none; it is tried again\"", e);
            }
        }
    }

    /** What it is handed once more the shard knows, and passes by. */
    private void startAgain(RaftNode running) {
        LOG.warn(
                "event=raft_starts_again why=\"its vote is needed, and it gives none between two configurations\" next=\"none\"");
        running.close();
        try {
            begin(config.get().orElseThrow(), checkup.cluster());
        } catch (RuntimeException e) {
            stopped("it could not take part again", "see its log and restart it", e);
        }
    }

    private void showSoon() {
        executor.execute(outlook::show);
    }

    // ---- what the nodes agreed on

    @Override
    public CompletableFuture<?> apply(long term, long index, ByteBuffer entry) {
        CompletableFuture<Boolean> applied = new CompletableFuture<>();
        ByteBuf bytes = Unpooled.wrappedBuffer(entry);
        standing.handed.set(index);
        mailbox.end(new ShardCommand.Committed(term, index, bytes, () -> {
            standing.taken.set(index);
            applied.complete(true);
        }));
        return applied;
    }

    @Override
    public void leading(long term) {
        standing.electedTerm.set(term);
        standing.leader.set(Optional.empty());
        mailbox.end(new ShardCommand.Lead(term));
        showSoon();
    }

    @Override
    public void following(long term, @Nullable Peer newLeader) {
        standing.electedTerm.set(Standing.NOT_ELECTED);
        standing.leader.set(Optional.ofNullable(newLeader));
        mailbox.end(new ShardCommand.Follow());
        showSoon();
    }

    @Override
    public RaftPoint durable() {
        return durable.get();
    }

    @Override
    public CompletableFuture<RaftPoint> install(Peer from) {
        if (from.id().equals(config.get().orElseThrow().self().id())) {
            return CompletableFuture.failedFuture(new IllegalStateException("this node leads; another one must first"));
        }
        return repairs.install(from).thenApply(agreed -> durable.get());
    }

    @Override
    public CompletableFuture<ByteBuffer> answer(ByteBuffer bytes) {
        try {
            Question question = Question.parseFrom(UnsafeByteOperations.unsafeWrap(bytes));
            return switch (question.getKindCase()) {
                case NOTED -> audit.get().orElseThrow().write(question.getNoted());
                case REHEARSED -> rehearsal.answer(question.getRehearsed());
                default -> transfer.answer(question);
            };
        } catch (InvalidProtocolBufferException e) {
            return CompletableFuture.failedFuture(new IllegalArgumentException("a question of another version", e));
        }
    }

    @Override
    public CompletableFuture<Void> perform(Deed deed, Supplier<CompletableFuture<Void>> act) {
        return audit.get().orElseThrow().around(deed, act);
    }

    private CompletableFuture<ByteBuffer> ask(Peer of, ByteBuffer question) {
        return repairs.ask(of, question);
    }

    @Override
    public void stopped(String why, String next, @Nullable Throwable cause) {
        standing.stoppedNext.set(next);
        standing.stopped.set(why);
        // A shard that has failed does not say any more that it leads no longer, and clients would wait for it.
        standing.serves.set(false);
        standing.electedTerm.set(Standing.NOT_ELECTED);
        standing.leader.set(Optional.empty());
        mailbox.end(new ShardCommand.Follow());
        showSoon();
    }

    // ---- what is injected for a rehearsal

    /** @param host what this node tells of its own faults, and plays for others */
    public Fellows rehearse(Fellows.Host host) {
        rehearsal.host(host);
        return rehearsal;
    }

    /** What is injected into this node now. */
    public void faults(Faults now) {
        rehearsal.faults(now);
        disk.set(now);
    }

    @Override
    public boolean isCutFrom(String node) {
        return rehearsal.isCutFrom(node);
    }

    @Override
    public void beforeSync() throws IOException {
        disk.beforeSync();
    }

    // ---- what the shard decides

    @Override
    public void propose(ByteBuf entry, long session) {
        byte[] bytes = new byte[entry.readableBytes()];
        entry.getBytes(entry.readerIndex(), bytes);
        node().propose(ByteBuffer.wrap(bytes)).whenComplete((point, failure) -> {
            if (failure != null) {
                mailbox.end(new ShardCommand.Refused(session, Refusal.of(failure)));
            }
        });
    }

    @Override
    public Durability reached() {
        return outlook.voters() > 1 ? Durability.DUR_QUORUM : Durability.DUR_SYNCED;
    }

    @Override
    public void durable(Agreed upTo) {
        durable.set(point(upTo));
        standing.node.get().ifPresent(RaftNode::snapshotTaken);
    }

    @Override
    public void leads(boolean leading) {
        standing.serves.set(leading);
        if (leading) {
            standing.leader.set(standing.node.get().map(RaftNode::status).map(ClusterStatus::leader));
        } else {
            // Refused while still elected: it begins anew, a moment later.
            executor.schedule(this::leadAgain, AGAIN_MS, TimeUnit.MILLISECONDS);
        }
        showSoon();
    }

    private void leadAgain() {
        long term = standing.electedTerm.get();
        if (term != Standing.NOT_ELECTED && !standing.serves.get()) {
            mailbox.end(new ShardCommand.Lead(term));
        }
    }

    private static RaftPoint point(Agreed agreed) {
        return agreed.getIndex() < 0 ? RaftPoint.NONE : new RaftPoint(agreed.getTerm(), agreed.getIndex());
    }

    // ---- who leads after it

    /**
     * Lets another voter lead, when this node does and there is one, for at most this long; before it stops, so that
     * clients wait for no election.
     */
    public void handOver(long timeoutMs) {
        standing.node
                .get()
                .filter(running -> !running.isClosed())
                .ifPresent(running -> Succession.handOver(running, timeoutMs));
    }

    /** A node that is elected while it repairs itself cannot serve. */
    private void yieldOffice(RaftNode running, ClusterStatus status, long nowMs) {
        if (repairs.isReplacing() && status.isLeading()) {
            handOver(HAND_OVER_MS);
            running.stepDown();
            return;
        }
        office.look(status, shard.writeState().writable(), nowMs).ifPresent(next -> {
            LOG.info("event=leadership_yielded to={} why=\"{}\"", next.id(), next.why());
            Succession.handOver(running, next.id(), HAND_OVER_MS);
        });
    }

    private void leave(RaftNode running) {
        running.close();
        standing.node.set(Optional.empty());
        standing.electedTerm.set(Standing.NOT_ELECTED);
        standing.leader.set(Optional.empty());
        mailbox.end(new ShardCommand.Follow());
        outlook.show();
    }

    // ---- a log that is damaged

    @Override
    public void damaged(String why) {
        executor.execute(() -> repairs.repair("a batch or entry is damaged", why, HAND_OVER_MS));
    }

    private void checked(long generation, List<String> problems) {
        executor.execute(() -> {
            if (generation == repairs.count() && !problems.isEmpty()) {
                repairs.repair(problems.get(0), String.join("; ", problems), HAND_OVER_MS);
            }
        });
    }

    /** Why this node takes no part yet, or not now; empty when it does. */
    public String returning() {
        return standing.returning.get();
    }

    /** How often this node came back with a new log, or as a new node, since it started. */
    public long repairs() {
        return repairs.count();
    }

    /** What was damaged and is kept, oldest first. */
    public List<String> quarantine() {
        try {
            return files.quarantine().entries().stream().map(Path::toString).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Takes no part any more; before the shard is closed. */
    @Override
    public void close() {
        executor.shutdownNow();
        try {
            if (!executor.awaitTermination(CLOSE_MS, TimeUnit.MILLISECONDS)) {
                LOG.warn(
                        "event=cluster_thread_still_busy why=\"it did not end in {} ms\" next=\"none; the broker closes all the same\"",
                        CLOSE_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        standing.node.get().ifPresent(RaftNode::close);
        repairs.close();
        scrub.close();
        transfer.close();
    }
}

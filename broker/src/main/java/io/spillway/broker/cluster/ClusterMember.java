package io.spillway.broker.cluster;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.records.Agreed;
import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Peer;
import io.spillway.broker.replication.RaftNode;
import io.spillway.broker.replication.RaftPoint;
import io.spillway.broker.replication.Replica;
import io.spillway.broker.replication.ReplicationConfig;
import io.spillway.broker.replication.ReplicationException;
import io.spillway.broker.shard.Consensus;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.Shard;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Durability;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Joins a shard to the agreement of the nodes. What the shard decides is proposed; what the nodes agreed on goes to its
 * mailbox in order, with the news of who leads. Thread-safe; the thread {@code spillway-cluster} looks after the view.
 */
public final class ClusterMember implements Replica, Consensus, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterMember.class);
    private static final long NOT_ELECTED = -1;
    private static final int LOOK_MS = 200;
    private static final int AGAIN_MS = 100;
    /** Who takes over has been heard of within so many ms and lacks fewer entries than this. */
    private static final long HEIR_HEARD_MS = 1_000;

    private static final long HEIR_LAG = 1_000;

    private final Mailbox mailbox;
    private final Published<RaftPoint> durable;
    private final Published<ClusterView> view = new Published<>(ClusterView.JOINING);
    private final Published<Long> electedTerm = new Published<>(NOT_ELECTED);
    private final Published<Boolean> serves = new Published<>(false);
    private final Published<Integer> voters = new Published<>(1);
    private final Published<Optional<ClusterStatus>> last = new Published<>(Optional.empty());
    private final Published<Boolean> stalled = new Published<>(false);
    private final Published<Boolean> follows = new Published<>(false);
    private final Published<byte[]> zoneLag = new Published<>(ZoneLags.NONE);
    /** The last entries that were handed to the shard, and that it has taken up. */
    private final Published<Long> handed = new Published<>(-1L);

    private final Published<Long> taken = new Published<>(-1L);
    private final OwnLag ownLag = new OwnLag();
    private final Clock clock;
    private final long readMaxLagMs;
    private final Published<Optional<Peer>> leader = new Published<>(Optional.empty());
    private final Published<String> stopped = new Published<>("");
    private final Published<Optional<RaftNode>> node = new Published<>(Optional.empty());
    private final Published<Consumer<ClusterView>> listener = new Published<>(changed -> {});
    private final FileTransfer transfer;
    private final StalledCommit commit = new StalledCommit();
    private final ScheduledThreadPoolExecutor executor =
            new ScheduledThreadPoolExecutor(1, task -> new Thread(task, "spillway-cluster"));

    /**
     * @param shard recovered, not started
     * @param files the directory of its log
     * @param readMaxLagMs for how long it may have lacked something and still serve readers as a follower
     */
    public ClusterMember(Shard shard, Path files, Clock clock, long readMaxLagMs) {
        this.clock = clock;
        this.readMaxLagMs = readMaxLagMs;
        mailbox = shard.mailbox();
        durable = new Published<>(point(shard.agreed()));
        transfer = new FileTransfer(files, this::ask, mailbox, clock);
        executor.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
        shard.join(this);
    }

    /**
     * Begins to take part; the shard runs.
     *
     * @param changed told of each new view, by the cluster's thread
     * @throws SpillwayException INVALID_ARGUMENT when the address or the directory cannot be used
     */
    public void start(ReplicationConfig config, Consumer<ClusterView> changed) {
        listener.set(changed);
        try {
            node.set(Optional.of(RaftNode.start(config, this)));
        } catch (IOException e) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "the cluster cannot be reached from " + config.listen(),
                    e.toString(),
                    "check --cluster-listen and the data directory",
                    0,
                    e);
        }
        executor.scheduleWithFixedDelay(this::look, 0, LOOK_MS, TimeUnit.MILLISECONDS);
    }

    public ClusterView view() {
        return view.get();
    }

    /** Whether this node leads, has entries that wait, and nothing is agreed on for a while. */
    public boolean isStalled() {
        return stalled.get();
    }

    /** How far the zones are that nobody waits for: bytes to be appended to a PublishAck. */
    public byte[] zoneLag() {
        return zoneLag.get();
    }

    /** The cluster in figures, after this node has stopped the last there were; null before {@link #start} has ended. */
    public @Nullable ClusterStatus status() {
        RaftNode running = node.get().orElse(null);
        if (running == null || !stopped.get().isEmpty()) {
            return last.get().orElse(null);
        }
        return running.status();
    }

    /** For changes of membership. */
    public RaftNode node() {
        RaftNode running = node.get().orElse(null);
        if (running == null) {
            throw new SpillwayException(
                    Code.NOT_READY, "the node is about to start", "it has not joined yet", "try again", 200, null);
        }
        return running;
    }

    private void look() {
        try {
            RaftNode running = node.get().orElse(null);
            if (running != null && stopped.get().isEmpty()) {
                ClusterStatus status = running.status();
                stalled.set(commit.look(status));
                last.set(Optional.of(status));
                zoneLag.set(serves.get() ? ZoneLags.ofAcks(status) : ZoneLags.NONE);
                long nowMs = TimeUnit.NANOSECONDS.toMillis(clock.nanoTime());
                long lagMs = ownLag.lookMs(status, running.leaderHeardMs(), handed.get(), taken.get(), nowMs);
                follows.set(lagMs <= readMaxLagMs);
                voters.set((int) status.nodes().stream()
                        .filter(member -> member.role() == ClusterStatus.Role.VOTER)
                        .count());
                show(status.nodes().stream().map(ClusterStatus.Node::peer).toList());
            }
        } catch (RuntimeException e) {
            LOG.warn("event=cluster_status_failed", e);
        }
    }

    private void show(List<Peer> nodes) {
        boolean readable = follows.get() && stopped.get().isEmpty();
        ClusterView now =
                new ClusterView(serves.get(), leader.get().orElse(null), nodes, voters.get(), readable, stopped.get());
        if (!now.equals(view.get())) {
            view.set(now);
            listener.get().accept(now);
        }
    }

    private void showSoon() {
        executor.execute(() -> show(view.get().nodes()));
    }

    // ---- what the nodes agreed on

    @Override
    public CompletableFuture<?> apply(long term, long index, ByteBuffer entry) {
        CompletableFuture<Boolean> applied = new CompletableFuture<>();
        ByteBuf bytes = Unpooled.wrappedBuffer(entry);
        handed.set(index);
        mailbox.end(new ShardCommand.Committed(term, index, bytes, () -> {
            taken.set(index);
            applied.complete(true);
        }));
        return applied;
    }

    @Override
    public void leading(long term) {
        electedTerm.set(term);
        leader.set(Optional.empty());
        mailbox.end(new ShardCommand.Lead(term));
        showSoon();
    }

    @Override
    public void following(long term, @Nullable Peer newLeader) {
        electedTerm.set(NOT_ELECTED);
        leader.set(Optional.ofNullable(newLeader));
        mailbox.end(new ShardCommand.Follow());
        showSoon();
    }

    @Override
    public RaftPoint durable() {
        return durable.get();
    }

    @Override
    public CompletableFuture<RaftPoint> install(Peer from) {
        return transfer.install(from).thenApply(agreed -> {
            durable.set(point(agreed));
            return durable.get();
        });
    }

    @Override
    public CompletableFuture<ByteBuffer> answer(ByteBuffer question) {
        return transfer.answer(question);
    }

    private CompletableFuture<ByteBuffer> ask(Peer of, ByteBuffer question) {
        return node().ask(of, question);
    }

    @Override
    public void stopped(String why, @Nullable Throwable cause) {
        stopped.set(why);
        electedTerm.set(NOT_ELECTED);
        leader.set(Optional.empty());
        mailbox.end(new ShardCommand.Follow());
        showSoon();
    }

    // ---- what the shard decides

    @Override
    public void propose(ByteBuf entry, long session) {
        byte[] bytes = new byte[entry.readableBytes()];
        entry.getBytes(entry.readerIndex(), bytes);
        node().propose(ByteBuffer.wrap(bytes)).whenComplete((point, failure) -> {
            if (failure != null) {
                mailbox.end(new ShardCommand.Refused(session, refusal(failure)));
            }
        });
    }

    private static SpillwayException refusal(Throwable failure) {
        Throwable cause = failure.getCause() != null ? failure.getCause() : failure;
        boolean busy = cause instanceof ReplicationException known && known.kind() == ReplicationException.Kind.BUSY;
        return new SpillwayException(
                busy ? Code.OVERLOADED : Code.REPLICATION_TIMEOUT,
                "the cluster did not agree",
                String.valueOf(cause.getMessage()),
                "try again; what was agreed on is not done twice",
                100,
                cause);
    }

    @Override
    public Durability reached() {
        return voters.get() > 1 ? Durability.DUR_QUORUM : Durability.DUR_SYNCED;
    }

    @Override
    public void durable(Agreed upTo) {
        durable.set(point(upTo));
        RaftNode running = node.get().orElse(null);
        if (running != null) {
            running.snapshotTaken();
        }
    }

    @Override
    public void leads(boolean leading) {
        serves.set(leading);
        if (leading) {
            RaftNode running = node.get().orElse(null);
            leader.set(Optional.ofNullable(
                    running == null ? null : running.status().leader()));
        } else {
            // Refused while still elected: it begins anew, a moment later.
            executor.schedule(this::leadAgain, AGAIN_MS, TimeUnit.MILLISECONDS);
        }
        showSoon();
    }

    private void leadAgain() {
        long term = electedTerm.get();
        if (term != NOT_ELECTED && !serves.get()) {
            mailbox.end(new ShardCommand.Lead(term));
        }
    }

    private static RaftPoint point(Agreed agreed) {
        return agreed.getIndex() < 0 ? RaftPoint.NONE : new RaftPoint(agreed.getTerm(), agreed.getIndex());
    }

    /**
     * Lets another voter lead, when this node does and there is one, for at most this long; before it stops, so that
     * clients wait for no election.
     */
    public void handOver(long timeoutMs) {
        RaftNode running = node.get().orElse(null);
        if (running == null || !serves.get()) {
            return;
        }
        for (ClusterStatus.Node other : running.status().nodes()) {
            boolean able = other.role() == ClusterStatus.Role.VOTER
                    && !other.isLeader()
                    && other.lastContactMs() < HEIR_HEARD_MS
                    && other.lagEntries() < HEIR_LAG;
            if (able && handOver(running, other.peer().id(), timeoutMs)) {
                return;
            }
        }
    }

    private static boolean handOver(RaftNode running, String id, long timeoutMs) {
        try {
            running.transferLeadership(id, (int) timeoutMs).get(timeoutMs, TimeUnit.MILLISECONDS);
            LOG.info("event=leadership_handed_over to={}", id);
            return true;
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("event=leadership_not_handed_over to={} why=\"{}\"", id, e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return false;
    }

    /** Takes no part any more; before the shard is closed. */
    @Override
    public void close() {
        RaftNode running = node.get().orElse(null);
        if (running != null) {
            running.close();
        }
        transfer.close();
        executor.shutdownNow();
    }
}

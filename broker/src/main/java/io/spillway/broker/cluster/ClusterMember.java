package io.spillway.broker.cluster;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.records.Agreed;
import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Outsider;
import io.spillway.broker.replication.Peer;
import io.spillway.broker.replication.RaftNode;
import io.spillway.broker.replication.RaftPoint;
import io.spillway.broker.replication.Replica;
import io.spillway.broker.replication.ReplicationConfig;
import io.spillway.broker.shard.Consensus;
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
    private static final long HAND_OVER_MS = 5_000;

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
    private final Published<Optional<Outsider>> outsider = new Published<>(Optional.empty());
    private final Published<Optional<ReplicationConfig>> config = new Published<>(Optional.empty());
    private final Published<String> returning = new Published<>("");
    /** Why the log is being replaced, in a word or two; empty when it is not. */
    private final Published<String> damage = new Published<>("");

    private final Published<Long> repairs = new Published<>(0L);
    /** Where this node's part of the cluster's log begins, when the shard's log is put aside. */
    private final Published<Long> neededFrom = new Published<>(0L);

    private final Shard shard;
    private final MemberFiles files;
    private final Checkup checkup;
    private final KnownMembers members;
    private final Scrub scrub;
    private final FileTransfer transfer;
    private final Office office;
    private final StalledCommit commit = new StalledCommit();
    private final ScheduledThreadPoolExecutor executor =
            new ScheduledThreadPoolExecutor(1, task -> new Thread(task, "spillway-cluster"));

    /**
     * @param shard recovered, not started
     * @param checkup of the files, which are as it left them
     */
    public ClusterMember(Shard shard, MemberFiles files, Checkup checkup, Clock clock, MemberTerms terms) {
        this.clock = clock;
        readMaxLagMs = terms.readMaxLagMs();
        office = new Office(terms.zoneOrder());
        this.shard = shard;
        this.files = files;
        this.checkup = checkup;
        mailbox = shard.mailbox();
        durable = new Published<>(point(shard.agreed()));
        members = new KnownMembers(files.members());
        transfer = new FileTransfer(files, this::ask, mailbox, clock);
        scrub = new Scrub(files.log(), clock, repairs::get, this::checked);
        executor.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
        shard.join(this);
    }

    /**
     * Begins to take part, or to do what must be done before; the shard runs.
     *
     * @param changed told of each new view, by the cluster's thread
     * @throws SpillwayException INVALID_ARGUMENT when the address or the directory cannot be used
     */
    public void start(ReplicationConfig given, Consumer<ClusterView> changed) {
        listener.set(changed);
        ReplicationConfig with = given.withSeeds(checkup.seeds());
        config.set(Optional.of(with));
        Diagnosis diagnosis = checkup.diagnosis();
        if (diagnosis.start() == Diagnosis.Start.AS_IT_IS) {
            begin(with);
        } else {
            neededFrom.set(checkup.firstIndex());
            executor.execute(() -> comeBack(diagnosis.start(), diagnosis.why()));
        }
        executor.scheduleWithFixedDelay(this::look, 0, LOOK_MS, TimeUnit.MILLISECONDS);
        scrub.start();
    }

    private void begin(ReplicationConfig with) {
        try {
            node.set(Optional.of(RaftNode.start(with, this)));
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
                    Code.NOT_READY,
                    "this node takes no part in the cluster yet",
                    returning.get().isEmpty() ? "it has not joined yet" : returning.get(),
                    "wait; ask another node meanwhile",
                    200,
                    null);
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
                List<Peer> nodes =
                        status.nodes().stream().map(ClusterStatus.Node::peer).toList();
                if (voters.get() > 0
                        && nodes.stream().anyMatch(peer -> peer.id().equals(status.self()))) {
                    members.learn(nodes);
                }
                show(nodes);
                yieldOffice(running, status, nowMs);
                if (!shard.failure().isEmpty()) {
                    handOver(HAND_OVER_MS);
                    leave(running);
                    stopped("the shard has stopped: " + shard.failure(), null);
                }
            }
        } catch (RuntimeException e) {
            LOG.warn("event=cluster_status_failed", e);
        }
    }

    private void show(List<Peer> nodes) {
        boolean readable =
                follows.get() && stopped.get().isEmpty() && returning.get().isEmpty();
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
        if (from.id().equals(config.get().orElseThrow().self().id())) {
            return CompletableFuture.failedFuture(new IllegalStateException("this node leads; another one must first"));
        }
        return transfer.install(from, damage.get()).thenApply(agreed -> {
            durable.set(point(agreed));
            return durable.get();
        });
    }

    @Override
    public CompletableFuture<ByteBuffer> answer(ByteBuffer question) {
        return transfer.answer(question);
    }

    private CompletableFuture<ByteBuffer> ask(Peer of, ByteBuffer question) {
        Outsider asking = outsider.get().orElse(null);
        return asking != null ? asking.ask(of, question) : node().ask(of, question);
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
                mailbox.end(new ShardCommand.Refused(session, Refusal.of(failure)));
            }
        });
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
        node.get().ifPresent(running -> Succession.handOver(running, timeoutMs));
    }

    // ---- a log that is damaged

    @Override
    public void damaged(String why) {
        executor.execute(() -> repair("a batch or entry is damaged", why));
    }

    private void checked(long generation, List<String> problems) {
        executor.execute(() -> {
            if (generation == repairs.get() && !problems.isEmpty()) {
                repair(problems.get(0), String.join("; ", problems));
            }
        });
    }

    /**
     * Has the log replaced by a copy of the leader's, which is never this node: it hands over first. Its vote and its part
     * of the cluster's log are sound, so that it goes on to vote and to confirm.
     */
    private void repair(String reason, String why) {
        RaftNode running = node.get().orElse(null);
        if (running == null || !returning.get().isEmpty()) {
            return;
        }
        LOG.error(
                "event=log_damaged why=\"{}\" next=\"it is fetched anew from the leader; the damaged files are kept in"
                        + " the directory quarantine\"",
                why);
        returning.set("its log is damaged and is fetched anew: " + why);
        damage.set(reason);
        handOver(HAND_OVER_MS);
        running.refetch()
                .thenRunAsync(
                        () -> {
                            LOG.info("event=log_replaced by=copy why=\"{}\"", why);
                            damage.set("");
                            repairs.set(repairs.get() + 1);
                            returning.set("");
                        },
                        executor);
    }

    /** A node that is elected while it repairs itself cannot serve. */
    private void yieldOffice(RaftNode running, ClusterStatus status, long nowMs) {
        if (!damage.get().isEmpty() && status.isLeading()) {
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
        node.set(Optional.empty());
        electedTerm.set(NOT_ELECTED);
        leader.set(Optional.empty());
        mailbox.end(new ShardCommand.Follow());
        show(view.get().nodes());
    }

    private void comeBack(Diagnosis.Start start, String why) {
        ReplicationConfig with = config.get().orElseThrow();
        List<String> others = with.otherSeeds();
        returning.set(why.isEmpty() ? "it waits for admission" : why);
        Outsider asking = new Outsider(with);
        outsider.set(Optional.of(asking));
        boolean needsCopy = start == Diagnosis.Start.WITH_A_COPY;
        Comeback comeback = new Comeback(
                with.self().id(),
                others,
                asking,
                from -> needsCopy ? copy(from) : asking.forget(from, with.self().id()),
                executor,
                said -> returning.set((why.isEmpty() ? "" : why + "; ") + "it waits: " + said));
        comeback.begin()
                .thenRunAsync(() -> cameBack(with, asking, why), executor)
                .exceptionally(failure -> {
                    stopped("it could not take part again", failure);
                    return null;
                });
    }

    /** What is here was put aside, or is nothing. */
    private CompletableFuture<?> copy(Peer from) {
        return transfer.install(from, "").thenAccept(agreed -> {
            if (agreed.getIndex() + 1 < neededFrom.get()) {
                throw new IllegalStateException(
                        "the copy of node " + from.id() + " ends with entry " + agreed.getIndex()
                                + ", and this node's part of the cluster's log begins with " + neededFrom.get());
            }
            durable.set(point(agreed));
        });
    }

    private void cameBack(ReplicationConfig with, Outsider asking, String why) {
        if (executor.isShutdown()) {
            return;
        }
        outsider.set(Optional.empty());
        asking.close();
        begin(with);
        repairs.set(repairs.get() + (why.isEmpty() ? 0 : 1));
        returning.set("");
        LOG.info("event=takes_part_again from={} why=\"{}\"", durable.get(), why);
    }

    /** Why this node takes no part yet, or not now; empty when it does. */
    public String returning() {
        return returning.get();
    }

    /** How often this node came back with a new log, or as a new node, since it started. */
    public long repairs() {
        return repairs.get();
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
        RaftNode running = node.get().orElse(null);
        if (running != null) {
            running.close();
        }
        executor.shutdownNow();
        outsider.get().ifPresent(Outsider::close);
        scrub.close();
        transfer.close();
    }
}

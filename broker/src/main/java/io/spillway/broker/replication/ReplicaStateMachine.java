package io.spillway.broker.replication;

import io.spillway.broker.base.Published;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftConfigurationProto;
import org.apache.ratis.proto.RaftProtos.RoleInfoProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.raftlog.RaftLog;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.SnapshotInfo;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.util.LifeCycle;
import org.apache.ratis.util.ProtoUtils;
import org.jspecify.annotations.Nullable;

/**
 * What Ratis sees of the replica. Its snapshot is the replica's own files: it has a place in the log and no content that
 * Ratis would move.
 *
 * <p>{@code durable} is how far the replica's files are; {@code taken} up to where Ratis was told that it needs no log, which
 * is behind by what is kept for nodes that lag. The second moves on Ratis' updater thread only ({@link #takeSnapshot}, {@link #reinitialize}), but for the end of an install.
 */
final class ReplicaStateMachine extends BaseStateMachine {
    private final Replica replica;
    private final Handover handover;
    private final Leadership leadership;
    private final Installation installation;
    private final Answers answers;
    private final BiConsumer<Boolean, @Nullable Throwable> onStop;
    private final Published<RaftPoint> taken = new Published<>(RaftPoint.NONE);
    private final KeptLog kept;
    /** Of the newest configuration entry handed over; a new leader begins its term with one. */
    private long configuredTerm;

    ReplicaStateMachine(Wiring wiring) {
        replica = wiring.replica();
        handover = wiring.handover();
        leadership = wiring.leadership();
        installation = wiring.installation();
        answers = wiring.answers();
        onStop = wiring.onStop();
        kept = new KeptLog(wiring.preservedBytes());
    }

    /**
     * @param preservedBytes of the log below what is durable
     * @param onStop called when Ratis gives up: whether it shut the node down, and else why its log cannot be written
     */
    record Wiring(
            Replica replica,
            Handover handover,
            Leadership leadership,
            Installation installation,
            Answers answers,
            long preservedBytes,
            BiConsumer<Boolean, @Nullable Throwable> onStop) {}

    @Override
    public void initialize(RaftServer server, RaftGroupId group, RaftStorage storage) throws IOException {
        super.initialize(server, group, storage);
        getLifeCycle().startAndTransition(() -> startAfter(replica.durable()));
    }

    private void startAfter(RaftPoint point) {
        taken.set(point);
        handover.startAfter(point);
        setLastAppliedTermIndex(TermIndex.valueOf(point.term(), point.index()));
    }

    // ---- proposals ----

    /** Only this node's own broker writes; another program that speaks Ratis' protocol is refused. */
    @Override
    public TransactionContext startTransaction(RaftClientRequest request) throws IOException {
        TransactionContext transaction = super.startTransaction(request);
        if (!(request.getMessage() instanceof Proposal)) {
            transaction.setException(new IOException("entries are proposed by brokers only"));
        }
        return transaction;
    }

    @Override
    public TransactionContext preAppendTransaction(TransactionContext transaction) {
        if (transaction.getClientRequest().getMessage() instanceof Proposal proposal) {
            proposal.written();
        }
        return transaction;
    }

    @Override
    public CompletableFuture<Message> applyTransaction(TransactionContext transaction) {
        LogEntryProto entry = transaction.getLogEntry();
        try {
            handover.hand(
                    entry.getTerm(),
                    entry.getIndex(),
                    entry.getStateMachineLogEntry().getLogData().asReadOnlyByteBuffer());
        } catch (InterruptedException e) {
            // Ratis' updater ends at this flag, and does not count the entry as applied.
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted before entry " + entry.getIndex(), e);
        }
        kept.passed(
                entry.getTerm(),
                entry.getIndex(),
                entry.getStateMachineLogEntry().getLogData().size());
        updateLastAppliedTermIndex(entry.getTerm(), entry.getIndex());
        return CompletableFuture.completedFuture(
                new Proposal.Committed(new RaftPoint(entry.getTerm(), entry.getIndex())));
    }

    /** The log is about to be synced; a failure here counts as one of the sync. */
    @Override
    public CompletableFuture<Void> flush(long index) {
        try {
            replica.beforeSync();
            return super.flush(index);
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    // ---- who leads ----

    @Override
    public void notifyConfigurationChanged(long term, long index, RaftConfigurationProto configuration) {
        configuredTerm = term;
        leadership.configured();
    }

    /** Called right after the configuration entry that begins the leader's term, so {@code configuredTerm} is that term. */
    @Override
    public void notifyLeaderReady() {
        leadership.won(configuredTerm);
    }

    @Override
    public void notifyNotLeader(Collection<TransactionContext> pending) {
        leadership.lost(currentTerm());
    }

    @Override
    public void notifyLeaderChanged(RaftGroupMemberId self, RaftPeerId leader) {
        if (!self.getPeerId().equals(leader)) {
            leadership.led(currentTerm(), leader);
        }
    }

    private long currentTerm() {
        try {
            return getServer().join().getDivision(getGroupId()).getInfo().getCurrentTerm();
        } catch (IOException e) {
            throw new IllegalStateException("the group " + getGroupId() + " is not in the server that started it", e);
        }
    }

    // ---- snapshots: the replica's files ----

    @Override
    public @Nullable SnapshotInfo getLatestSnapshot() {
        RaftPoint point = taken.get();
        return point.index() < 0 ? null : new FilesElsewhere(TermIndex.valueOf(point.term(), point.index()));
    }

    private record FilesElsewhere(TermIndex place) implements SnapshotInfo {
        @Override
        public TermIndex getTermIndex() {
            return place;
        }

        @Override
        public List<FileInfo> getFiles() {
            return List.of();
        }
    }

    @Override
    public long takeSnapshot() {
        RaftPoint durable = replica.durable();
        long applied = getLastAppliedTermIndex().getIndex();
        // Ahead of what is applied: an install has ended, and Ratis is about to hear of it.
        if (durable.index() > applied) {
            return RaftLog.INVALID_LOG_INDEX;
        }
        RaftPoint dispensable = kept.dispensable(durable);
        if (!taken.get().isBefore(dispensable)) {
            return RaftLog.INVALID_LOG_INDEX;
        }
        taken.set(dispensable);
        return dispensable.index();
    }

    @Override
    public CompletableFuture<TermIndex> notifyInstallSnapshotFromLeader(RoleInfoProto role, TermIndex firstAvailable) {
        Peer leader = Peers.of(
                ProtoUtils.toRaftPeer(role.getFollowerInfo().getLeaderInfo().getId()));
        return installation.begin(leader, firstAvailable.getIndex()).thenApply(point -> {
            if (point == null) {
                return null;
            }
            taken.set(point);
            return TermIndex.valueOf(point.term(), point.index());
        });
    }

    @Override
    public void pause() {
        getLifeCycle().transition(LifeCycle.State.PAUSING);
        getLifeCycle().transition(LifeCycle.State.PAUSED);
    }

    @Override
    public void reinitialize() {
        startAfter(taken.get());
        getLifeCycle().transition(LifeCycle.State.STARTING);
        getLifeCycle().transition(LifeCycle.State.RUNNING);
    }

    // ---- questions ----

    @Override
    public CompletableFuture<Message> queryStale(Message question, long minIndex) {
        return answers.answer(question);
    }

    @Override
    public CompletableFuture<Message> query(Message question) {
        return answers.answer(question);
    }

    // ---- the end ----

    @Override
    public void notifyLogFailed(Throwable cause, @Nullable LogEntryProto entry) {
        onStop.accept(false, cause);
    }

    @Override
    public void notifyServerShutdown(RoleInfoProto role, boolean allServer) {
        onStop.accept(true, null);
    }
}

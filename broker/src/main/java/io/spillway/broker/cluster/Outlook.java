package io.spillway.broker.cluster;

import io.spillway.broker.base.Published;
import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Peer;
import io.spillway.broker.replication.RaftNode;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What this node sees of its cluster, and what sessions and operators are told of that. Looked at by the cluster's thread;
 * what it found may be read by any.
 */
final class Outlook {
    private static final long ASK_MS = 1_000;
    /** For how long a node that heard of a leader says who that was, though it hears of none: an election is no news. */
    private static final long ELECTION_MS = 2_000;

    private final Standing standing;
    private final KnownMembers members;
    private final long readMaxLagMs;
    private final StalledCommit commit = new StalledCommit();
    private final OwnLag ownLag = new OwnLag();
    private final Progress progress = new Progress();
    /** What the leader said last of where the cluster is. */
    private final Published<Long> leaderCommit = new Published<>(ClusterStatus.UNKNOWN);

    private final Published<Boolean> asking = new Published<>(false);
    private final Published<String> behind = new Published<>("");
    private long askedMs;
    private long ledAtMs;
    private final Published<Boolean> isLeaderless = new Published<>(false);
    private final Published<ClusterView> view = new Published<>(ClusterView.JOINING);
    private final Published<Consumer<ClusterView>> listener = new Published<>(changed -> {});
    private final Published<Optional<ClusterStatus>> last = new Published<>(Optional.empty());
    private final Published<Integer> voters = new Published<>(1);
    private final Published<Boolean> stalled = new Published<>(false);
    private final Published<Boolean> follows = new Published<>(false);
    private final Published<byte[]> zoneLag = new Published<>(ZoneLags.NONE);

    Outlook(Standing standing, KnownMembers members, long readMaxLagMs) {
        this.standing = standing;
        this.members = members;
        this.readMaxLagMs = readMaxLagMs;
    }

    /** @param changed told of each new view, by the cluster's thread */
    void tell(Consumer<ClusterView> changed) {
        listener.set(changed);
    }

    /** Looks, some times a second. */
    ClusterStatus look(RaftNode running, long nowMs) {
        ClusterStatus status = running.status();
        last.set(Optional.of(status));
        if (status.leader() != null) {
            ledAtMs = nowMs;
        }
        isLeaderless.set(nowMs - ledAtMs > ELECTION_MS);
        stalled.set(commit.look(status));
        zoneLag.set(standing.serves.get() ? ZoneLags.ofAcks(status) : ZoneLags.NONE);
        long lagMs = ownLag.lookMs(status, running.leaderHeardMs(), standing.handed.get(), standing.taken.get(), nowMs);
        follows.set(lagMs <= readMaxLagMs);
        voters.set((int) status.nodes().stream()
                .filter(member -> member.role() == ClusterStatus.Role.VOTER)
                .count());
        askLeader(running, status, nowMs);
        long stoodMs = progress.lookMs(status.applied(), leaderCommit.get(), nowMs);
        behind.set(
                stoodMs == 0
                        ? ""
                        : "it is at entry " + status.applied() + " for " + stoodMs / 1_000
                                + " s, and the leader says that " + leaderCommit.get() + " were agreed on");
        List<Peer> nodes = status.nodes().stream().map(ClusterStatus.Node::peer).toList();
        if (voters.get() > 0 && nodes.stream().anyMatch(peer -> peer.id().equals(status.self()))) {
            members.learn(status.id(), nodes);
        }
        show(nodes);
        return status;
    }

    /** Once a second: what this node is sent tells only of what it takes. */
    private void askLeader(RaftNode running, ClusterStatus status, long nowMs) {
        if (status.isLeading() || status.leader() == null) {
            leaderCommit.set(ClusterStatus.UNKNOWN);
        } else if (!asking.get() && nowMs - askedMs >= ASK_MS) {
            askedMs = nowMs;
            CompletableFuture<ClusterStatus> answer = running.leaderStatus();
            asking.set(true);
            answer.whenComplete((seen, failure) -> {
                leaderCommit.set(failure == null ? seen.commit() : ClusterStatus.UNKNOWN);
                asking.set(false);
            });
        }
    }

    private void show(List<Peer> nodes) {
        boolean readable = follows.get() && standing.takesPart();
        ClusterView now = new ClusterView(
                standing.serves.get(),
                isLeaderless.get() && !standing.serves.get()
                        ? null
                        : standing.leader.get().orElse(null),
                nodes,
                voters.get(),
                readable,
                standing.stopped.get(),
                standing.stoppedNext.get());
        if (!now.equals(view.get())) {
            view.set(now);
            listener.get().accept(now);
        }
    }

    /** Where this node stands has changed. By the cluster's thread. */
    void show() {
        show(view.get().nodes());
    }

    ClusterView view() {
        return view.get();
    }

    /** The last there was; null before the first. */
    @Nullable
    ClusterStatus last() {
        return last.get().orElse(null);
    }

    /** Why this node is not whole although it hears the leader; empty when it is. */
    String behind() {
        return behind.get();
    }

    boolean isStalled() {
        return stalled.get();
    }

    byte[] zoneLag() {
        return zoneLag.get();
    }

    int voters() {
        return voters.get();
    }
}

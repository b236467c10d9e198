package io.spillway.broker.cluster;

import io.spillway.broker.base.Published;
import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Peer;
import io.spillway.broker.replication.RaftNode;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What this node sees of its cluster, and what sessions and operators are told of that. Looked at by the cluster's thread;
 * what it found may be read by any.
 */
final class Outlook {
    private final Standing standing;
    private final KnownMembers members;
    private final long readMaxLagMs;
    private final StalledCommit commit = new StalledCommit();
    private final OwnLag ownLag = new OwnLag();
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
        stalled.set(commit.look(status));
        zoneLag.set(standing.serves.get() ? ZoneLags.ofAcks(status) : ZoneLags.NONE);
        long lagMs = ownLag.lookMs(status, running.leaderHeardMs(), standing.handed.get(), standing.taken.get(), nowMs);
        follows.set(lagMs <= readMaxLagMs);
        voters.set((int) status.nodes().stream()
                .filter(member -> member.role() == ClusterStatus.Role.VOTER)
                .count());
        List<Peer> nodes = status.nodes().stream().map(ClusterStatus.Node::peer).toList();
        if (voters.get() > 0 && nodes.stream().anyMatch(peer -> peer.id().equals(status.self()))) {
            members.learn(nodes);
        }
        show(nodes);
        return status;
    }

    private void show(List<Peer> nodes) {
        boolean readable = follows.get() && standing.takesPart();
        ClusterView now = new ClusterView(
                standing.serves.get(),
                standing.leader.get().orElse(null),
                nodes,
                voters.get(),
                readable,
                standing.stopped.get());
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

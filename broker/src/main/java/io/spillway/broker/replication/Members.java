package io.spillway.broker.replication;

import io.spillway.broker.replication.ReplicationException.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.protocol.RaftPeer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Changes who is in the cluster, one change after the other: the leader carries them out, any other node passes them on.
 *
 * <p>{@link #change} and {@link #status} are thread-safe; everything else is confined to the control thread.
 */
final class Members {
    private static final Logger LOG = LoggerFactory.getLogger(Members.class);
    /** A listener this close to the end of the log, in entries, is ready to vote. */
    private static final int READY_LAG = 256;

    private final ReplicationConfig config;
    private final Group group;
    private final Reconfiguration reconfiguration;
    private final Questions questions;
    private final BiFunction<Deed, Supplier<CompletableFuture<Void>>, CompletableFuture<Void>> writtenDown;
    private final Executor control;
    private final VoterRule rule;
    /** Ids of nodes whose admission is under way. */
    private final Set<String> joining = new HashSet<>();

    private final CalledAddresses addresses = new CalledAddresses();
    private final Seating seating;
    private CompletableFuture<?> last = CompletableFuture.completedFuture(null);

    /** @param writtenDown does what an operator asked for, and writes down who did and what came of it */
    record Means(
            Reconfiguration reconfiguration,
            Questions questions,
            BiFunction<Deed, Supplier<CompletableFuture<Void>>, CompletableFuture<Void>> writtenDown) {}

    Members(ReplicationConfig config, Group group, Means means, Executor control) {
        this.config = config;
        this.group = group;
        reconfiguration = means.reconfiguration();
        questions = means.questions();
        writtenDown = means.writtenDown();
        this.control = control;
        rule = new VoterRule(config.maxVoters());
        seating = new Seating(questions, reconfiguration, control);
    }

    /** By this node, or by the leader it knows; ends when the change is in effect. */
    CompletableFuture<Void> request(Change change, Origin origin) {
        if (group.isLeading()) {
            return change(change, origin);
        }
        Peer leader = group.leader();
        if (leader == null || leader.id().equals(config.self().id())) {
            return CompletableFuture.failedFuture(notLeader());
        }
        return questions.ask(leader.clusterAddress(), change, origin);
    }

    ClusterStatus status() {
        return group.status();
    }

    /** The leader's: it knows how far the others are. */
    CompletableFuture<ClusterStatus> leaderStatus() {
        if (group.isLeading()) {
            return CompletableFuture.completedFuture(group.status());
        }
        Peer leader = group.leader();
        if (leader == null || leader.id().equals(config.self().id())) {
            return CompletableFuture.failedFuture(notLeader());
        }
        return questions.askStatus(leader.clusterAddress());
    }

    /** By this node, which must lead. */
    CompletableFuture<Void> change(Change change, Origin origin) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        control.execute(() -> {
            if (!group.isLeading()) {
                done.completeExceptionally(notLeader());
            } else if (change instanceof Change.Add add) {
                try {
                    addresses.learn(all());
                    addresses.require(add.peer());
                    add(add, origin, done);
                } catch (ReplicationException e) {
                    done.completeExceptionally(e);
                }
            } else if (change instanceof Change.Forget forget && seating.isOf(forget.id())) {
                // What it was sent is lost with the rest, and the leader would go on from there.
                seating.giveUp("it lost its directory meanwhile");
                done.completeExceptionally(new ReplicationException(
                        Kind.REFUSED, "the node " + forget.id() + " is being admitted; that is given up, ask again"));
            } else {
                enqueue(change, origin, done);
            }
        });
        return done;
    }

    private ReplicationException notLeader() {
        return new ReplicationException(
                Kind.NOT_LEADER, config.self().id() + " does not lead the cluster", group.leader(), null);
    }

    private void add(Change.Add add, Origin origin, CompletableFuture<Void> done) {
        String id = add.peer().id();
        if (!add.isWaited()) {
            // The node asks again and again until it has heard from the leader.
            done.complete(null);
            if (!joining.add(id)) {
                return;
            }
            CompletableFuture<Void> joined = new CompletableFuture<>();
            joined.whenCompleteAsync(
                    (ignored, failure) -> {
                        joining.remove(id);
                        if (failure != null) {
                            LOG.warn(
                                    "event=node_not_admitted id={} why=\"{}\" next=\"none; the node asks again\"",
                                    id,
                                    failure.toString());
                        }
                    },
                    control);
            enqueue(add, origin, joined);
            return;
        }
        enqueue(add, origin, done);
    }

    private void enqueue(Change change, Origin origin, CompletableFuture<Void> done) {
        last = last.handle((ignored, failure) -> null)
                .thenComposeAsync(ignored -> apply(change, origin), control)
                .handle((ignored, failure) -> {
                    if (failure == null) {
                        done.complete(null);
                    } else {
                        done.completeExceptionally(failure.getCause() == null ? failure : failure.getCause());
                    }
                    return null;
                });
    }

    private CompletableFuture<Void> apply(Change change, Origin origin) {
        if (!origin.isOperator() || !group.isLeading()) {
            return apply(change);
        }
        // Writing it down ends on another thread.
        return writtenDown.apply(
                deed(change, origin),
                () -> CompletableFuture.completedFuture(change).thenComposeAsync(this::apply, control));
    }

    private Deed deed(Change change, Origin origin) {
        if (change instanceof Change.Add add) {
            return deed("add", add.peer().id(), origin, told(find(add.peer().id())), told(add.peer()));
        } else if (change instanceof Change.Promote promote) {
            return deed("promote", promote.id(), origin, role(promote.id()), "voter");
        } else if (change instanceof Change.Transfer transfer) {
            return deed("transfer", transfer.id(), origin, config.self().id(), transfer.id());
        }
        String id = change instanceof Change.Remove remove ? remove.id() : ((Change.Forget) change).id();
        return deed("remove", id, origin, role(id), "none");
    }

    private static Deed deed(String operation, String node, Origin origin, String from, String to) {
        return new Deed(origin, operation, node, from, to);
    }

    private static String told(@Nullable Peer peer) {
        return peer == null
                ? "none"
                : "zone " + peer.zone() + ", nodes " + peer.clusterAddress() + ", clients " + peer.clientAddress();
    }

    private String role(String id) {
        return isIn(group.voters(), id) ? "voter" : isIn(group.listeners(), id) ? "listener" : "none";
    }

    private CompletableFuture<Void> apply(Change change) {
        try {
            if (!group.isLeading()) {
                throw notLeader();
            }
            LOG.info("cluster_change {}", change);
            if (change instanceof Change.Add add) {
                return admit(add);
            } else if (change instanceof Change.Remove remove) {
                return remove(remove.id());
            } else if (change instanceof Change.Promote promote) {
                return promote(promote.id());
            } else if (change instanceof Change.Transfer transfer) {
                return transfer(transfer);
            } else if (change instanceof Change.Forget forget) {
                return find(forget.id()) == null ? CompletableFuture.completedFuture(null) : remove(forget.id());
            }
            throw new IllegalStateException("unknown change " + change);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /**
     * A node that lost its directory is taken out first: as a voter, it would count for what it held
     * before, and as either, the leader would not send it what it once had.
     */
    private CompletableFuture<Void> admit(Change.Add add) {
        Peer peer = add.peer();
        if (peer.id().equals(config.self().id())) {
            throw new ReplicationException(Kind.REFUSED, "the node id " + peer.id() + " is the leader's own");
        }
        Peer known = find(peer.id());
        if (known == null) {
            return seat(peer);
        }
        if (add.isNew()) {
            return remove(peer.id()).thenComposeAsync(removed -> seat(peer), control);
        }
        return known.equals(peer) ? CompletableFuture.completedFuture(null) : rename(peer);
    }

    private @Nullable Peer find(String id) {
        return all().stream()
                .filter(peer -> peer.getId().toString().equals(id))
                .map(Peers::of)
                .findFirst()
                .orElse(null);
    }

    private List<RaftPeer> all() {
        List<RaftPeer> all = new ArrayList<>(group.voters());
        all.addAll(group.listeners());
        return all;
    }

    /** As a voter if the rule has a seat for it. Either way Ratis first brings it close to the end of the log. */
    private CompletableFuture<Void> seat(Peer peer) {
        return seating.seat(peer, () -> configured(peer));
    }

    private CompletableFuture<Void> configured(Peer peer) {
        List<Peer> voters = group.voters().stream().map(Peers::of).toList();
        return rule.next(voters, List.of(peer)).isPresent()
                ? reconfiguration.set(
                        with(group.voters(), Peers.toRaft(peer, RaftPeerRole.FOLLOWER, priority())), group.listeners())
                : reconfiguration.set(
                        group.voters(), with(group.listeners(), Peers.toRaft(peer, RaftPeerRole.LISTENER, priority())));
    }

    /** Ratis sees no change in addresses; all priorities together are one, and change nothing as long as they are equal. */
    private CompletableFuture<Void> rename(Peer peer) {
        int priority = priority() == 0 ? 1 : 0;
        return reconfiguration.set(
                renamed(group.voters(), peer, RaftPeerRole.FOLLOWER, priority),
                renamed(group.listeners(), peer, RaftPeerRole.LISTENER, priority));
    }

    private static List<RaftPeer> renamed(List<RaftPeer> peers, Peer to, RaftPeerRole role, int priority) {
        return peers.stream()
                .map(Peers::of)
                .map(peer -> Peers.toRaft(peer.id().equals(to.id()) ? to : peer, role, priority))
                .toList();
    }

    /** All voters' alike, but for a moment in a transfer. */
    private int priority() {
        return group.voters().stream().mapToInt(RaftPeer::getPriority).max().orElse(0);
    }

    private CompletableFuture<Void> remove(String id) {
        if (id.equals(config.self().id())) {
            throw new ReplicationException(
                    Kind.REFUSED, "the node " + id + " leads; transfer the leadership to another one first");
        }
        existing(id);
        Predicate<RaftPeer> stays = peer -> !peer.getId().toString().equals(id);
        List<RaftPeer> voters = group.voters().stream().filter(stays).toList();
        if (voters.size() < group.voters().size()) {
            new Quorum(group.status().nodes()).require(voters);
        }
        return reconfiguration.set(
                voters, group.listeners().stream().filter(stays).toList());
    }

    private Peer existing(String id) {
        Peer peer = find(id);
        if (peer == null) {
            throw new ReplicationException(Kind.REFUSED, "there is no node " + id + " in the cluster");
        }
        return peer;
    }

    private CompletableFuture<Void> promote(String id) {
        Peer peer = existing(id);
        if (isIn(group.voters(), id)) {
            return CompletableFuture.completedFuture(null);
        }
        List<RaftPeer> voters = with(group.voters(), Peers.toRaft(peer, RaftPeerRole.FOLLOWER, priority()));
        new Quorum(group.status().nodes()).require(voters);
        return reconfiguration.set(
                voters,
                group.listeners().stream()
                        .filter(listener -> !listener.getId().toString().equals(id))
                        .toList());
    }

    private static boolean isIn(List<RaftPeer> peers, String id) {
        return peers.stream().anyMatch(peer -> peer.getId().toString().equals(id));
    }

    private static List<RaftPeer> with(List<RaftPeer> peers, RaftPeer another) {
        List<RaftPeer> more = new ArrayList<>(peers);
        more.add(another);
        return more;
    }

    /** Ratis hands over to the voter of the highest priority only. */
    private CompletableFuture<Void> transfer(Change.Transfer transfer) {
        String id = transfer.id();
        existing(id);
        if (!isIn(group.voters(), id)) {
            throw new ReplicationException(Kind.REFUSED, "the node " + id + " only listens; promote it first");
        }
        if (id.equals(config.self().id())) {
            return CompletableFuture.completedFuture(null);
        }
        int priority = priority();
        List<RaftPeer> voters = group.voters().stream()
                .map(voter -> Peers.toRaft(
                        Peers.of(voter),
                        RaftPeerRole.FOLLOWER,
                        voter.getId().toString().equals(id) ? priority + 1 : priority))
                .toList();
        return reconfiguration
                .set(voters, group.listeners())
                .thenComposeAsync(set -> reconfiguration.transfer(id, transfer.timeoutMs()), control);
    }

    /** What a leader does on its own: lets ready listeners vote by the rule, and levels priorities after a transfer. */
    void tend() {
        addresses.learn(all());
        seating.tend();
        if (!group.isLeading() || !last.isDone() || !joining.isEmpty()) {
            return;
        }
        int priority = priority();
        if (group.voters().stream().anyMatch(voter -> voter.getPriority() != priority)) {
            if (isHighest(priority)) {
                level(priority);
            }
            return;
        }
        List<Peer> ready = group.status().nodes().stream()
                .filter(node -> node.role() == ClusterStatus.Role.LISTENER
                        && node.lagEntries() != ClusterStatus.UNKNOWN
                        && node.lagEntries() <= READY_LAG
                        && node.lastContactMs() >= 0
                        && node.lastContactMs() < config.electionMaxMs())
                .map(ClusterStatus.Node::peer)
                .toList();
        rule.next(group.voters().stream().map(Peers::of).toList(), ready)
                .ifPresent(peer ->
                        enqueue(new Change.Promote(peer.id()), Origin.BROKER, logged(new CompletableFuture<>())));
    }

    private boolean isHighest(int priority) {
        return group.voters().stream()
                .anyMatch(voter ->
                        voter.getId().toString().equals(config.self().id()) && voter.getPriority() == priority);
    }

    private void level(int priority) {
        List<RaftPeer> voters = group.voters().stream()
                .map(voter -> Peers.toRaft(Peers.of(voter), RaftPeerRole.FOLLOWER, priority))
                .toList();
        last = logged(reconfiguration.set(voters, group.listeners())).handle((ignored, failure) -> null);
    }

    private static CompletableFuture<Void> logged(CompletableFuture<Void> change) {
        return change.whenComplete((ignored, failure) -> {
            if (failure != null) {
                LOG.warn("event=cluster_change_failed why=\"{}\" next=\"spillway cluster status\"", failure.toString());
            }
        });
    }
}

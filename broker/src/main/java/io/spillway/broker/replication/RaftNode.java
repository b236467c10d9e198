package io.spillway.broker.replication;

import io.spillway.broker.base.Published;
import io.spillway.broker.replication.ReplicationException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.RaftClientAsynchronousProtocol;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage.StartupOption;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's part in the cluster: one Raft group, one leader for everything.
 *
 * <p>{@link #propose} is for one thread; everything else is thread-safe. The thread {@code spillway-raft-<id>} owns what
 * changes seldom: who leads, who is a member, an install. Ratis' own threads do the rest.
 */
public final class RaftNode implements AutoCloseable {
    /** The largest entry. */
    public static final int MAX_ENTRY_BYTES = 3 << 20;
    /** The largest answer to {@link #ask}. */
    public static final int MAX_ANSWER_BYTES = 8 << 20;

    private static final Logger LOG = LoggerFactory.getLogger(RaftNode.class);
    private static final String RESTART = "see its log, correct that, and restart it";
    private static final String IF_REMOVED =
            "stop its process; to take it in again, delete its data directory and start it with "
                    + "--seed, or start it and call spillway cluster add-node at another node";
    private static final int TEND_MS = 200;
    /** For how long a member must be out of the configuration to believe it; a removal under way may yet fail. */
    private static final int OUTSIDE_TICKS = 10;
    /** A leader speaks several times a second to every member. */
    private static final int SILENT_MS = 1_000;
    /** A node that is taken out is closed, too, and hears so a moment later. */
    private static final int ENDED_TICKS = 5;

    /** A node that forms a cluster does not lead it before nodes that know it from before had the time to call. */
    private static final int QUIET_MS = 1_000;

    private static final int CLOSE_TIMEOUT_MS = 5_000;

    private final ReplicationConfig config;
    private final Replica replica;
    private final RaftGroupId groupId;
    private final Control control;
    private final Handover handover;
    private final Installation installation;
    private final RaftServer server;
    private final Group group;
    private final Questions questions;
    private final Reconfiguration reconfiguration;
    private final Members members;
    private final Admission admission;
    private final StuckStart stuckStart;
    private final StuckListener stuckListener;
    private final RaftClientAsynchronousProtocol log;
    private final ClientId client = ClientId.randomId();
    private final Published<Boolean> isClosed = new Published<>(false);
    private final Published<Optional<Group>> opened = new Published<>(Optional.empty());
    /** Confined to the thread that proposes. */
    private long nextCall;
    /** Confined to the control thread. */
    private int ticksOutside;

    private int ticksEnded;
    /** Confined to the control thread. */
    private final Set<String> strangers = new HashSet<>();

    private RaftNode(ReplicationConfig config, Founding founding, Replica replica) throws IOException {
        this.config = config;
        this.replica = replica;
        groupId = founding.cluster().group();
        control = new Control(
                "spillway-raft-" + config.self().id(),
                failure -> stop("the replica could not follow", RESTART, failure));
        handover = new Handover(
                replica, config.maxPendingBytes(), failure -> stop("an entry was not applied", RESTART, failure));
        Leadership leadership = new Leadership(replica, control, founding.isNew() ? QUIET_MS : 0);
        Answers answers = new Answers(replica);
        installation = new Installation(replica, handover, control, this::leader);
        RaftProperties properties = RaftSettings.properties(config);
        Parameters parameters = RaftSettings.parameters(config);
        ForeignCalls foreign = new ForeignCalls(
                founding.cluster(), config.cluster(), (node, of) -> control.execute(() -> calledAsMemberOf(of, node)));
        GrpcConfigKeys.Server.setServicesCustomizer(parameters, new CutCalls(replica::isCutFrom).before(foreign));
        server = RaftServer.newBuilder()
                .setServerId(RaftPeerId.valueOf(config.self().id()))
                .setGroup(firstGroup())
                .setOption(startup())
                .setProperties(properties)
                .setParameters(parameters)
                .setStateMachine(new ReplicaStateMachine(new ReplicaStateMachine.Wiring(
                        replica, handover, leadership, installation, answers, config.preservedBytes(), this::stopped)))
                .build();
        group = new Group(config, server, groupId);
        // The server's own method goes through a pool of threads, and waits there; the group's is called straight.
        log = (RaftClientAsynchronousProtocol) group.division();
        questions = new Questions(groupId, properties, parameters);
        reconfiguration = new Reconfiguration(server, groupId);
        members = new Members(config, group, new Members.Means(reconfiguration, questions, replica::perform), control);
        admission = new Admission(config, group, questions, control);
        stuckStart = new StuckStart(group, groupId);
        stuckListener = new StuckListener(group);
        opened.set(Optional.of(group));
        answers.open(members);
        leadership.open(group);
    }

    /**
     * The configuration of a node that has none in its directory: alone and voting, which forms a cluster, or alone and
     * listening, which waits for a leader to call.
     */
    private RaftGroup firstGroup() {
        RaftPeerRole role = config.otherSeeds().isEmpty() ? RaftPeerRole.FOLLOWER : RaftPeerRole.LISTENER;
        return RaftGroup.valueOf(groupId, Set.of(Peers.toRaft(config.self(), role, 0)));
    }

    /**
     * Which cluster it is.
     *
     * @param isNew this node forms it now
     */
    private record Founding(ClusterId cluster, boolean isNew) {
        static Founding of(ReplicationConfig config, Optional<ClusterId> learnt) throws IOException {
            Optional<ClusterId> kept = RaftDirectory.id(config.dir(), config.cluster());
            if (kept.isPresent() || learnt.isPresent()) {
                return new Founding(kept.or(() -> learnt).get(), false);
            }
            if (!config.otherSeeds().isEmpty()) {
                throw new IOException("which cluster to join is not known: no seed has told");
            }
            ClusterId drawn = ClusterId.drawn(config.cluster());
            LOG.info("event=cluster_formed name={} id={}", config.cluster(), drawn);
            return new Founding(drawn, true);
        }
    }

    /**
     * Nodes of another cluster of this name know this one as theirs. While it is alone in its own, it was formed by mistake:
     * it must not go on beside the other. With others in it, it is the other cluster's address that is wrong.
     */
    private void calledAsMemberOf(ClusterId other, String node) {
        if (isClosed.get()) {
            return;
        }
        if (group.voters().size() + group.listeners().size() > 1) {
            if (!strangers.add(node)) {
                return;
            }
            LOG.warn(
                    "event=called_by_another_cluster node={} of={} own={} why=\"it has our address\" next=\"remove this node there, or correct its address\"",
                    node,
                    other,
                    ClusterId.of(groupId));
            return;
        }
        stop(
                "node " + node + " of the cluster " + config.cluster() + " with the id " + other
                        + " knows this node as a member, and this node formed a cluster of its own, with the id "
                        + ClusterId.of(groupId) + ": its directory was lost, or it was started without seeds",
                "stop it, move its data directory away, and start it with --seed and the cluster address of " + node,
                null);
    }

    private StartupOption startup() {
        return Files.exists(config.dir().resolve(groupId.getUuid().toString()))
                ? StartupOption.RECOVER
                : StartupOption.FORMAT;
    }

    private @Nullable Peer leader() {
        Optional<Group> now = opened.get();
        return now.isPresent() ? now.get().leader() : null;
    }

    /**
     * Starts the node from its directory; an empty one forms a cluster or asks the seeds for admission, for as long as
     * it takes, in the background.
     *
     * @param learnt the id of the cluster, of an {@link Outsider}; counts when the directory is empty, and must be given then when
     *     there are seeds
     * @throws IOException if the directory or the address cannot be used
     */
    public static RaftNode start(ReplicationConfig config, Optional<ClusterId> learnt, Replica replica)
            throws IOException {
        Files.createDirectories(config.dir());
        RaftDirectory.removeSurpassed(config.dir(), config.cluster(), replica.durable());
        RaftNode node = new RaftNode(config, Founding.of(config, learnt), replica);
        try {
            node.server.start();
            ListenerTimer.end(node.group.division());
            node.control.scheduleWithFixedDelay(node::tend, 0, TEND_MS, TimeUnit.MILLISECONDS);
        } catch (IOException | RuntimeException e) {
            node.close();
            throw e;
        }
        return node;
    }

    private void tend() {
        if (hasEnded()) {
            return;
        }
        try {
            stuckStart.tend();
            stuckListener.tend();
            admission.tend();
            members.tend();
            if (!admission.joined().isDone() || group.isMember() || hearsLeader()) {
                ticksOutside = 0;
            } else if (++ticksOutside == OUTSIDE_TICKS) {
                stop("it was taken out of the cluster", IF_REMOVED, null);
            }
        } catch (RuntimeException e) {
            if (!isClosed()) {
                LOG.warn("event=cluster_tend_failed next=\"none; it is tried again\"", e);
            }
        }
    }

    /** When a sync of its log fails Ratis closes the node's part in the cluster, and tells nobody. */
    private boolean hasEnded() {
        boolean isOver = !isClosed.get()
                && group.division().getInfo().getLifeCycleState().isClosingOrClosed();
        ticksEnded = isOver ? ticksEnded + 1 : 0;
        if (ticksEnded == ENDED_TICKS) {
            stopped(false, null);
        }
        return isOver;
    }

    /** Nobody speaks to a node that was taken out; one that came back may have to pass configurations of before that. */
    private boolean hearsLeader() {
        long heardMs = group.leaderHeardMs();
        return heardMs != ClusterStatus.UNKNOWN && heardMs < SILENT_MS;
    }

    /** Ends when this node is a member of a cluster: at once for one that forms it or was a member before. */
    public CompletableFuture<Void> joined() {
        return admission.joined();
    }

    /**
     * Writes an entry into the agreed log, if this node leads. Entries of one caller stand there in the order of the
     * calls, also when the futures end otherwise: the call itself appends to this node's log, under Ratis' lock and on the
     * caller's thread, before it returns.
     *
     * @param entry belongs to the log from now on: nobody may write into its bytes again
     * @return the entry's place, when it is committed and handed to {@link Replica#apply}; ended by the thread that hands
     *     entries over, so what depends on it must be short. Fails with a {@link ReplicationException}
     */
    public CompletableFuture<RaftPoint> propose(ByteBuffer entry) {
        if (isClosed.get()) {
            return CompletableFuture.failedFuture(new ReplicationException(Kind.CLOSED, "this node is closed"));
        }
        if (entry.remaining() > MAX_ENTRY_BYTES) {
            return CompletableFuture.failedFuture(new ReplicationException(
                    Kind.TOO_LARGE, "an entry of " + entry.remaining() + " bytes; " + MAX_ENTRY_BYTES + " fit"));
        }
        Proposal proposal = new Proposal(entry);
        RaftClientRequest request = RaftClientRequest.newBuilder()
                .setClientId(client)
                .setServerId(server.getId())
                .setGroupId(groupId)
                .setCallId(nextCall++)
                .setMessage(proposal)
                .setType(RaftClientRequest.writeRequestType())
                .build();
        CompletableFuture<RaftClientReply> reply;
        try {
            reply = log.submitClientRequestAsync(request);
        } catch (IOException | RuntimeException e) {
            reply = CompletableFuture.failedFuture(e);
        }
        return reply.handle((done, failure) -> {
            if (failure == null && done.isSuccess()) {
                return ((Proposal.Committed) done.getMessage()).point();
            }
            throw Failures.ofProposal(failure != null ? failure : done.getException(), proposal.isWritten());
        });
    }

    /** Asks a node, of any role; it answers by {@link Replica#answer}. Fails with a {@link ReplicationException}. */
    public CompletableFuture<ByteBuffer> ask(Peer node, ByteBuffer question) {
        return questions.ask(node.clusterAddress(), question);
    }

    /** {@link Replica#durable} has moved: what the files hold may leave the log. Does not wait for it. */
    public void snapshotTaken() {
        reconfiguration.snapshot().whenComplete((done, failure) -> {
            if (failure != null && !isClosed.get()) {
                LOG.warn("event=log_not_purged why=\"{}\" next=\"none; it is tried again\"", failure.toString());
            }
        });
    }

    /**
     * Has {@link Replica#install} replace the files of a node that does not lead, because they are damaged; again until it
     * has. It votes and confirms meanwhile: its part of the log is sound.
     */
    public CompletableFuture<?> refetch() {
        return installation.refetch();
    }

    public ClusterStatus status() {
        return group.status();
    }

    /** It was closed, or stopped by itself: it has no figures any more. */
    public boolean isClosed() {
        return isClosed.get() || group.division().getInfo().getLifeCycleState().isClosingOrClosed();
    }

    /**
     * Its vote is needed, and it cannot give it before it is closed and started again, from what is in its directory. The
     * replica may be ahead of what it says is durable then, and is handed what it has once more.
     */
    public boolean mustStartAgain() {
        return stuckListener.isStuck();
    }

    /** Since this node last heard of a leader; 0 when it is that itself, {@link ClusterStatus#UNKNOWN} while there is none. */
    public long leaderHeardMs() {
        return group.leaderHeardMs();
    }

    /** The cluster as its leader sees it, who is asked. Fails with a {@link ReplicationException}. */
    public CompletableFuture<ClusterStatus> leaderStatus() {
        return members.leaderStatus();
    }

    /** Admits a node that waits for it, or makes its new addresses and zone known; it votes if its zone has no voter. Any node. */
    public CompletableFuture<Void> addNode(Peer peer, Origin origin) {
        return members.request(new Change.Add(peer, false, true), origin);
    }

    /**
     * Takes a node out of the cluster, which then stops; the leader cannot be taken out. Started again with seeds, it asks
     * for admission. Any node.
     */
    public CompletableFuture<Void> removeNode(String id, Origin origin) {
        return members.request(new Change.Remove(id), origin);
    }

    /** Lets a listener vote, whatever the rule says. Any node. */
    public CompletableFuture<Void> promote(String id, Origin origin) {
        return members.request(new Change.Promote(id), origin);
    }

    /** Hands the leadership to a voter that has all. Any node. */
    public CompletableFuture<Void> transferLeadership(String id, int timeoutMs, Origin origin) {
        return members.request(new Change.Transfer(id, timeoutMs), origin);
    }

    /** Ends this node's leadership, if there is one, whoever is elected then. Does not wait for it. */
    public void stepDown() {
        reconfiguration.stepDown().whenComplete((done, failure) -> {
            if (failure != null && !isClosed.get()) {
                LOG.info("not_stepped_down cause={}", failure.toString());
            }
        });
    }

    private void stopped(boolean isShutdown, @Nullable Throwable cause) {
        if (isShutdown) {
            stop(
                    "it was taken out of the cluster while it was away, or an error ended it (see its log)",
                    "see spillway cluster status at another node: if this one is in it, restart it; else " + IF_REMOVED,
                    cause);
        } else {
            stop("its log cannot be written", RESTART, cause);
        }
    }

    /** Ratis gave up, or the replica did. */
    private void stop(String why, String next, @Nullable Throwable cause) {
        if (isClosed.get()) {
            return;
        }
        isClosed.set(true);
        handover.close();
        LOG.error(
                "replication_stopped node={} why=\"{}\" next=\"{}\"",
                config.self().id(),
                why,
                next,
                cause);
        control.execute(() -> {
            closeServer();
            replica.stopped(why, next, cause);
        });
    }

    /** Ends at once what waits; entries committed but not handed over come again after a restart. */
    @Override
    public void close() {
        isClosed.set(true);
        handover.close();
        control.shutdown();
        closeServer();
        try {
            questions.close();
        } catch (IOException e) {
            LOG.warn(
                    "event=replication_close_failed node={} next=\"none\"",
                    config.self().id(),
                    e);
        }
        try {
            if (!control.awaitTermination(CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS)) {
                LOG.warn(
                        "event=replication_close_timed_out node={} why=\"a thread did not end in {} ms\" next=\"none\"",
                        config.self().id(),
                        CLOSE_TIMEOUT_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void closeServer() {
        try {
            server.close();
        } catch (IOException e) {
            LOG.warn(
                    "event=replication_close_failed node={} next=\"none\"",
                    config.self().id(),
                    e);
        }
    }
}

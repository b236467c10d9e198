package io.spillway.broker.replication;

import io.spillway.broker.base.Clock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.proto.RaftProtos.CommitInfoProto;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.proto.RaftProtos.RoleInfoProto;
import org.apache.ratis.proto.RaftProtos.ServerRpcProto;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftConfiguration;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.jspecify.annotations.Nullable;

/** What this node knows of its cluster, read from Ratis. Thread-safe. */
final class Group {
    private final String cluster;
    private final String id;
    private final Peer self;
    private final RaftServer.Division division;
    private final CommitTimes times = new CommitTimes();

    Group(ReplicationConfig config, RaftServer server, RaftGroupId id) {
        cluster = config.cluster();
        self = config.self();
        this.id = id.getUuid().toString();
        try {
            division = server.getDivision(id);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    RaftServer.Division division() {
        return division;
    }

    boolean isLeading() {
        return division.getInfo().isLeaderReady();
    }

    long term() {
        return division.getInfo().getCurrentTerm();
    }

    /** Null = none known, or not yet a member of the configuration this node has. */
    @Nullable
    Peer leader() {
        RaftPeerId id = division.getInfo().getLeaderId();
        return id == null ? null : find(id);
    }

    @Nullable
    Peer find(RaftPeerId id) {
        RaftPeer peer = division.getRaftConf().getPeer(id, RaftPeerRole.FOLLOWER, RaftPeerRole.LISTENER);
        return peer == null ? null : Peers.of(peer);
    }

    List<RaftPeer> voters() {
        return List.copyOf(division.getRaftConf().getCurrentPeers(RaftPeerRole.FOLLOWER));
    }

    List<RaftPeer> listeners() {
        return List.copyOf(division.getRaftConf().getCurrentPeers(RaftPeerRole.LISTENER));
    }

    /** A configuration that somebody votes in, and that this node is in. A node that waits for admission has none. */
    boolean isMember() {
        RaftConfiguration now = division.getRaftConf();
        return !now.getCurrentPeers(RaftPeerRole.FOLLOWER).isEmpty() && find(RaftPeerId.valueOf(self.id())) != null;
    }

    /** What this node does, whatever the configuration says of it. */
    boolean isListening() {
        return division.getInfo().isListener();
    }

    /** The newest configuration counts its vote. */
    boolean isVoter() {
        return voters().stream().anyMatch(peer -> peer.getId().toString().equals(self.id()));
    }

    boolean isLogEmpty() {
        return division.getRaftLog().getLastEntryTermIndex() == null;
    }

    ClusterStatus status() {
        Map<String, Long> commits = new HashMap<>();
        for (CommitInfoProto info : division.getCommitInfos()) {
            commits.put(info.getServer().getId().toStringUtf8(), info.getCommitIndex());
        }
        Map<String, Long> contacts = new HashMap<>();
        boolean isLeading = division.getInfo().isLeader();
        if (isLeading) {
            for (ServerRpcProto follower :
                    division.getInfo().getRoleInfoProto().getLeaderInfo().getFollowerInfoList()) {
                contacts.put(follower.getId().getId().toStringUtf8(), follower.getLastRpcElapsedTimeMs());
            }
            contacts.put(self.id(), 0L);
        }
        long commit = division.getRaftLog().getLastCommittedIndex();
        long nowMs = TimeUnit.NANOSECONDS.toMillis(Clock.SYSTEM.nanoTime());
        times.note(commit, nowMs);
        long applied = division.getInfo().getLastAppliedIndex();
        TermIndex last = division.getRaftLog().getLastEntryTermIndex();
        Peer leader = leader();
        List<ClusterStatus.Node> nodes = new ArrayList<>();
        for (RaftPeerRole role : List.of(RaftPeerRole.FOLLOWER, RaftPeerRole.LISTENER)) {
            for (RaftPeer raft : division.getRaftConf().getCurrentPeers(role)) {
                Peer peer = Peers.of(raft);
                long held = commits.getOrDefault(peer.id(), ClusterStatus.UNKNOWN);
                nodes.add(new ClusterStatus.Node(
                        peer,
                        role == RaftPeerRole.LISTENER ? ClusterStatus.Role.LISTENER : ClusterStatus.Role.VOTER,
                        leader != null && leader.id().equals(peer.id()),
                        held,
                        held == ClusterStatus.UNKNOWN ? held : Math.max(0, commit - held),
                        lagMs(peer, isLeading, held, applied, nowMs),
                        contacts.getOrDefault(peer.id(), ClusterStatus.UNKNOWN)));
            }
        }
        nodes.sort(Comparator.comparing(node -> node.peer().id()));
        return new ClusterStatus(
                cluster,
                id,
                self.id(),
                term(),
                last == null ? commit : Math.max(commit, last.getIndex()),
                commit,
                applied,
                leader,
                nodes);
    }

    private long lagMs(Peer peer, boolean isLeading, long held, long applied, long nowMs) {
        boolean isSelf = peer.id().equals(self.id());
        if (isSelf) {
            return isLeading ? 0 : times.lagMs(applied, nowMs);
        }
        return isLeading ? times.lagMs(held, nowMs) : ClusterStatus.UNKNOWN;
    }

    /** Since this node last heard of a leader; 0 when it is that itself, {@link ClusterStatus#UNKNOWN} while there is none. */
    long leaderHeardMs() {
        RoleInfoProto role = division.getInfo().getRoleInfoProto();
        if (role.hasLeaderInfo()) {
            return 0;
        }
        return role.hasFollowerInfo() && leader() != null
                ? role.getFollowerInfo().getLeaderInfo().getLastRpcElapsedTimeMs()
                : ClusterStatus.UNKNOWN;
    }
}

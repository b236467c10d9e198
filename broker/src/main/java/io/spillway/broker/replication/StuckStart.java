package io.spillway.broker.replication;

import java.io.IOException;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.RaftServerAsynchronousProtocol;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.util.LifeCycle;
import org.apache.ratis.util.ProtoUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a node out of a start that Ratis 3.3.0 does not end by itself. Confined to the control thread.
 *
 * <p>A node whose log ends with the joint configuration that makes it a voter (old without it, new with it) starts in a
 * state in which it answers no vote until a leader has called. When the cluster cannot elect one without this vote, as when
 * one node became two, neither comes to be. A heartbeat ends the state; so this node sends itself one, without entries, of
 * its own term and at the end of its own log, after no leader has for a while. It commits nothing and changes nothing but
 * the state; should a leader of that term exist after all, the worst is another election.
 */
final class StuckStart {
    private static final Logger LOG = LoggerFactory.getLogger(StuckStart.class);
    private static final int PATIENCE_TICKS = 10;

    private final Group group;
    private final RaftServer.Division division;
    private final RaftGroupId groupId;
    private int ticks;

    StuckStart(Group group, RaftGroupId groupId) {
        this.group = group;
        division = group.division();
        this.groupId = groupId;
    }

    /** Called every now and then. */
    void tend() {
        boolean isStarting = division.getInfo().getLifeCycleState() == LifeCycle.State.STARTING;
        TermIndex last = division.getRaftLog().getLastEntryTermIndex();
        if (!isStarting || last == null || !group.isVoter()) {
            ticks = 0;
        } else if (++ticks >= PATIENCE_TICKS) {
            ticks = 0;
            wake(last);
        }
    }

    private void wake(TermIndex last) {
        RaftPeerId leader = division.getInfo().getLeaderId();
        if (leader == null) {
            leader = division.getRaftConf().getCurrentPeers(RaftPeerRole.FOLLOWER).stream()
                    .map(RaftPeer::getId)
                    .filter(id -> !id.equals(division.getId()))
                    .findFirst()
                    .orElse(division.getId());
        }
        LOG.warn(
                "event=raft_start_stuck node={} last={} leader={} why=\"it waits for a heartbeat\" next=\"none; it sends itself one\"",
                division.getId(),
                last,
                leader);
        AppendEntriesRequestProto heartbeat = AppendEntriesRequestProto.newBuilder()
                .setServerRequest(RaftRpcRequestProto.newBuilder()
                        .setRequestorId(leader.toByteString())
                        .setReplyId(division.getId().toByteString())
                        .setRaftGroupId(ProtoUtils.toRaftGroupIdProtoBuilder(groupId)))
                .setLeaderTerm(division.getInfo().getCurrentTerm())
                .setPreviousLog(last.toProto())
                .setLeaderCommit(division.getRaftLog().getLastCommittedIndex())
                .setInitializing(false)
                .build();
        try {
            ((RaftServerAsynchronousProtocol) division)
                    .appendEntriesAsync(heartbeat)
                    .whenComplete((reply, failure) -> {
                        if (failure != null) {
                            LOG.warn(
                                    "event=raft_start_still_stuck why=\"{}\" next=\"restart the node\"",
                                    failure.toString());
                        }
                    });
        } catch (IOException e) {
            LOG.warn("event=raft_start_still_stuck why=\"{}\" next=\"restart the node\"", e.toString());
        }
    }
}

package io.spillway.broker.replication;

import io.spillway.broker.replication.ReplicationException.Kind;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.SnapshotManagementRequest;
import org.apache.ratis.protocol.TransferLeadershipRequest;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.apache.ratis.rpc.CallId;
import org.apache.ratis.server.RaftServer;

/** The requests to this node's own Ratis server that are not entries. Thread-safe. */
final class Reconfiguration {
    private static final int SNAPSHOT_TIMEOUT_MS = 30_000;

    private final RaftServer server;
    private final RaftGroupId group;
    private final ClientId client = ClientId.randomId();

    Reconfiguration(RaftServer server, RaftGroupId group) {
        this.server = server;
        this.group = group;
    }

    /**
     * Replaces the configuration, by way of one that holds both. Nodes that are new to it are first brought close to the
     * end of the log; one that stays silent meanwhile ends the change.
     */
    CompletableFuture<Void> set(List<RaftPeer> voters, List<RaftPeer> listeners) {
        // Lists: the setters that take arrays lose the voters (Ratis 3.3.0).
        SetConfigurationRequest.Arguments arguments = SetConfigurationRequest.Arguments.newBuilder()
                .setServersInNewConf(voters)
                .setListenersInNewConf(listeners)
                .build();
        return done(() -> server.setConfigurationAsync(
                new SetConfigurationRequest(client, server.getId(), group, CallId.getAndIncrement(), arguments)));
    }

    CompletableFuture<Void> transfer(String id, int timeoutMs) {
        RaftPeerId target = RaftPeerId.valueOf(id);
        return done(() -> server.transferLeadershipAsync(new TransferLeadershipRequest(
                client, server.getId(), group, CallId.getAndIncrement(), target, timeoutMs)));
    }

    CompletableFuture<Void> stepDown() {
        return done(() -> server.transferLeadershipAsync(new TransferLeadershipRequest(
                client, server.getId(), group, CallId.getAndIncrement(), null, SNAPSHOT_TIMEOUT_MS)));
    }

    /** Has the state machine asked how far its files are, and the log purged up to there. */
    CompletableFuture<Void> snapshot() {
        return done(() -> server.snapshotManagementAsync(SnapshotManagementRequest.newCreate(
                client, server.getId(), group, CallId.getAndIncrement(), SNAPSHOT_TIMEOUT_MS, 1)));
    }

    private interface Call {
        CompletableFuture<RaftClientReply> make() throws IOException;
    }

    private static CompletableFuture<Void> done(Call call) {
        CompletableFuture<RaftClientReply> reply;
        try {
            reply = call.make();
        } catch (IOException | RuntimeException e) {
            return CompletableFuture.failedFuture(refused(e));
        }
        return reply.handle((done, failure) -> {
            Throwable cause = failure != null ? failure : done.getException();
            if (cause != null) {
                throw refused(cause);
            }
            return null;
        });
    }

    private static ReplicationException refused(Throwable failure) {
        Throwable cause = Failures.cause(failure);
        return new ReplicationException(
                cause instanceof NotLeaderException ? Kind.NOT_LEADER : Kind.REFUSED,
                "Ratis: " + cause.getMessage(),
                null,
                cause);
    }
}

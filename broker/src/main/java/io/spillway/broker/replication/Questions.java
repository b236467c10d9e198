package io.spillway.broker.replication;

import io.spillway.broker.base.Published;
import io.spillway.broker.replication.ReplicationException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.ratis.client.RaftClientRpc;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcFactory;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.GroupListReply;
import org.apache.ratis.protocol.GroupListRequest;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.rpc.CallId;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * Asks other nodes over the same port, and under the same TLS, as the log. Ratis' read that needs no leader carries it: it
 * reaches the state machine of the node asked at once. Thread-safe.
 */
final class Questions implements AutoCloseable {
    /** What even a node without a single entry has reached. */
    private static final long ANY_INDEX = -1;

    private final Published<RaftGroupId> group;
    private final ClientId client = ClientId.randomId();
    private final RaftClientRpc rpc;

    Questions(RaftGroupId group, RaftProperties properties, Parameters parameters) {
        this.group = new Published<>(group);
        rpc = new GrpcFactory(parameters).newRaftClientRpc(client, properties);
    }

    CompletableFuture<ByteBuffer> ask(String clusterAddress, ByteBuffer question) {
        return send(clusterAddress, Envelope.question(question));
    }

    CompletableFuture<Void> ask(String clusterAddress, Change change, Origin origin) {
        return send(clusterAddress, Envelope.question(change, origin)).thenApply(done -> null);
    }

    /** How that node sees the cluster. */
    CompletableFuture<ClusterStatus> askStatus(String clusterAddress) {
        return send(clusterAddress, Envelope.status()).thenApply(StatusBytes::read);
    }

    /** From now on, the questions are to this cluster's nodes. */
    void of(ClusterId cluster) {
        group.set(cluster.group());
    }

    /** The clusters that a node has a part in. Waits for it. */
    List<ClusterId> clusters(String clusterAddress) {
        RaftPeerId target = target(clusterAddress);
        try {
            GroupListReply reply = (GroupListReply)
                    rpc.sendRequest(new GroupListRequest(client, target, group.get(), CallId.getAndIncrement()));
            return reply.getGroupIds().stream().map(ClusterId::of).toList();
        } catch (IOException | RuntimeException e) {
            rpc.handleException(target, e, true);
            throw unreachable(clusterAddress, e);
        }
    }

    /** A node's address serves as its id here: the id of a seed is not known, and the server does not compare it. */
    private RaftPeerId target(String clusterAddress) {
        RaftPeerId target = RaftPeerId.valueOf(clusterAddress);
        rpc.addRaftPeers(List.of(
                RaftPeer.newBuilder().setId(target).setAddress(clusterAddress).build()));
        return target;
    }

    private CompletableFuture<ByteBuffer> send(String clusterAddress, ByteString question) {
        RaftPeerId target = target(clusterAddress);
        RaftClientRequest request = RaftClientRequest.newBuilder()
                .setClientId(client)
                .setServerId(target)
                .setGroupId(group.get())
                .setCallId(CallId.getAndIncrement())
                .setMessage(Message.valueOf(question))
                .setType(RaftClientRequest.staleReadRequestType(ANY_INDEX))
                .build();
        return rpc.sendRequestAsyncUnordered(request).handle((reply, failure) -> {
            if (reply == null) {
                // The stream is broken, or its other end does not answer: the next question opens another.
                rpc.handleException(target, failure, true);
                throw unreachable(clusterAddress, failure);
            }
            return open(clusterAddress, reply);
        });
    }

    private static ByteBuffer open(String clusterAddress, RaftClientReply reply) {
        if (!reply.isSuccess()) {
            throw unreachable(clusterAddress, reply.getException());
        }
        return Envelope.open(reply.getMessage().getContent());
    }

    private static ReplicationException unreachable(String clusterAddress, @Nullable Throwable failure) {
        Throwable cause = failure == null ? null : Failures.cause(failure);
        return new ReplicationException(
                Kind.UNREACHABLE, "the node at " + clusterAddress + " does not answer: " + cause, null, cause);
    }

    @Override
    public void close() throws IOException {
        rpc.close();
    }
}

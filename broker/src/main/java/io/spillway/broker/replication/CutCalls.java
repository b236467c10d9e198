package io.spillway.broker.replication;

import java.util.function.Predicate;
import org.apache.ratis.grpc.server.GrpcServices;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotRequestProto;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionRequestProto;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.thirdparty.io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import org.apache.ratis.thirdparty.io.grpc.Metadata;
import org.apache.ratis.thirdparty.io.grpc.ServerCall;
import org.apache.ratis.thirdparty.io.grpc.ServerCallHandler;
import org.apache.ratis.thirdparty.io.grpc.ServerInterceptor;
import org.apache.ratis.thirdparty.io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Does not hear the nodes that this one is parted from for a rehearsal: their calls end as if there were no way. With both
 * sides doing so neither entries, heartbeats nor votes pass between them; what operators ask does. Called by gRPC's threads.
 */
final class CutCalls implements ServerInterceptor {
    private final Predicate<String> isCut;

    CutCalls(Predicate<String> isCut) {
        this.isCut = isCut;
    }

    GrpcServices.Customizer before(GrpcServices.Customizer other) {
        return (builder, types) -> types.contains(GrpcServices.Type.SERVER)
                ? other.customize(builder, types).intercept(this)
                : other.customize(builder, types);
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
            private boolean ended;

            @Override
            public void onMessage(Q message) {
                RaftRpcRequestProto request = request(message);
                if (!ended && request != null && isCut.test(nameOf(request))) {
                    ended = true;
                    call.close(Status.UNAVAILABLE.withDescription("parted for a rehearsal"), new Metadata());
                }
                if (!ended) {
                    super.onMessage(message);
                }
            }

            @Override
            public void onHalfClose() {
                if (!ended) {
                    super.onHalfClose();
                }
            }
        };
    }

    private static String nameOf(RaftRpcRequestProto request) {
        return RaftPeerId.valueOf(request.getRequestorId()).toString();
    }

    /** What all calls of one node at another have; null for other messages. */
    static @Nullable RaftRpcRequestProto request(Object message) {
        if (message instanceof AppendEntriesRequestProto append) {
            return append.getServerRequest();
        }
        if (message instanceof RequestVoteRequestProto vote) {
            return vote.getServerRequest();
        }
        if (message instanceof InstallSnapshotRequestProto install) {
            return install.getServerRequest();
        }
        return message instanceof StartLeaderElectionRequestProto election ? election.getServerRequest() : null;
    }
}

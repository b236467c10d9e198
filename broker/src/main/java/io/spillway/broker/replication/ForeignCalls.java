package io.spillway.broker.replication;

import java.util.EnumSet;
import java.util.function.BiConsumer;
import org.apache.ratis.grpc.server.GrpcServices;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import org.apache.ratis.thirdparty.io.grpc.Metadata;
import org.apache.ratis.thirdparty.io.grpc.ServerCall;
import org.apache.ratis.thirdparty.io.grpc.ServerCallHandler;
import org.apache.ratis.thirdparty.io.grpc.ServerInterceptor;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyServerBuilder;
import org.apache.ratis.util.ProtoUtils;

/**
 * Notices calls of nodes that take this one for a member of another cluster of the same name: this one lost its directory,
 * formed a cluster anew, and the others know it from before. Ratis refuses such calls and tells nobody. Called by gRPC's
 * threads.
 */
final class ForeignCalls implements GrpcServices.Customizer, ServerInterceptor {
    private final ByteString own;
    private final String name;
    private final BiConsumer<String, ClusterId> called;

    /** @param called told of the id of who calls, and of its cluster; each time */
    ForeignCalls(ClusterId own, String name, BiConsumer<String, ClusterId> called) {
        this.own = own.group().toByteString();
        this.name = name;
        this.called = called;
    }

    @Override
    public NettyServerBuilder customize(NettyServerBuilder builder, EnumSet<GrpcServices.Type> types) {
        return types.contains(GrpcServices.Type.SERVER) ? builder.intercept(this) : builder;
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
            @Override
            public void onMessage(Q message) {
                look(message);
                super.onMessage(message);
            }
        };
    }

    private void look(Object message) {
        RaftRpcRequestProto request = CutCalls.request(message);
        if (request == null || request.getRaftGroupId().getId().equals(own)) {
            return;
        }
        ClusterId other = ClusterId.of(ProtoUtils.toRaftGroupId(request.getRaftGroupId()));
        if (other.isNamed(name)) {
            called.accept(RaftPeerId.valueOf(request.getRequestorId()).toString(), other);
        }
    }
}

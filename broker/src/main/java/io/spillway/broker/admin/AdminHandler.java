package io.spillway.broker.admin;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.timeout.IdleStateEvent;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers the requests of one connection in their order, each when its answer is there. Ends a connection on which nothing
 * happens, also one that sends its request drop by drop. Confined to the admin thread.
 */
final class AdminHandler extends SimpleChannelInboundHandler<FullHttpRequest> {
    /** More requests at a time than anybody sends who waits for answers. */
    static final int MAX_WAITING = 16;

    private static final Logger LOG = LoggerFactory.getLogger(AdminHandler.class);
    private static final Answer MALFORMED = Answer.text(400, "not an HTTP request this server understands\n");
    private static final Answer FAILED = Answer.text(500, "the broker could not answer; its log says why\n");

    private final AdminRoutes routes;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();

    /** @param ends nothing comes after it on this connection */
    private record Waiting(CompletableFuture<Answer> answer, boolean headOnly, boolean ends) {}

    AdminHandler(AdminRoutes routes) {
        this.routes = routes;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
        if (waiting.size() >= MAX_WAITING) {
            context.close();
            return;
        }
        boolean malformed = request.decoderResult().isFailure();
        CompletableFuture<Answer> answer =
                malformed ? CompletableFuture.completedFuture(MALFORMED) : answer(request, peer(context));
        waiting.add(new Waiting(answer, HttpMethod.HEAD.equals(request.method()), malformed));
        if (answer.isDone()) {
            writeReady(context);
        } else {
            answer.whenComplete((done, failure) -> context.executor().execute(() -> writeReady(context)));
        }
    }

    private static String peer(ChannelHandlerContext context) {
        return context.channel().remoteAddress() instanceof InetSocketAddress address
                ? address.getHostString() + ":" + address.getPort()
                : "nobody";
    }

    private CompletableFuture<Answer> answer(FullHttpRequest request, String peer) {
        AdminRequest read;
        try {
            read = AdminRequest.of(request, peer);
        } catch (IllegalArgumentException e) {
            return CompletableFuture.completedFuture(MALFORMED);
        }
        return routes.answer(read).exceptionally(failure -> {
            LOG.error("what=admin_request_failed path={}", read.path(), failure);
            return FAILED;
        });
    }

    private void writeReady(ChannelHandlerContext context) {
        while (!waiting.isEmpty() && waiting.peek().answer().isDone()) {
            Waiting next = waiting.remove();
            FullHttpResponse response = response(next.answer().join(), next.headOnly());
            if (next.ends()) {
                response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
            }
            context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        }
    }

    private static FullHttpResponse response(Answer answer, boolean headOnly) {
        byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
        FullHttpResponse response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1,
                HttpResponseStatus.valueOf(answer.status()),
                headOnly ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(body));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, answer.contentType())
                .setInt(HttpHeaderNames.CONTENT_LENGTH, body.length)
                .set(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_STORE);
        if (!answer.allow().isEmpty()) {
            response.headers().set(HttpHeaderNames.ALLOW, answer.allow());
        }
        return response;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) throws Exception {
        if (!(event instanceof IdleStateEvent)) {
            super.userEventTriggered(context, event);
        } else if (waiting.isEmpty()) {
            context.close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        waiting.clear();
        super.channelInactive(context);
    }

    /** A connection reset is the peer's business; anything else is ours. */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!(cause instanceof IOException)) {
            LOG.error("what=admin_request_failed peer={}", context.channel().remoteAddress(), cause);
        }
        context.close();
    }
}

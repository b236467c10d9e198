package io.spillway.broker.admin;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.timeout.IdleStateEvent;
import io.spillway.broker.base.SpillwayException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
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

    /** A whole request comes in this time, or the connection goes: one that comes drop by drop as well as none. */
    private static final int REQUEST_SECONDS = 30;

    private final AdminRoutes routes;
    private final HttpGate gate;
    private final ConnectionLimit limit;
    private @Nullable ScheduledFuture<?> deadline;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();

    /** @param ends nothing comes after it on this connection */
    private record Waiting(CompletableFuture<Answer> answer, boolean headOnly, boolean ends) {}

    AdminHandler(AdminRoutes routes, HttpGate gate, ConnectionLimit limit) {
        this.routes = routes;
        this.gate = gate;
        this.limit = limit;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) throws Exception {
        expectRequest(context);
        super.channelActive(context);
    }

    private void expectRequest(ChannelHandlerContext context) {
        expectNothing();
        deadline = context.executor().schedule(() -> context.close(), REQUEST_SECONDS, TimeUnit.SECONDS);
    }

    private void expectNothing() {
        if (deadline != null) {
            deadline.cancel(false);
        }
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
        if (waiting.size() >= MAX_WAITING) {
            context.close();
            return;
        }
        expectNothing();
        limit.onRequest(context.channel());
        boolean malformed = request.decoderResult().isFailure();
        CompletableFuture<Answer> answer =
                malformed ? CompletableFuture.completedFuture(MALFORMED) : answer(context, request);
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

    private CompletableFuture<Answer> answer(ChannelHandlerContext context, FullHttpRequest request) {
        AdminRequest read;
        try {
            read = AdminRequest.of(request, peer(context));
            read = read.by(gate.check(request.headers(), read, context.channel()));
        } catch (IllegalArgumentException e) {
            return CompletableFuture.completedFuture(MALFORMED);
        } catch (SpillwayException e) {
            return CompletableFuture.completedFuture(Answer.error(e));
        }
        return answer(read);
    }

    private CompletableFuture<Answer> answer(AdminRequest read) {
        return routes.answer(read).exceptionally(failure -> {
            LOG.error("event=http_request_failed path={} next=\"report it with this line\"", read.path(), failure);
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
        if (waiting.isEmpty()) {
            expectRequest(context);
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
                .set(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_STORE)
                .set("x-content-type-options", "nosniff")
                .set(HttpHeaderNames.CONTENT_SECURITY_POLICY, ConsoleRoutes.SECURITY_POLICY)
                .set("referrer-policy", "no-referrer");
        if (answer.status() == HttpResponseStatus.UNAUTHORIZED.code()) {
            response.headers()
                    .add(HttpHeaderNames.WWW_AUTHENTICATE, "Basic realm=\"spillway\", charset=\"UTF-8\"")
                    .add(HttpHeaderNames.WWW_AUTHENTICATE, "Bearer realm=\"spillway\"");
        }
        answer.headers().forEach(response.headers()::set);
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
        expectNothing();
        super.channelInactive(context);
    }

    /** A connection reset is the peer's business; anything else is ours. */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        Throwable reason = cause instanceof DecoderException && cause.getCause() != null ? cause.getCause() : cause;
        if (reason instanceof SSLException failure) {
            gate.onTlsFailure(peer(context), failure);
        } else if (!(cause instanceof IOException)) {
            LOG.error(
                    "event=http_connection_failed peer={} next=\"none; the connection is closed\"",
                    context.channel().remoteAddress(),
                    cause);
        }
        context.close();
    }
}

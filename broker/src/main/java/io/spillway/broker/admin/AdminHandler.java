package io.spillway.broker.admin;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers GET /livez, /readyz and /metrics. Confined to the event loop. */
final class AdminHandler extends SimpleChannelInboundHandler<FullHttpRequest> {
    private static final Logger LOG = LoggerFactory.getLogger(AdminHandler.class);
    private static final String TEXT = "text/plain; charset=utf-8";
    private static final String JSON = "application/json";
    private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

    private final Supplier<Health> health;
    private final PrometheusMeterRegistry metrics;

    AdminHandler(Supplier<Health> health, PrometheusMeterRegistry metrics) {
        this.health = health;
        this.metrics = metrics;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
        FullHttpResponse response;
        if (!request.decoderResult().isSuccess()) {
            response = respond(HttpResponseStatus.BAD_REQUEST, TEXT, "not an HTTP request\n");
        } else if (request.method() != HttpMethod.GET && request.method() != HttpMethod.HEAD) {
            response = respond(HttpResponseStatus.METHOD_NOT_ALLOWED, TEXT, "only GET is answered here\n");
            response.headers().set(HttpHeaderNames.ALLOW, "GET, HEAD");
        } else {
            response = route(new QueryStringDecoder(request.uri()).path());
        }
        HttpUtil.setContentLength(response, response.content().readableBytes());
        if (request.method() == HttpMethod.HEAD) {
            response = response.replace(Unpooled.EMPTY_BUFFER);
        }
        boolean keepAlive =
                HttpUtil.isKeepAlive(request) && request.decoderResult().isSuccess();
        HttpUtil.setKeepAlive(response, keepAlive);
        var written = context.writeAndFlush(response);
        if (!keepAlive) {
            written.addListener(ChannelFutureListener.CLOSE);
        }
    }

    private FullHttpResponse route(String path) {
        return switch (path) {
            case "/livez" -> live(health.get());
            case "/readyz" -> ready(health.get());
            case "/metrics" -> respond(HttpResponseStatus.OK, PROMETHEUS, metrics.scrape());
            default -> respond(HttpResponseStatus.NOT_FOUND, TEXT, "nothing here; try /livez, /readyz or /metrics\n");
        };
    }

    private static FullHttpResponse live(Health health) {
        return health.live()
                ? respond(HttpResponseStatus.OK, TEXT, "live\n")
                : respond(HttpResponseStatus.SERVICE_UNAVAILABLE, JSON, causes(health));
    }

    private static FullHttpResponse ready(Health health) {
        return health.ready()
                ? respond(HttpResponseStatus.OK, TEXT, "ready\n")
                : respond(HttpResponseStatus.SERVICE_UNAVAILABLE, JSON, causes(health));
    }

    /** One JSON object a line and cause. */
    private static String causes(Health health) {
        StringBuilder out = new StringBuilder();
        for (Health.Cause cause : health.causes()) {
            out.append("{\"component\":").append(quote(cause.component()));
            out.append(",\"what\":").append(quote(cause.what()));
            out.append(",\"why\":").append(quote(cause.why()));
            out.append(",\"next_step\":").append(quote(cause.nextStep())).append("}\n");
        }
        return out.toString();
    }

    private static String quote(String text) {
        return '"'
                + new String(com.fasterxml.jackson.core.io.JsonStringEncoder.getInstance()
                        .quoteAsString(text))
                + '"';
    }

    private static FullHttpResponse respond(HttpResponseStatus status, String type, String body) {
        ByteBuf content = Unpooled.copiedBuffer(body, StandardCharsets.UTF_8);
        FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, content);
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, type);
        return response;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        LOG.debug(
                "event=http_connection_failed remote={} why=\"{}\"",
                context.channel().remoteAddress(),
                cause.toString());
        context.close();
    }
}

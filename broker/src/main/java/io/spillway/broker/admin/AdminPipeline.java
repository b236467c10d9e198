package io.spillway.broker.admin;

import io.netty.channel.Channel;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpServerKeepAliveHandler;
import io.netty.handler.timeout.IdleStateHandler;

/** The steps of one HTTP connection. Every size and time is bounded before anything is buffered. */
final class AdminPipeline {
    private static final int IDLE_SECONDS = 30;
    private static final int MAX_REQUEST_LINE_BYTES = 2_048;
    private static final int MAX_HEADERS_BYTES = 8_192;
    /** No route takes a body; this much is read and ignored. */
    private static final int MAX_BODY_BYTES = 1_024;

    private AdminPipeline() {}

    static void install(Channel channel, HttpDoor door, ConnectionLimit limit, AdminHandler handler) {
        ChannelPipeline pipeline = channel.pipeline();
        HttpDecoderConfig sizes = new HttpDecoderConfig()
                .setMaxInitialLineLength(MAX_REQUEST_LINE_BYTES)
                .setMaxHeaderSize(MAX_HEADERS_BYTES);
        pipeline.addLast(limit);
        if (door.tls() != null) {
            pipeline.addLast(door.tls().get().http().newHandler(channel.alloc()));
        }
        pipeline.addLast(new IdleStateHandler(0, 0, IDLE_SECONDS))
                .addLast(new HttpServerCodec(sizes))
                .addLast(new HttpServerKeepAliveHandler())
                .addLast(new HttpObjectAggregator(MAX_BODY_BYTES, true))
                .addLast(handler);
    }
}

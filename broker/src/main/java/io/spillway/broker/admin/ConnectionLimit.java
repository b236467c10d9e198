package io.spillway.broker.admin;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Closes connections beyond a few dozen: probes and scrapers need no more. The oldest that has asked nothing for two seconds goes first, so that
 * nobody keeps others out by saying nothing. Confined to the admin thread.
 */
@Sharable
final class ConnectionLimit extends ChannelInboundHandlerAdapter {
    static final int MAX_CONNECTIONS = 64;

    private static final int SILENT_SECONDS = 2;

    private final Set<Channel> fresh = new HashSet<>();
    private final Set<Channel> silent = new LinkedHashSet<>();
    private int open;

    @Override
    public void channelActive(ChannelHandlerContext context) throws Exception {
        open++;
        if (open > MAX_CONNECTIONS) {
            if (silent.isEmpty()) {
                context.close();
                return;
            }
            Channel oldest = silent.iterator().next();
            silent.remove(oldest);
            oldest.close();
        }
        Channel channel = context.channel();
        fresh.add(channel);
        context.executor()
                .schedule(
                        () -> {
                            if (fresh.remove(channel)) {
                                silent.add(channel);
                            }
                        },
                        SILENT_SECONDS,
                        TimeUnit.SECONDS);
        super.channelActive(context);
    }

    /** It has sent a request. */
    void onRequest(Channel channel) {
        fresh.remove(channel);
        silent.remove(channel);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        open--;
        onRequest(context.channel());
        super.channelInactive(context);
    }
}

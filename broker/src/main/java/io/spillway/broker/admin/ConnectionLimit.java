package io.spillway.broker.admin;

import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/** Closes connections beyond a few dozen: probes and scrapers need no more. Confined to the admin thread. */
@Sharable
final class ConnectionLimit extends ChannelInboundHandlerAdapter {
    static final int MAX_CONNECTIONS = 64;

    private int open;

    @Override
    public void channelActive(ChannelHandlerContext context) throws Exception {
        open++;
        if (open > MAX_CONNECTIONS) {
            context.close();
        } else {
            super.channelActive(context);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        open--;
        super.channelInactive(context);
    }
}

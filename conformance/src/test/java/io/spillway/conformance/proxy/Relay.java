package io.spillway.conformance.proxy;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameDecoder;
import io.spillway.protocol.Limits;
import io.spillway.protocol.Preface;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One client's connection and the one to the broker that belongs to it. What the client sends is passed on as bytes; what
 * the broker sends is cut into frames, because rules may change some of them. Confined to the event loop.
 */
final class Relay {
    private final Channel client;
    private final Conditions conditions;
    private final Consumer<Relay> onEnded;
    private @Nullable Channel broker;
    private @Nullable Lane toBroker;
    private @Nullable Lane toClient;

    Relay(Channel client, Conditions conditions, Consumer<Relay> onEnded) {
        this.client = client;
        this.conditions = conditions;
        this.onEnded = onEnded;
    }

    /** The pipeline step for the client's side, which must not read before the broker is there. */
    ChannelHandler clientStep() {
        return new ClientStep();
    }

    void connect(InetSocketAddress target) {
        new Bootstrap()
                .group(client.eventLoop())
                .channel(NioSocketChannel.class)
                .option(ChannelOption.AUTO_READ, false)
                .option(ChannelOption.TCP_NODELAY, true)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline()
                                .addLast(new PrefaceStep())
                                .addLast(new FrameDecoder(
                                        FrameDecoder.DEFAULT_MAX_FRAME_BYTES, Limits.MAX_BROKER_HEADER_BYTES))
                                .addLast(new FrameStep());
                    }
                })
                .connect(target)
                .addListener((ChannelFuture connected) -> {
                    if (connected.isSuccess() && client.isActive()) {
                        start(connected.channel());
                    } else {
                        connected.channel().close();
                        cut();
                    }
                });
    }

    private void start(Channel connected) {
        broker = connected;
        toBroker = new Lane(Direction.TO_BROKER, conditions, client, connected, this::cut);
        toClient = new Lane(Direction.TO_CLIENT, conditions, connected, client, this::cut);
        pump();
    }

    /** Looks again at what waits, after conditions have changed. */
    void pump() {
        if (toBroker != null && toClient != null) {
            toBroker.pump();
            toClient.pump();
        }
    }

    /** Ends both connections as a machine that crashes does: with a reset. */
    void cut() {
        for (Channel channel : broker == null ? List.of(client) : List.of(client, broker)) {
            if (channel.isActive()) {
                channel.config().setOption(ChannelOption.SO_LINGER, 0);
            }
            channel.close();
        }
        ended();
    }

    private void ended() {
        Optional.ofNullable(toBroker).ifPresent(Lane::discard);
        Optional.ofNullable(toClient).ifPresent(Lane::discard);
        onEnded.accept(this);
    }

    private final class ClientStep extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            ByteBuf greeting = conditions.greeting();
            if (greeting != null) {
                bytes.release();
                context.writeAndFlush(greeting.retainedDuplicate()).addListener(sent -> context.close());
            } else if (toBroker == null) {
                bytes.release();
            } else {
                toBroker.add(bytes);
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (toBroker == null) {
                ended();
            } else {
                toBroker.end();
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            pump();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            cut(); // a reset from the one side is passed on to the other
        }
    }

    /** Passes the broker's first eight bytes on, then leaves the rest to the frame decoder. */
    private final class PrefaceStep extends ByteToMessageDecoder {
        @Override
        protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
            if (in.readableBytes() >= Preface.BYTES && toClient != null) {
                toClient.add(in.readBytes(Preface.BYTES));
                context.pipeline().remove(this);
            }
        }
    }

    private final class FrameStep extends ChannelInboundHandlerAdapter implements FrameRule.Output {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            Frame frame = (Frame) message;
            try {
                Optional<FrameRule> rule = conditions.rules().stream()
                        .filter(one -> one.takes(frame))
                        .findFirst();
                if (rule.isPresent()) {
                    rule.get().apply(frame, context.alloc(), this);
                } else {
                    send(FrameRule.encode(context.alloc(), frame));
                }
            } finally {
                frame.release();
            }
        }

        @Override
        public void send(ByteBuf frame) {
            if (toClient == null || !client.isActive()) {
                frame.release();
            } else {
                toClient.add(frame);
            }
        }

        @Override
        public void cut() {
            Relay.this.cut();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (toClient != null) {
                toClient.end();
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            pump();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            cut();
        }
    }
}

package io.spillway.client.net;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameDecoder;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.Limits;
import io.spillway.protocol.Preface;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.HelloOk;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes one connection: TCP, preface, Hello, in that order, the last two written together. Confined to the network
 * thread.
 */
final class Connector {
    /** Hears how one attempt goes: it ends with exactly one of the last two, called once. */
    interface Outcome {
        /** TCP is there; the handshake begins. */
        void onHandshaking();

        void onConnected(Connection connection);

        void onFailed(Error why);
    }

    private static final int HELLO_CORRELATION = 1;
    private static final int AUTH_CORRELATION = 2;
    private static final WriteBufferWaterMark WATER_MARK = new WriteBufferWaterMark(1 << 20, 4 << 20);

    private final EventLoop loop;
    private final ConnectionSettings settings;
    private final Clock clock;

    Connector(EventLoop loop, ConnectionSettings settings, Clock clock) {
        this.loop = loop;
        this.settings = settings;
        this.clock = clock;
    }

    /** Where the password or token comes from. */
    Supplier<String> secret() {
        return settings.entrance().credentials().secret();
    }

    void connect(Endpoint endpoint, InetSocketAddress address, String secret, Outcome outcome) {
        Greeting greeting = new Greeting(settings.entrance().credentials(), secret);
        Attempt attempt = new Attempt(endpoint, greeting, outcome);
        new Bootstrap()
                .group(loop)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, settings.connectTimeoutMs())
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        encrypt(channel, endpoint);
                        channel.pipeline()
                                .addLast(new PrefaceReader(attempt))
                                .addLast(new FrameDecoder(
                                        FrameDecoder.DEFAULT_MAX_FRAME_BYTES, Limits.MAX_BROKER_HEADER_BYTES))
                                .addLast(attempt);
                    }
                })
                .connect(address)
                .addListener((ChannelFuture future) -> {
                    if (!future.isSuccess()) {
                        attempt.fail(unreachable(endpoint, future.cause()));
                    }
                });
    }

    private void encrypt(Channel channel, Endpoint endpoint) {
        SslContext tls = settings.entrance().tls();
        if (tls != null) {
            String name = settings.entrance().serverName();
            SslHandler handler =
                    tls.newHandler(channel.alloc(), name.isEmpty() ? endpoint.host() : name, endpoint.port());
            handler.setHandshakeTimeoutMillis(settings.handshakeTimeoutMs());
            channel.pipeline().addLast(handler);
        }
    }

    private Error unreachable(Endpoint endpoint, Throwable cause) {
        String why;
        if (cause instanceof ConnectTimeoutException) {
            why = "no answer within " + settings.connectTimeoutMs() + " ms";
        } else if (cause instanceof NoRouteToHostException) {
            why = "no route to the host";
        } else if (cause instanceof ConnectException) {
            why = "connection refused";
        } else {
            why = String.valueOf(cause.getMessage());
        }
        return cannotConnect(endpoint, why);
    }

    static Error cannotConnect(Endpoint endpoint, String why) {
        return Errors.of(
                Code.CONNECT_FAILED,
                "cannot connect to " + endpoint,
                why,
                "check that a broker listens there and that the endpoint is right");
    }

    /** Reads the broker's eight bytes, then leaves the pipeline. */
    private static final class PrefaceReader extends ByteToMessageDecoder {
        private final Attempt attempt;

        PrefaceReader(Attempt attempt) {
            this.attempt = attempt;
        }

        @Override
        protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
            if (in.readableBytes() < Preface.BYTES) {
                return;
            }
            Preface.Answer answer = Preface.readServer(in);
            if (answer.code() == Preface.OK && answer.version() == Preface.MAX_VERSION) {
                context.pipeline().remove(this);
            } else {
                in.skipBytes(in.readableBytes());
                attempt.refused(answer);
            }
        }
    }

    /** The last pipeline step: first the handshake, then the connection's ears. */
    private final class Attempt extends ChannelInboundHandlerAdapter {
        private final Endpoint endpoint;
        private final Greeting greeting;
        private @Nullable Outcome outcome;
        private @Nullable Channel channel;
        private @Nullable Connection connection;

        Attempt(Endpoint endpoint, Greeting greeting, Outcome outcome) {
            this.endpoint = endpoint;
            this.greeting = greeting;
            this.outcome = outcome;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            Channel active = context.channel();
            channel = active;
            Outcome watcher = outcome;
            if (watcher != null) {
                watcher.onHandshaking();
            }
            ByteBuf preface = active.alloc().buffer(Preface.BYTES);
            Preface.writeClient(preface);
            active.write(preface, active.voidPromise());
            active.writeAndFlush(
                    Frame.encode(
                            active.alloc(),
                            FrameKind.HELLO,
                            Frame.CRITICAL,
                            0,
                            HELLO_CORRELATION,
                            greeting.hello(settings.hello(clock.nowMs()))),
                    active.voidPromise());
            var timeout = loop.schedule(
                    () -> fail(cannotConnect(
                            endpoint, "connected, but no handshake within " + settings.handshakeTimeoutMs() + " ms")),
                    settings.handshakeTimeoutMs(),
                    TimeUnit.MILLISECONDS);
            active.closeFuture().addListener(closed -> timeout.cancel(false));
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            Frame frame = (Frame) message;
            try {
                if (connection != null) {
                    connection.onFrame(frame);
                } else if (outcome != null) {
                    onHello(context, frame);
                }
            } finally {
                frame.release();
            }
        }

        private void onHello(ChannelHandlerContext context, Frame frame) {
            if (frame.isError()) {
                fail(frame.header(Error.parser()));
            } else if (!isAnswer(frame)) {
                fail(cannotConnect(endpoint, "its first frame is of kind " + frame.kindCode() + ", not a Hello"));
            } else {
                HelloOk hello = frame.header(HelloOk.parser());
                if (hello.getAuthMore()) {
                    prove(context, hello);
                    return;
                }
                Error doubt = greeting.doubt(endpoint, hello);
                if (doubt != null) {
                    fail(doubt);
                    return;
                }
                Connection made = new Connection(context.channel(), endpoint, hello, settings.heartbeatMs(), clock);
                connection = made;
                Outcome heir = outcome;
                outcome = null;
                if (heir != null) {
                    heir.onConnected(made);
                }
            }
        }

        /** AUTH is answered with what HELLO would have been. */
        private static boolean isAnswer(Frame frame) {
            FrameKind kind = FrameKind.of(frame.kindCode());
            return (kind == FrameKind.HELLO || kind == FrameKind.AUTH) && frame.isResponse();
        }

        private void prove(ChannelHandlerContext context, HelloOk challenge) {
            try {
                context.channel()
                        .writeAndFlush(
                                Frame.encode(
                                        context.alloc(),
                                        FrameKind.AUTH,
                                        Frame.CRITICAL,
                                        0,
                                        AUTH_CORRELATION,
                                        greeting.answer(challenge)),
                                context.channel().voidPromise());
            } catch (IllegalArgumentException e) {
                fail(cannotConnect(endpoint, "its challenge cannot be meant: " + e.getMessage()));
            }
        }

        void refused(Preface.Answer answer) {
            fail(
                    switch (answer.code()) {
                        case Preface.REFUSED_BUSY ->
                            Errors.of(
                                    Code.OVERLOADED,
                                    endpoint + " takes no more connections",
                                    "it is at its limit",
                                    "try again later or raise the broker's limit");
                        case Preface.REFUSED_DRAINING ->
                            Errors.of(
                                    Code.DRAINING,
                                    endpoint + " is shutting down",
                                    "it takes no new connections",
                                    "wait for it to come back or use another broker");
                        default ->
                            Errors.of(
                                    Code.UNSUPPORTED_VERSION,
                                    endpoint + " speaks protocol " + answer.serverMin() + " to " + answer.serverMax(),
                                    "this client speaks " + Preface.MIN_VERSION + " to " + Preface.MAX_VERSION,
                                    "use a client of the broker's release");
                    });
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            if (connection != null) {
                connection.onBytes();
                connection.onTurn();
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            if (connection != null && context.channel().isWritable()) {
                connection.onTurn();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            end("the broker closed the connection");
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            Throwable root = cause.getCause() instanceof ProtocolException nested ? nested : cause;
            if (root instanceof ProtocolException broken) {
                String why = "what it sends is not the protocol: " + broken.getMessage();
                if (connection != null) {
                    connection.close(lost(why));
                } else {
                    fail(cannotConnect(endpoint, why));
                }
            } else {
                Error encryption = TlsFailure.of(endpoint, cause);
                if (encryption != null && connection == null) {
                    fail(encryption);
                } else {
                    end(String.valueOf(root.getMessage() == null ? root : root.getMessage()));
                }
            }
        }

        private void end(String why) {
            if (connection != null) {
                connection.close(lost(why));
            } else {
                fail(cannotConnect(endpoint, "connected, but " + why));
            }
        }

        private Error lost(String why) {
            return Errors.of(
                    Code.CONNECTION_LOST,
                    "the connection to " + endpoint + " was lost",
                    why,
                    "the client reconnects by itself; if it cannot, check the broker");
        }

        private void fail(Error why) {
            Outcome heir = outcome;
            outcome = null;
            if (heir != null) {
                if (channel != null) {
                    channel.close();
                }
                heir.onFailed(why);
            }
        }
    }
}

package io.spillway.client;

import static org.awaitility.Awaitility.await;

import com.google.protobuf.MessageLite;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameDecoder;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.Limits;
import io.spillway.protocol.Preface;
import io.spillway.protocol.v1.Endpoint;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.HealthReport;
import io.spillway.protocol.v1.Hello;
import io.spillway.protocol.v1.HelloOk;
import io.spillway.protocol.v1.Ping;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A broker in memory that speaks the wire protocol, for tests of the client: {@link FakeTopics} holds what it stores.
 * Its faults are switched on by the test. It has one thread; what a test reads or sets goes through {@link #on}.
 */
final class FakeBroker implements AutoCloseable {
    final FakeTopics topics = new FakeTopics();
    /** Kinds of frames that came, in order. */
    final List<FrameKind> received = new CopyOnWriteArrayList<>();
    /** Hellos that came, in order. */
    final List<Hello> hellos = new CopyOnWriteArrayList<>();

    int heartbeatMs = 5_000;
    int prefaceCode = Preface.OK;
    boolean answersHello = true;
    boolean answersPings = true;
    /** Features that it has. */
    List<Integer> features = List.of();
    /** Health reports that came. */
    final List<HealthReport> reports = new CopyOnWriteArrayList<>();
    /** Hellos are refused with this, and the connection is closed. */
    @Nullable
    Error helloRefusal;
    /** What it says of its cluster; empty = it is alone and says nothing. */
    List<Endpoint> nodes = List.of();
    /** Answers are kept back until it is false again and the test calls {@link #answerHeld}. */
    boolean holdsAnswers;
    /** The next publish frames are refused with these. */
    final Queue<Error> publishRefusals = new ArrayDeque<>();
    /** The next publish frames are stored, and then refused with these. */
    final Queue<Error> publishRefusalsAfterStoring = new ArrayDeque<>();
    /** The next requests of other kinds are refused with these. */
    final Queue<Error> requestRefusals = new ArrayDeque<>();
    /** The connection is cut instead of answering the next publish, after it was stored. */
    int cutsBeforeAck;
    /** Requests of this kind get no answer. */
    @Nullable
    FrameKind silentOn;
    /** What is given back before it is open is refused; until then nothing is opened. */
    boolean opensTooLate;

    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final List<FakeSession> sessions = new ArrayList<>();
    private final List<Runnable> held = new ArrayList<>();
    private final Map<Integer, Frame> opening = new HashMap<>();
    private @Nullable Channel server;
    private int port;

    FakeBroker() {
        start();
    }

    /** Listens, on the same port as before; that is free again once the selector has let go of the old socket. */
    void start() {
        await().ignoreExceptions().until(() -> {
            server = bind();
            return true;
        });
    }

    private Channel bind() {
        Channel bound = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline()
                                .addLast(new PrefaceAnswer())
                                .addLast(new FrameDecoder(
                                        FrameDecoder.DEFAULT_MAX_FRAME_BYTES, Limits.MAX_CLIENT_HEADER_BYTES))
                                .addLast(new Frames());
                    }
                })
                .bind("127.0.0.1", port)
                .syncUninterruptibly()
                .channel();
        port = ((InetSocketAddress) bound.localAddress()).getPort();
        return bound;
    }

    /** Stops listening and cuts all connections; what is stored stays. */
    void stop() {
        if (server != null) {
            server.close().syncUninterruptibly();
        }
        cutConnections();
    }

    void cutConnections() {
        on(() -> {
            List.copyOf(sessions).forEach(session -> session.channel().close());
            return null;
        });
    }

    String endpoint() {
        return "127.0.0.1:" + port;
    }

    /** As the nodes of a cluster name it. */
    Endpoint node() {
        return Endpoint.newBuilder()
                .setBrokerId(1)
                .setHost("127.0.0.1")
                .setPort(port)
                .build();
    }

    /** It names these as the nodes of its cluster from now on. */
    void names(FakeBroker... all) {
        List<Endpoint> named = Stream.of(all).map(FakeBroker::node).toList();
        on(() -> nodes = named);
    }

    /** It refuses sessions with that from now on; null: no more. */
    void refuseHello(@Nullable Error error) {
        on(() -> helloRefusal = error);
    }

    /** NOT_LEADER that says where the leader is. */
    static Error ledBy(FakeBroker leader) {
        return error(Code.NOT_LEADER, 0).toBuilder().setRedirect(leader.node()).build();
    }

    /** Ends every subscription with this error. */
    void endSubscriptions(Error error) {
        on(() -> {
            List.copyOf(topics.subscribers).forEach(subscriber -> subscriber.end(error));
            return null;
        });
    }

    /** Runs on the broker's thread. */
    <T> T on(Callable<T> task) {
        return group.next().submit(task).syncUninterruptibly().getNow();
    }

    void answerHeld() {
        on(() -> {
            holdsAnswers = false;
            List.copyOf(held).forEach(Runnable::run);
            held.clear();
            return null;
        });
    }

    /** Sends a frame that nobody asked for to every connection. */
    void announce(FrameKind kind, MessageLite header) {
        on(() -> {
            sessions.forEach(session -> session.send(kind, 0, 0, 0, header, Unpooled.EMPTY_BUFFER));
            return null;
        });
    }

    int connections() {
        return on(sessions::size);
    }

    long count(FrameKind kind) {
        return received.stream().filter(seen -> seen == kind).count();
    }

    static Error error(Code code, int retryAfterMs) {
        return Error.newBuilder()
                .setCode(code.number())
                .setReason(code.name())
                .setMessage("refused by the test")
                .setRetry(code.retry())
                .setRetryAfterMs(retryAfterMs)
                .setCause("the test wants it")
                .setNextStep("read the test")
                .build();
    }

    @Override
    public void close() {
        stop();
        group.shutdownGracefully(0, 1_000, TimeUnit.MILLISECONDS).awaitUninterruptibly(2_000);
    }

    private final class PrefaceAnswer extends ByteToMessageDecoder {
        @Override
        protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
            if (in.readableBytes() < Preface.BYTES) {
                return;
            }
            Preface.Answer answer = Preface.negotiate(in);
            int version = prefaceCode == Preface.OK ? answer.version() : 0;
            ByteBuf bytes = context.alloc().buffer(Preface.BYTES);
            Preface.writeServer(bytes, new Preface.Answer(version, 1, 1, prefaceCode));
            context.writeAndFlush(bytes);
            if (prefaceCode == Preface.OK) {
                context.pipeline().remove(this);
            } else {
                in.skipBytes(in.readableBytes());
                context.close();
            }
        }
    }

    private final class Frames extends ChannelInboundHandlerAdapter {
        private @Nullable FakeSession session;

        @Override
        public void channelActive(ChannelHandlerContext context) {
            FakeSession made = new FakeSession(context.channel(), topics);
            session = made;
            sessions.add(made);
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (session != null) {
                sessions.remove(session);
                topics.forget(session);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            Frame frame = (Frame) message;
            try {
                FrameKind kind = FrameKind.of(frame.kindCode());
                if (kind != null && session != null) {
                    received.add(kind);
                    answer(session, kind, frame);
                }
            } finally {
                frame.release();
            }
        }
    }

    private void answer(FakeSession session, FrameKind kind, Frame frame) {
        switch (kind) {
            case HELLO -> {
                hellos.add(frame.header(Hello.parser()));
                if (helloRefusal != null) {
                    session.refuse(frame, helloRefusal);
                    session.channel().close();
                } else if (answersHello) {
                    HelloOk hello = HelloOk.newBuilder()
                            .setBrokerVersion("fake")
                            .setHeartbeatMs(heartbeatMs)
                            .addAllEndpoints(nodes)
                            .addAllFeatures(features)
                            .build();
                    session.respond(frame, hello);
                }
            }
            case PING -> {
                if (answersPings) {
                    session.respond(frame, Ping.getDefaultInstance());
                }
            }
            case HEALTH_REPORT -> reports.add(frame.header(HealthReport.parser()));
            case PUBLISH -> publish(session, frame);
            default -> request(session, kind, frame);
        }
    }

    private void publish(FakeSession session, Frame frame) {
        Error refusal = publishRefusals.poll();
        if (refusal != null) {
            session.refuse(frame, refusal);
            return;
        }
        Runnable stored = session.publish(frame);
        Error second = publishRefusalsAfterStoring.poll();
        Runnable answer = second == null ? stored : session.refusal(frame, second);
        if (cutsBeforeAck > 0) {
            cutsBeforeAck--;
            session.channel().close();
        } else if (holdsAnswers) {
            held.add(answer);
        } else {
            answer.run();
        }
    }

    private void request(FakeSession session, FrameKind kind, Frame frame) {
        if (kind == silentOn) {
            return;
        }
        if (opensTooLate && kind == FrameKind.SUBSCRIBE) {
            opening.put(frame.channel(), frame);
            return;
        }
        Frame late = kind == FrameKind.UNSUBSCRIBE ? opening.remove(frame.channel()) : null;
        if (late != null) {
            session.refuse(late, error(Code.WRONG_STATE, 0));
        }
        Error refusal = frame.correlation() == 0 ? null : requestRefusals.poll();
        if (refusal != null) {
            session.refuse(frame, refusal);
        } else {
            session.named = nodes;
            session.request(kind, frame);
        }
    }
}

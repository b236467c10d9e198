package io.spillway.conformance.proxy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.spillway.protocol.Preface;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;

/**
 * A TCP proxy on a port of its own in front of one broker, which fails as told. Operations are in conformance/README.md.
 * Thread-safe.
 */
public final class FaultProxy implements AutoCloseable {
    private static final long REFUSE_TIMEOUT_NS = 5_000_000_000L;

    private final EventLoop loop;
    private final InetSocketAddress target;
    private final Conditions conditions = new Conditions();
    private final Set<Relay> relays = new LinkedHashSet<>();
    private final InetSocketAddress address;
    private Channel server;

    FaultProxy(EventLoop loop, String target) {
        this.loop = loop;
        this.target = parse(target);
        server = listen(new InetSocketAddress("127.0.0.1", 0));
        address = (InetSocketAddress) server.localAddress();
    }

    private static InetSocketAddress parse(String hostPort) {
        int colon = hostPort.lastIndexOf(':');
        return new InetSocketAddress(hostPort.substring(0, colon), Integer.parseInt(hostPort.substring(colon + 1)));
    }

    private Channel listen(InetSocketAddress at) {
        return new ServerBootstrap()
                .group(loop)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        accept(channel);
                    }
                })
                .bind(at)
                .syncUninterruptibly()
                .channel();
    }

    private void accept(Channel channel) {
        Relay relay = new Relay(channel, conditions, relays::remove);
        relays.add(relay);
        channel.pipeline().addLast(relay.clientStep());
        if (conditions.greeting() == null) {
            relay.connect(target);
        } else {
            channel.config().setAutoRead(true);
        }
    }

    /** Where clients connect, host:port. */
    public String address() {
        return address.getHostString() + ":" + address.getPort();
    }

    /** Does it, and returns once it is done. Throws IllegalArgumentException for what it does not know. */
    public void operate(String operation, ObjectNode arguments) {
        switch (operation) {
            case "refuse" -> refuse();
            case "heal" -> heal();
            default ->
                onLoop(() -> {
                    change(operation, arguments);
                    List.copyOf(relays).forEach(Relay::pump);
                    return true;
                });
        }
    }

    private void change(String operation, ObjectNode arguments) {
        switch (operation) {
            case "cut" -> List.copyOf(relays).forEach(Relay::cut);
            case "black_hole" -> conditions.hold(Direction.of(arguments.path("direction")));
            case "delay" -> conditions.delay(arguments.path("ms").asLong());
            case "limit" -> conditions.limit(arguments.path("bytes_per_second").asLong());
            case "cut_after" ->
                conditions.cutAfter(
                        Direction.of(arguments.path("direction")),
                        arguments.path("bytes").asLong());
            case "answer" ->
                conditions.greet(Unpooled.wrappedBuffer(
                        HexFormat.of().parseHex(arguments.path("hex").asText())));
            case "refuse_preface" ->
                conditions.greet(Unpooled.buffer()
                        .writeInt(Preface.MAGIC)
                        .writeByte(0)
                        .writeByte(arguments.path("min").asInt())
                        .writeByte(arguments.path("max").asInt())
                        .writeByte(arguments.path("code").asInt()));
            case "rewrite_error" -> conditions.add(FrameRule.rewriteError(arguments));
            case "fail_answer" -> conditions.add(FrameRule.failAnswer(arguments));
            case "cut_before_answer" -> conditions.add(FrameRule.cutBeforeAnswer(arguments));
            case "corrupt_delivery" -> conditions.add(FrameRule.corruptDelivery(arguments));
            case "unknown_frame" -> conditions.add(FrameRule.unknownFrame(arguments));
            default -> throw new IllegalArgumentException("unknown proxy operation " + operation);
        }
    }

    /** The port takes connections until the loop has looked at its selector once more; waits until it does not. */
    private void refuse() {
        server.close().syncUninterruptibly();
        long deadlineNs = System.nanoTime() + REFUSE_TIMEOUT_NS;
        while (takesConnections()) {
            if (System.nanoTime() > deadlineNs) {
                throw new IllegalStateException("the closed port still takes connections");
            }
        }
    }

    private boolean takesConnections() {
        try (Socket probe = new Socket(address.getAddress(), address.getPort())) {
            return probe.isConnected();
        } catch (IOException e) {
            return false; // refused, as it should be
        }
    }

    private void heal() {
        if (!server.isOpen()) {
            server = listen(address);
        }
        onLoop(() -> {
            conditions.heal();
            List.copyOf(relays).forEach(Relay::pump);
            return true;
        });
    }

    private void onLoop(Callable<Boolean> task) {
        var done = loop.submit(task).awaitUninterruptibly();
        if (done.cause() instanceof RuntimeException wrong) {
            throw wrong;
        }
        done.syncUninterruptibly();
    }

    @Override
    public void close() {
        server.close().syncUninterruptibly();
        onLoop(() -> {
            List.copyOf(relays).forEach(Relay::cut);
            return true;
        });
    }
}

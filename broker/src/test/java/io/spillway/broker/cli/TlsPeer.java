package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.Scram;
import io.spillway.protocol.v1.Auth;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.Hello;
import io.spillway.protocol.v1.HelloOk;
import io.spillway.protocol.v1.OpenPublisher;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/** A client that says frame by frame what a test wants, over TLS. */
record TlsPeer(SSLSocket socket, DataInputStream in) implements AutoCloseable {
    static final byte[] PREFACE = {(byte) 0x9b, 'S', 'P', 0x0a, 1, 1, 0, 0};
    private static final int TIMEOUT_MS = 20_000;

    /** A frame without its payload. */
    record Answer(int kind, int flags, int correlation, byte[] header) {
        boolean isError() {
            return (flags & Frame.ERROR) != 0;
        }
    }

    /** Connects and exchanges prefaces, no more. */
    static TlsPeer open(SSLContext tls, int port) throws IOException {
        return open(tls, port, "127.0.0.1");
    }

    private static TlsPeer open(SSLContext tls, int port, String from) throws IOException {
        SSLSocket socket =
                (SSLSocket) tls.getSocketFactory().createSocket("127.0.0.1", port, InetAddress.getByName(from), 0);
        socket.setSoTimeout(TIMEOUT_MS);
        socket.getOutputStream().write(PREFACE);
        DataInputStream in = new DataInputStream(socket.getInputStream());
        in.readFully(new byte[PREFACE.length]);
        return new TlsPeer(socket, in);
    }

    static TlsPeer login(SSLContext tls, int port, String token) throws IOException {
        TlsPeer peer = open(tls, port);
        Answer hello = peer.ask(
                FrameKind.HELLO,
                0,
                Hello.newBuilder()
                        .setAuthMechanism("TOKEN")
                        .setAuthData(ByteString.copyFromUtf8(token))
                        .build());
        assertThat(hello.isError()).isFalse();
        assertThat(HelloOk.parseFrom(hello.header()).getSessionEpoch()).isNotZero();
        return peer;
    }

    /** A login with a password; the error that it gets, or none. */
    static Error password(SSLContext tls, int port, String from, Scram.Client client) throws IOException {
        try (TlsPeer peer = open(tls, port, from)) {
            Answer challenge = peer.ask(
                    FrameKind.HELLO,
                    0,
                    Hello.newBuilder()
                            .setAuthMechanism(Scram.MECHANISM)
                            .setAuthData(ByteString.copyFrom(client.first()))
                            .build());
            if (challenge.isError()) {
                return Error.parseFrom(challenge.header());
            }
            byte[] proof = client.proof(
                    HelloOk.parseFrom(challenge.header()).getAuthData().toByteArray());
            Answer answer = peer.ask(
                    FrameKind.AUTH,
                    0,
                    Auth.newBuilder().setData(ByteString.copyFrom(proof)).build());
            return answer.isError() ? Error.parseFrom(answer.header()) : Error.getDefaultInstance();
        }
    }

    /** Sends a request; its answer has the kind as its correlation. */
    void send(FrameKind kind, int channel, MessageLite header) throws IOException {
        ByteBuf frame = Frame.encode(UnpooledByteBufAllocator.DEFAULT, kind, 0, channel, kind.code(), header);
        byte[] bytes = ByteBufUtil.getBytes(frame);
        frame.release();
        socket.getOutputStream().write(bytes);
    }

    Answer ask(FrameKind kind, int channel, MessageLite header) throws IOException {
        send(kind, channel, header);
        while (true) {
            Answer answer = read();
            if (answer.correlation == kind.code()) {
                return answer;
            }
        }
    }

    /** The name of the error that it gets; empty when it gets none. */
    String refusal(OpenPublisher open) throws IOException {
        Answer answer = ask(FrameKind.OPEN_PUBLISHER, 1, open);
        return answer.isError() ? Error.parseFrom(answer.header()).getReason() : "";
    }

    private Answer read() throws IOException {
        int length = in.readInt();
        int kind = in.readUnsignedByte();
        int flags = in.readUnsignedByte();
        in.readUnsignedShort();
        byte[] header = new byte[in.readInt()];
        int correlation = in.readInt();
        in.readFully(header);
        in.skipNBytes(length - (long) Frame.PREFIX_AFTER_LENGTH - header.length);
        return new Answer(kind, flags, correlation, header);
    }

    /**
     * Sends what the broker may refuse before it has all of it, so that the sending may fail, too.
     *
     * @return the kinds of the frames that come until the end
     */
    List<Integer> sendUntilClosed(FrameKind kind, int channel, MessageLite header) {
        try {
            send(kind, channel, header);
        } catch (IOException e) {
            return List.of(); // closed
        }
        return readUntilClosed();
    }

    /** The kinds of the frames that come until the end. */
    List<Integer> readUntilClosed() {
        List<Integer> kinds = new ArrayList<>();
        try {
            while (true) {
                kinds.add(read().kind());
            }
        } catch (SocketTimeoutException e) {
            throw new AssertionError("it was not closed", e);
        } catch (IOException e) {
            return kinds;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}

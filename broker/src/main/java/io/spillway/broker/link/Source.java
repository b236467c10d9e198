package io.spillway.broker.link;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.broker.base.ListenAddress;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.Limits;
import io.spillway.protocol.Preface;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.Scram;
import io.spillway.protocol.v1.Auth;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.Hello;
import io.spillway.protocol.v1.HelloOk;
import io.spillway.protocol.v1.Ping;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a broker of the other cluster. Requests may be sent ahead; {@link #receive} gives the answers as they
 * come. Confined to the link's thread, but for {@link #close}, which is thread-safe and ends a read under way.
 */
final class Source implements AutoCloseable {
    private static final int CONNECT_TIMEOUT_MS = 3_000;
    private static final int READ_TIMEOUT_MS = 10_000;
    /** The state of many groups comes in one frame. */
    private static final int MAX_FRAME_BYTES = 64 << 20;

    private static final byte[] NOTHING = {};
    private static final int NONCE_BYTES = 24;
    private static final SecureRandom RANDOM = new SecureRandom();

    /** An answer; whoever takes it releases its payload. */
    record Received(Frame frame) {
        int correlation() {
            return frame.correlation();
        }

        /** Why the source refused; null when it did not. */
        @Nullable
        SpillwayException refusal() {
            return frame.isError() ? failure(frame.header(Error.parser())) : null;
        }
    }

    /** The broker that was asked is not the one to ask. */
    static final class ElsewhereException extends Exception {
        private static final long serialVersionUID = 1;

        private final transient ListenAddress leader;

        ElsewhereException(ListenAddress leader) {
            super("the leader is " + leader);
            this.leader = leader;
        }

        ListenAddress leader() {
            return leader;
        }
    }

    private final ListenAddress address;
    private final Socket socket;
    private final DataInputStream in;
    private final OutputStream out;
    private int nextCorrelation = 1;

    private Source(ListenAddress address, Socket socket) throws IOException {
        this.address = address;
        this.socket = socket;
        in = new DataInputStream(new java.io.BufferedInputStream(socket.getInputStream(), 256 << 10));
        out = socket.getOutputStream();
    }

    /** Connects and opens a session. Throws what the broker said when it refuses one. */
    static Source open(ListenAddress address, String link, byte[] instance, long nowMs, SourceAccess access)
            throws IOException, ElsewhereException {
        Socket socket = new Socket();
        try {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(READ_TIMEOUT_MS);
            socket.connect(new InetSocketAddress(address.host(), address.port()), CONNECT_TIMEOUT_MS);
            Source source = new Source(address, access.encrypt(socket, address));
            source.greet(
                    Hello.newBuilder()
                            .setClientId("link " + link)
                            .setInstanceId(ByteString.copyFrom(instance))
                            .setLang("broker")
                            .setUnixMs(nowMs),
                    access);
            return source;
        } catch (IOException | ElsewhereException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    private void greet(Hello.Builder hello, SourceAccess access) throws IOException, ElsewhereException {
        ByteBuf preface = Unpooled.buffer(Preface.BYTES);
        Preface.writeClient(preface);
        write(preface);
        byte[] random = new byte[NONCE_BYTES];
        RANDOM.nextBytes(random);
        Scram.@Nullable Client login = access.logsIn()
                ? new Scram.Client(
                        access.user(), access.secret(), Base64.getEncoder().encodeToString(random))
                : null;
        if (login != null) {
            hello.setAuthMechanism(Scram.MECHANISM).setAuthData(ByteString.copyFrom(login.first()));
        }
        send(FrameKind.HELLO, 0, hello.build());
        byte[] answer = in.readNBytes(Preface.BYTES);
        if (answer.length < Preface.BYTES) {
            throw new IOException(address + " closed the connection at once");
        }
        Preface.Answer spoken = Preface.readServer(Unpooled.wrappedBuffer(answer));
        if (spoken.code() != Preface.OK) {
            throw new IOException(address + " takes no connection now, code " + spoken.code());
        }
        HelloOk ok = welcome();
        if (login == null) {
            return;
        }
        try {
            byte[] proof = login.proof(ok.getAuthData().toByteArray());
            send(
                    FrameKind.AUTH,
                    0,
                    Auth.newBuilder().setData(ByteString.copyFrom(proof)).build());
            if (!login.isProven(welcome().getAuthData().toByteArray())) {
                throw new IOException(address + " did not prove that it knows user " + access.user());
            }
        } catch (IllegalArgumentException e) {
            throw new IOException(address + " does not log in user " + access.user() + ": " + e.getMessage(), e);
        }
    }

    private HelloOk welcome() throws IOException, ElsewhereException {
        Received received = receive();
        try {
            if (received.frame.isError()) {
                Error error = received.frame.header(Error.parser());
                if (error.hasRedirect()) {
                    throw new ElsewhereException(new ListenAddress(
                            error.getRedirect().getHost(), error.getRedirect().getPort()));
                }
                throw failure(error);
            }
            return received.frame.header(HelloOk.parser());
        } finally {
            received.frame.release();
        }
    }

    ListenAddress address() {
        return address;
    }

    /** Sends a request; its answer has the number returned. */
    int send(FrameKind kind, int flags, MessageLite header) throws IOException {
        int correlation = nextCorrelation++;
        write(Frame.encode(UnpooledByteBufAllocator.DEFAULT, kind, flags, 0, correlation, header));
        return correlation;
    }

    private void write(ByteBuf frame) throws IOException {
        try {
            frame.readBytes(out, frame.readableBytes());
            out.flush();
        } finally {
            frame.release();
        }
    }

    /** The next answer, within ten seconds. */
    Received receive() throws IOException {
        while (true) {
            Frame frame = read();
            FrameKind kind = FrameKind.of(frame.kindCode());
            if (frame.isResponse() && kind != FrameKind.PING) {
                return new Received(frame);
            }
            try {
                if (kind == FrameKind.PING && !frame.isResponse() && frame.correlation() != 0) {
                    write(Frame.encode(
                            UnpooledByteBufAllocator.DEFAULT,
                            FrameKind.PING,
                            Frame.RESPONSE,
                            0,
                            frame.correlation(),
                            frame.header(Ping.parser())));
                } else if (kind == FrameKind.GO_AWAY) {
                    throw new IOException(address + " goes away");
                }
            } finally {
                frame.release();
            }
        }
    }

    private Frame read() throws IOException {
        byte[] prefix = new byte[Frame.PREFIX_BYTES];
        in.readFully(prefix);
        ByteBuffer fields = ByteBuffer.wrap(prefix);
        long length = fields.getInt() & 0xffffffffL;
        int kind = fields.get() & 0xff;
        int flags = fields.get() & 0xff;
        int channel = fields.getShort() & 0xffff;
        long headerBytes = fields.getInt() & 0xffffffffL;
        int correlation = fields.getInt();
        long payloadBytes = length - Frame.PREFIX_AFTER_LENGTH - headerBytes;
        if (length > MAX_FRAME_BYTES || headerBytes > Limits.MAX_BROKER_HEADER_BYTES || payloadBytes < 0) {
            throw new ProtocolException(
                    Code.MALFORMED_FRAME,
                    address + " sent a frame of " + length + " bytes with a header of " + headerBytes);
        }
        byte[] header = headerBytes == 0 ? NOTHING : new byte[(int) headerBytes];
        in.readFully(header);
        ByteBuf payload = payloadBytes == 0
                ? Unpooled.EMPTY_BUFFER
                : PooledByteBufAllocator.DEFAULT.directBuffer((int) payloadBytes);
        try {
            while (payload.writableBytes() > 0 && payload.writerIndex() < payloadBytes) {
                if (payload.writeBytes(in, (int) payloadBytes - payload.writerIndex()) < 0) {
                    throw new IOException(address + " closed the connection within a frame");
                }
            }
        } catch (IOException | RuntimeException e) {
            payload.release();
            throw e;
        }
        return new Frame(kind, flags, channel, correlation, Unpooled.wrappedBuffer(header), payload);
    }

    /** What a broker said, as an exception of ours. */
    static SpillwayException failure(Error error) {
        Code code = Code.of(error.getCode());
        return new SpillwayException(
                code == null ? Code.INTERNAL : code,
                error.getMessage(),
                error.getCause(),
                error.getNextStep(),
                error.getRetryAfterMs(),
                null);
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new IllegalStateException("closing a socket failed", e);
        }
    }
}

package io.spillway.system;

import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.Hello;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.util.Arrays;

/** A connection that says frame by frame what a test wants, where a client would know better. Not thread-safe. */
final class RawPeer implements AutoCloseable {
    private static final byte[] PREFACE = {(byte) 0x9b, 'S', 'P', 0x0a, 1, 1, 0, 0};
    private static final int TIMEOUT_MS = 20_000;

    /** A frame without its payload. */
    record Answer(int kind, int flags, int channel, int correlation, byte[] header) {
        boolean isError() {
            return (flags & Frame.ERROR) != 0;
        }

        /** The name of the error. */
        String reason() throws IOException {
            return Error.parseFrom(header).getReason();
        }
    }

    private final Socket socket;
    private final DataInputStream in;
    private int correlation;

    private RawPeer(Socket socket) throws IOException {
        this.socket = socket;
        in = new DataInputStream(socket.getInputStream());
    }

    /** Connects and says hello. */
    static RawPeer connect(BrokerProcess broker) throws IOException {
        RawPeer peer = open(broker);
        peer.ask(FrameKind.HELLO, 0, Hello.getDefaultInstance());
        return peer;
    }

    /** Connects and exchanges prefaces, no more. */
    static RawPeer open(BrokerProcess broker) throws IOException {
        String[] address = broker.wire().split(":");
        RawPeer peer = new RawPeer(new Socket(address[0], Integer.parseInt(address[1])));
        peer.socket.setSoTimeout(TIMEOUT_MS);
        peer.socket.getOutputStream().write(PREFACE);
        peer.in.readFully(new byte[PREFACE.length]);
        return peer;
    }

    /** Sends a request and reads on until its answer. */
    Answer ask(FrameKind kind, int channel, MessageLite header) throws IOException {
        return ask(kind, channel, header, new byte[0]);
    }

    /** The same with a payload. */
    Answer ask(FrameKind kind, int channel, MessageLite header, byte[] payload) throws IOException {
        int asked = tell(kind, channel, header, payload);
        while (true) {
            Answer answer = read();
            if (answer.correlation == asked) {
                return answer;
            }
        }
    }

    /** Sends a request and does not wait; the correlation of its answer. */
    int tell(FrameKind kind, int channel, MessageLite header, byte[] payload) throws IOException {
        ByteBuf frame = Frame.encodePrefix(
                UnpooledByteBufAllocator.DEFAULT, kind, 0, channel, ++correlation, header, payload.length);
        byte[] prefix = ByteBufUtil.getBytes(frame);
        frame.release();
        byte[] whole = Arrays.copyOf(prefix, prefix.length + payload.length);
        System.arraycopy(payload, 0, whole, prefix.length, payload.length);
        socket.getOutputStream().write(whole);
        return correlation;
    }

    /** Reads the next frame. Throws SocketTimeoutException after 20 s. */
    Answer read() throws IOException {
        int length = in.readInt();
        int kind = in.readUnsignedByte();
        int flags = in.readUnsignedByte();
        int channel = in.readUnsignedShort();
        byte[] header = new byte[in.readInt()];
        int answered = in.readInt();
        in.readFully(header);
        in.skipNBytes(length - 12L - header.length);
        return new Answer(kind, flags, channel, answered, header);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}

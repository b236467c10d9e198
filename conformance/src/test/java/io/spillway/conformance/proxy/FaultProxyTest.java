package io.spillway.conformance.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.Preface;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.Ping;
import io.spillway.protocol.v1.RetryClass;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The proxy between two plain sockets: what comes out on the other side. */
@Timeout(60)
class FaultProxyTest {
    private static final int PATIENCE_MS = 20_000;
    private static final int SILENCE_MS = 200;

    private Proxies proxies;
    private ServerSocket listener;
    private FaultProxy proxy;
    private Socket client = new Socket();
    private Socket broker = new Socket();

    @BeforeEach
    void open() throws IOException {
        proxies = new Proxies();
        listener = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        proxy = proxies.open("127.0.0.1:" + listener.getLocalPort());
    }

    private void connect() throws IOException {
        client = dial();
        broker = listener.accept();
        broker.setSoTimeout(PATIENCE_MS);
    }

    private Socket dial() throws IOException {
        String[] address = proxy.address().split(":");
        Socket socket = new Socket(address[0], Integer.parseInt(address[1]));
        socket.setSoTimeout(PATIENCE_MS);
        return socket;
    }

    @AfterEach
    void close() throws IOException {
        proxy.close();
        proxies.close();
        listener.close();
        client.close();
        broker.close();
    }

    private static ObjectNode with(String name, Object value) {
        return JsonNodeFactory.instance.objectNode().set(name, new ObjectMapper().valueToTree(value));
    }

    private void operate(String operation) {
        proxy.operate(operation, JsonNodeFactory.instance.objectNode());
    }

    private static String read(Socket from, int bytes) throws IOException {
        return new String(new DataInputStream(from.getInputStream()).readNBytes(bytes), StandardCharsets.US_ASCII);
    }

    private static void write(Socket to, String text) throws IOException {
        to.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    private void assertSilent(Socket socket) throws IOException {
        socket.setSoTimeout(SILENCE_MS);
        assertThatThrownBy(() -> read(socket, 1)).isInstanceOf(SocketTimeoutException.class);
        socket.setSoTimeout(PATIENCE_MS);
    }

    private void preface() throws IOException {
        ByteBuf preface = Unpooled.buffer();
        Preface.writeServer(preface, new Preface.Answer(1, 1, 1, Preface.OK));
        write(broker, preface);
        readFrameBytes(Preface.BYTES);
    }

    private static void write(Socket to, ByteBuf bytes) throws IOException {
        byte[] copy = new byte[bytes.readableBytes()];
        bytes.readBytes(copy);
        bytes.release();
        to.getOutputStream().write(copy);
    }

    private byte[] readFrameBytes(int bytes) throws IOException {
        return new DataInputStream(client.getInputStream()).readNBytes(bytes);
    }

    private Frame readFrame() throws IOException {
        DataInputStream in = new DataInputStream(client.getInputStream());
        int length = in.readInt();
        ByteBuf rest = Unpooled.wrappedBuffer(in.readNBytes(length));
        int kind = rest.readUnsignedByte();
        int flags = rest.readUnsignedByte();
        int channel = rest.readUnsignedShort();
        int headerBytes = rest.readInt();
        int correlation = rest.readInt();
        return new Frame(kind, flags, channel, correlation, rest.readSlice(headerBytes), rest);
    }

    private static ByteBuf ping(int correlation) {
        return Frame.encode(
                ByteBufAllocator.DEFAULT,
                FrameKind.PING,
                Frame.RESPONSE,
                3,
                correlation,
                Ping.newBuilder().setNonce(42).build());
    }

    @Test
    void passesBytesOnAndEndsWithItsPeers() throws IOException {
        connect();
        write(client, "hello");
        assertThat(read(broker, 5)).isEqualTo("hello");

        preface();
        write(broker, ping(7));
        Frame frame = readFrame();
        assertThat(frame.correlation()).isEqualTo(7);
        assertThat(frame.channel()).isEqualTo(3);
        assertThat(frame.header(Ping.parser()).getNonce()).isEqualTo(42);

        broker.close();
        assertThat(client.getInputStream().read()).isEqualTo(-1);
    }

    @Test
    void cutsWithAReset() throws IOException {
        connect();
        write(client, "x");
        read(broker, 1);

        operate("cut");

        assertThatThrownBy(() -> read(client, 1)).isInstanceOf(SocketException.class);
        assertThatThrownBy(() -> read(broker, 1)).isInstanceOf(SocketException.class);
        connect();
        write(client, "x");
        assertThat(read(broker, 1)).isEqualTo("x");
    }

    @Test
    void refusesUntilItIsHealed() throws IOException {
        operate("refuse");
        assertThatThrownBy(this::dial).isInstanceOf(ConnectException.class);

        operate("heal");
        connect();
        write(client, "x");
        assertThat(read(broker, 1)).isEqualTo("x");
    }

    @Test
    void holdsWhatGoesIntoABlackHoleAndLosesNothing() throws IOException {
        connect();
        proxy.operate("black_hole", with("direction", "to_broker"));
        write(client, "late");
        assertSilent(broker);
        preface();

        operate("heal");

        assertThat(read(broker, 4)).isEqualTo("late");
    }

    @Test
    void holdsNewConnectionsToo() throws IOException {
        operate("black_hole");
        connect();
        write(client, "x");
        assertSilent(broker);

        operate("heal");
        assertThat(read(broker, 1)).isEqualTo("x");
    }

    @Test
    void delaysAndLimits() throws IOException {
        connect();
        proxy.operate("delay", with("ms", 150));
        long startNs = System.nanoTime();
        write(client, "x");
        read(broker, 1);
        assertThat(System.nanoTime() - startNs).isGreaterThanOrEqualTo(150_000_000L);

        operate("heal");
        proxy.operate("limit", with("bytes_per_second", 100_000));
        startNs = System.nanoTime();
        write(client, "x".repeat(50_000));
        assertThat(read(broker, 50_000)).hasSize(50_000);
        assertThat(System.nanoTime() - startNs).isGreaterThanOrEqualTo(400_000_000L);
    }

    @Test
    void cutsAfterSoManyBytes() throws IOException {
        connect();
        proxy.operate("cut_after", with("bytes", 10).put("direction", "to_broker"));
        write(client, "0123456789abcdef");

        assertThat(read(broker, 10)).isEqualTo("0123456789");
        assertThatThrownBy(() -> read(client, 1)).isInstanceOf(SocketException.class);
    }

    @Test
    void answersForTheBroker() throws IOException {
        proxy.operate("refuse_preface", with("code", 1).put("min", 7).put("max", 9));
        client = dial();
        write(client, "anything");

        Preface.Answer answer = Preface.readServer(Unpooled.wrappedBuffer(readFrameBytes(Preface.BYTES)));
        assertThat(answer).isEqualTo(new Preface.Answer(0, 7, 9, 1));
        assertThat(client.getInputStream().read()).isEqualTo(-1);

        operate("heal");
        proxy.operate("answer", with("hex", "1503"));
        client.close();
        client = dial();
        write(client, "anything");
        assertThat(readFrameBytes(2)).containsExactly(0x15, 0x03);
    }

    @Test
    void changesErrorsAndFailsAnswers() throws IOException {
        connect();
        preface();
        ObjectNode rewrite = with("from", "TOPIC_NOT_FOUND")
                .put("code", 900)
                .put("reason", "NEW")
                .put("retry", "SAFE");
        proxy.operate("rewrite_error", rewrite);
        Error error = Error.newBuilder()
                .setCode(Code.TOPIC_NOT_FOUND.number())
                .setReason("TOPIC_NOT_FOUND")
                .setNextStep("look")
                .build();
        write(
                broker,
                Frame.encode(ByteBufAllocator.DEFAULT, FrameKind.METADATA, Frame.RESPONSE | Frame.ERROR, 0, 5, error));
        Error seen = readFrame().header(Error.parser());
        assertThat(seen.getCode()).isEqualTo(900);
        assertThat(seen.getReason()).isEqualTo("NEW");
        assertThat(seen.getRetry()).isEqualTo(RetryClass.RETRY_SAFE);
        assertThat(seen.getNextStep()).isEqualTo("look");

        proxy.operate(
                "fail_answer",
                with("kind", "PING").put("code", 901).put("reason", "NO").put("times", 1));
        write(broker, ping(8));
        write(broker, ping(9));
        Frame failed = readFrame();
        assertThat(failed.isError()).isTrue();
        assertThat(failed.correlation()).isEqualTo(8);
        assertThat(failed.header(Error.parser()).getCode()).isEqualTo(901);
        assertThat(readFrame().isError()).isFalse();
    }

    @Test
    void cutsInsteadOfAnAnswer() throws IOException {
        connect();
        preface();
        proxy.operate("cut_before_answer", with("kind", "PING"));
        write(broker, ping(8));

        assertThatThrownBy(() -> read(client, 1)).isInstanceOf(SocketException.class);
    }

    @Test
    void damagesDeliveriesAndSendsUnknownFrames() throws IOException {
        connect();
        preface();
        proxy.operate("corrupt_delivery", with("times", 1));
        byte[] payload = {1, 2, 3};
        for (int i = 0; i < 2; i++) {
            write(
                    broker,
                    Unpooled.wrappedBuffer(
                            Frame.encodePrefix(
                                    ByteBufAllocator.DEFAULT, FrameKind.DELIVER, 0, 4, 0, Ping.getDefaultInstance(), 3),
                            Unpooled.wrappedBuffer(Arrays.copyOf(payload, 3))));
        }
        assertThat(bytes(readFrame())).containsExactly(1, 2, ~3);
        assertThat(bytes(readFrame())).containsExactly(1, 2, 3);

        proxy.operate("unknown_frame", with("times", 1));
        write(broker, ping(9));
        assertThat(FrameKind.of(readFrame().kindCode())).isNull();
        assertThat(FrameKind.of(readFrame().kindCode())).isEqualTo(FrameKind.PING);
    }

    private static byte[] bytes(Frame frame) {
        byte[] bytes = new byte[frame.payload().readableBytes()];
        frame.payload().getBytes(frame.payload().readerIndex(), bytes);
        return bytes;
    }

    @Test
    void refusesOperationsItDoesNotKnow() {
        assertThatThrownBy(() -> operate("explode")).hasMessageContaining("explode");
        assertThatThrownBy(() -> proxy.operate("black_hole", with("direction", "sideways")))
                .hasMessageContaining("sideways");
    }
}

package io.spillway.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.broker.config.ConfigLoader;
import io.spillway.broker.config.Settings;
import io.spillway.client.Header;
import io.spillway.client.Message;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import io.spillway.protocol.Crc;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.Preface;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.RecordView;
import io.spillway.protocol.v1.Hello;
import io.spillway.protocol.v1.OpenPublisher;
import io.spillway.protocol.v1.Publish;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A batch whose checksum and index are right and whose record is not: the broker does not look inside when it comes. */
@Timeout(60)
class MalformedRecordTest {
    private static final byte[] NONE = {};

    @TempDir
    Path directory;

    private Broker broker;
    private SpillwayClient client;

    @BeforeEach
    void start() {
        ConfigLoader loader = new ConfigLoader()
                .flag("--data-dir", Settings.DATA_DIR, directory.resolve("data").toString())
                .flag("--listen", Settings.LISTEN, "127.0.0.1:0")
                .flag("--http", Settings.HTTP, "127.0.0.1:0");
        broker = Broker.start(BrokerConfig.of(loader.load()));
        client = SpillwayClient.builder()
                .endpoints("127.0.0.1:" + broker.wireAddress().getPort())
                .connect();
    }

    @AfterEach
    void stop() {
        client.close();
        assertThat(broker.stop()).isTrue();
    }

    @Test
    void goesToTheDeadLettersAsItsBytesAndHarmsNobody() throws IOException {
        client.admin().createTopic("orders", 1, Map.of());
        ByteBuf batch = malformedBatch();
        publish("orders", ByteBufUtil.getBytes(batch));

        try (Subscription group =
                client.subscribe("orders").group("billing").maxDeliveries(1).open()) {
            await("the record is given up").until(() -> {
                group.poll(Duration.ofMillis(100));
                return client.admin().listTopics().stream()
                        .anyMatch(topic -> topic.name().equals("orders.dlq"));
            });
        }

        try (Subscription dead =
                client.subscribe("orders.dlq").start(StartPosition.earliest()).open()) {
            Message message =
                    await("the dead letter").until(() -> dead.poll(Duration.ofSeconds(1)), found -> found != null);
            int recordBytes = RecordBatch.recordBytes(batch, 0, 0);
            assertThat(message.value())
                    .isEqualTo(ByteBufUtil.getBytes(batch, RecordBatch.bodyStart(batch, 0), recordBytes));
            assertThat(message.headers()).extracting(Header::name).contains("spillway-dlq-cause");
        }
        assertThat(broker.health().live()).isTrue();
    }

    /** Its first record says that it has a trace, for which it is too short. */
    private static ByteBuf malformedBatch() {
        RecordBatchWriter writer = new RecordBatchWriter(UnpooledByteBufAllocator.DEFAULT, 1 << 20);
        writer.add(RecordParts.of(1_000, new byte[4]));
        RecordBatchWriter.Batch parts = writer.finish(0, 0, 0);
        ByteBuf batch = Unpooled.buffer().writeBytes(parts.head()).writeBytes(parts.body());
        parts.release();
        batch.setByte(RecordBatch.bodyStart(batch, 0) + 4, RecordView.HAS_TRACE);
        int bytes = batch.readableBytes() - RecordBatch.CRC_START;
        return batch.setInt(28, Crc.crc32c(batch, RecordBatch.CRC_START, bytes));
    }

    /** As no client of ours would. */
    private void publish(String topic, byte[] batch) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", broker.wireAddress().getPort())) {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            ByteBuf preface = Unpooled.buffer();
            Preface.writeClient(preface);
            socket.getOutputStream().write(ByteBufUtil.getBytes(preface));
            in.readNBytes(Preface.BYTES);
            ask(socket, FrameKind.HELLO, 0, Hello.getDefaultInstance(), NONE);
            ask(
                    socket,
                    FrameKind.OPEN_PUBLISHER,
                    1,
                    OpenPublisher.newBuilder().setTopic(topic).build(),
                    NONE);
            ask(socket, FrameKind.PUBLISH, 1, Publish.getDefaultInstance(), batch);
        }
    }

    /** Sends a request and reads up to its answer, which must be no error. */
    private static void ask(Socket socket, FrameKind kind, int channel, MessageLite header, byte[] payload)
            throws IOException {
        ByteBuf frame = Frame.encodePrefix(
                        UnpooledByteBufAllocator.DEFAULT, kind, 0, channel, 1, header, payload.length)
                .writeBytes(payload);
        socket.getOutputStream().write(ByteBufUtil.getBytes(frame));
        frame.release();
        DataInputStream in = new DataInputStream(socket.getInputStream());
        byte[] answer;
        do {
            answer = in.readNBytes(in.readInt());
        } while (answer[0] != kind.code());
        assertThat(answer[1]).as("flags of the answer to %s", kind).isEqualTo((byte) Frame.RESPONSE);
    }
}

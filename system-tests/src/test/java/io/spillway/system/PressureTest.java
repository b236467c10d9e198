package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.client.SpillwayClient;
import io.spillway.protocol.Features;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.ClosePublisher;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.Hello;
import io.spillway.protocol.v1.OpenPublisher;
import io.spillway.protocol.v1.PressureReason;
import io.spillway.protocol.v1.PressureState;
import io.spillway.protocol.v1.Publish;
import io.spillway.protocol.v1.PublishAck;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a broker under pressure says and refuses. The disk has less than twice the space that publishing needs. */
@Timeout(60)
class PressureTest {
    @TempDir
    static Path directory;

    private static BrokerProcess broker;

    @BeforeAll
    static void start() throws IOException {
        long freeBytes = Files.getFileStore(directory).getUsableSpace();
        broker = BrokerProcess.start(directory.resolve("data"), "log.min-free-bytes=" + freeBytes * 58 / 100);
        try (SpillwayClient client = broker.client()) {
            client.admin().createTopic("orders", 1, Map.of("durability", "mapped"));
            client.admin().createTopic("statistics", 1, Map.of("durability", "mapped", "shed.class", "3"));
        }
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    /** A peer that wants to hear of pressure, and has heard of it. */
    private static Backpressure hear(RawPeer peer, String domain) throws IOException {
        Hello hello = Hello.newBuilder()
                .setFailureDomain(domain)
                .addFeatures(Features.PRESSURE)
                .build();
        assertThat(peer.ask(FrameKind.HELLO, 0, hello).isError()).isFalse();
        while (true) {
            RawPeer.Answer frame = peer.read();
            if (frame.kind() == FrameKind.BACKPRESSURE.code()) {
                Backpressure signal = Backpressure.parseFrom(frame.header());
                if (signal.getState() == PressureState.P_THROTTLED) {
                    return signal;
                }
            }
        }
    }

    private static RawPeer.Answer publish(RawPeer peer, int shedClass) throws IOException {
        return publish(peer, Publish.newBuilder().setShedClass(shedClass).build());
    }

    private static RawPeer.Answer publish(RawPeer peer, Publish header) throws IOException {
        RecordBatchWriter writer = new RecordBatchWriter(UnpooledByteBufAllocator.DEFAULT, 1 << 20);
        writer.add(RecordParts.of(1, "v".getBytes(StandardCharsets.UTF_8)));
        RecordBatchWriter.Batch batch = writer.finish(0, 0, 0);
        byte[] bytes = ByteBufUtil.getBytes(
                Unpooled.wrappedBuffer(batch.head().slice(), batch.body().slice()));
        batch.release();
        return peer.ask(FrameKind.PUBLISH, 1, header, bytes);
    }

    @Test
    void saysWhyAndForHowLongAndRefusesOnlyWhatMattersLeast() throws IOException {
        try (RawPeer peer = RawPeer.open(broker)) {
            Backpressure signal = hear(peer, "go");

            assertThat(signal.getReasonsList()).startsWith(PressureReason.R_DISK_SPACE);
            assertThat(signal.getScope()).isEqualTo("broker");
            assertThat(signal.getSeq()).isPositive();
            assertThat(signal.getValidForMs()).isGreaterThanOrEqualTo(3_000);
            OpenPublisher open = OpenPublisher.newBuilder().setTopic("orders").build();
            assertThat(peer.ask(FrameKind.OPEN_PUBLISHER, 1, open).isError()).isFalse();

            Error refused = Error.parseFrom(publish(peer, 3).header());
            assertThat(refused.getReason()).isEqualTo("THROTTLED");
            assertThat(refused.getMetadataMap())
                    .containsEntry("reason", "DISK_SPACE")
                    .containsEntry("scope", "broker");
            assertThat(refused.getRetryAfterMs()).isPositive();

            RawPeer.Answer taken = publish(peer, 2);
            assertThat(taken.isError()).isFalse();
            assertThat(PublishAck.parseFrom(taken.header()).getState()).isEqualTo(PressureState.P_THROTTLED);
        }
    }

    @Test
    void whatDoesNotSayItsClassIsOfItsTopics() throws IOException {
        try (RawPeer peer = RawPeer.open(broker)) {
            hear(peer, "java");
            OpenPublisher bulk =
                    OpenPublisher.newBuilder().setTopic("statistics").build();
            assertThat(peer.ask(FrameKind.OPEN_PUBLISHER, 1, bulk).isError()).isFalse();

            assertThat(publish(peer, Publish.getDefaultInstance()).reason()).isEqualTo("THROTTLED");
            assertThat(publish(peer, 0).isError()).as("0 was said").isFalse();

            peer.ask(FrameKind.CLOSE_PUBLISHER, 1, ClosePublisher.getDefaultInstance());
            OpenPublisher other = OpenPublisher.newBuilder().setTopic("orders").build();
            assertThat(peer.ask(FrameKind.OPEN_PUBLISHER, 1, other).isError()).isFalse();
            assertThat(publish(peer, Publish.getDefaultInstance()).isError()).isFalse();
        }
    }

    @Test
    void aStateThatLastsIsToldAgainBeforeItLosesItsValidity() throws IOException {
        try (RawPeer peer = RawPeer.open(broker)) {
            Backpressure first = hear(peer, "rust");
            RawPeer.Answer frame;
            do {
                frame = peer.read();
            } while (frame.kind() != FrameKind.BACKPRESSURE.code());

            Backpressure again = Backpressure.parseFrom(frame.header());
            assertThat(again.getSeq()).isGreaterThan(first.getSeq());
            assertThat(again.getState()).isEqualTo(PressureState.P_THROTTLED);
            assertThat(again.getRetryAfterMs()).as("nobody waits anew").isZero();
        }
    }
}

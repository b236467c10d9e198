package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.client.SpillwayClient;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.Durability;
import io.spillway.protocol.v1.Hello;
import io.spillway.protocol.v1.HelloOk;
import io.spillway.protocol.v1.OpenPublisher;
import io.spillway.protocol.v1.Publish;
import io.spillway.protocol.v1.PublishAck;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a peer asks for and what it is given, by the protocol's own fields. */
@Timeout(60)
class SessionTermsTest {
    private static final int FROM_A_NEWER_BROKER = 9;
    private static final long HOUR_MS = 3_600_000;

    @TempDir
    static Path directory;

    private static BrokerProcess broker;

    @BeforeAll
    static void start() {
        broker = BrokerProcess.start(directory.resolve("data"));
        try (SpillwayClient client = broker.client()) {
            client.admin().createTopic("weak", 1, Map.of("durability", "mapped"));
            client.admin().createTopic("clock", 1, Map.of("durability", "mapped"));
        }
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    private static int heartbeatMs(int asked) throws IOException {
        try (RawPeer peer = RawPeer.open(broker)) {
            Hello hello = Hello.newBuilder().setHeartbeatMs(asked).build();
            return HelloOk.parseFrom(peer.ask(FrameKind.HELLO, 0, hello).header())
                    .getHeartbeatMs();
        }
    }

    @Test
    void givesTheShorterOfBothSidesHeartbeats() throws IOException {
        assertThat(heartbeatMs(0)).isEqualTo(5_000);
        assertThat(heartbeatMs(2_000)).isEqualTo(2_000);
        assertThat(heartbeatMs(1)).isEqualTo(1_000);
        assertThat(heartbeatMs(60_000)).isEqualTo(5_000);
    }

    private static RawPeer.Answer publish(boolean allowDegraded, Durability durability) throws IOException {
        return publish(allowDegraded, durability.getNumber());
    }

    private static RawPeer.Answer publish(boolean allowDegraded, int durability) throws IOException {
        try (RawPeer peer = RawPeer.connect(broker)) {
            OpenPublisher open = OpenPublisher.newBuilder()
                    .setTopic("weak")
                    .setAllowDegraded(allowDegraded)
                    .build();
            assertThat(peer.ask(FrameKind.OPEN_PUBLISHER, 1, open).isError()).isFalse();
            Publish publish =
                    Publish.newBuilder().setDurabilityValue(durability).build();
            return peer.ask(FrameKind.PUBLISH, 1, publish, batch());
        }
    }

    @Test
    void aClientsClockSaysNothingOfItsDeadlines() throws IOException {
        for (long skewMs : new long[] {-HOUR_MS, HOUR_MS}) {
            long beganMs = System.currentTimeMillis();
            try (RawPeer peer = RawPeer.open(broker)) {
                Hello hello = Hello.newBuilder().setUnixMs(beganMs + skewMs).build();
                assertThat(peer.ask(FrameKind.HELLO, 0, hello).isError()).isFalse();
                OpenPublisher open =
                        OpenPublisher.newBuilder().setTopic("clock").build();
                assertThat(peer.ask(FrameKind.OPEN_PUBLISHER, 1, open).isError())
                        .isFalse();
                Publish publish = Publish.newBuilder().setTimeoutMs(20_000).build();
                RawPeer.Answer answer = peer.ask(FrameKind.PUBLISH, 1, publish, batch(beganMs + skewMs));
                assertThat(answer.isError()).as("%d ms", skewMs).isFalse();
                assertThat(PublishAck.parseFrom(answer.header()).getAppendUnixMs())
                        .isBetween(beganMs - 1, System.currentTimeMillis() + 1);
            }
        }
    }

    private static byte[] batch() {
        return batch(1);
    }

    private static byte[] batch(long unixMs) {
        RecordBatchWriter writer = new RecordBatchWriter(UnpooledByteBufAllocator.DEFAULT, 1 << 20);
        writer.add(RecordParts.of(unixMs, "v".getBytes(StandardCharsets.UTF_8)));
        RecordBatchWriter.Batch batch = writer.finish(0, 0, 0);
        byte[] bytes = ByteBufUtil.getBytes(
                Unpooled.wrappedBuffer(batch.head().slice(), batch.body().slice()));
        batch.release();
        return bytes;
    }

    @Test
    void neverAcksLessThanAPublishAsksFor() throws IOException {
        assertThat(publish(false, Durability.DUR_QUORUM).reason()).isEqualTo("DURABILITY_UNAVAILABLE");
        assertThat(publish(false, Durability.DUR_QUORUM_MAPPED).reason()).isEqualTo("DURABILITY_UNAVAILABLE");

        assertThat(publish(false, FROM_A_NEWER_BROKER).reason()).isEqualTo("DURABILITY_UNAVAILABLE");

        PublishAck less =
                PublishAck.parseFrom(publish(true, Durability.DUR_QUORUM).header());
        assertThat(less.getReached()).isEqualTo(Durability.DUR_SYNCED);
        assertThat(less.getDegraded()).isTrue();
        assertThat(less.getBaseOffset()).as("refused ones are not stored").isZero();

        PublishAck unknown =
                PublishAck.parseFrom(publish(true, FROM_A_NEWER_BROKER).header());
        assertThat(unknown.getReached()).isEqualTo(Durability.DUR_SYNCED);
        assertThat(unknown.getDegraded()).isTrue();

        PublishAck synced =
                PublishAck.parseFrom(publish(false, Durability.DUR_SYNCED).header());
        assertThat(synced.getReached()).isEqualTo(Durability.DUR_SYNCED);
        assertThat(synced.getDegraded()).isFalse();
        PublishAck mapped =
                PublishAck.parseFrom(publish(false, Durability.DUR_DEFAULT).header());
        assertThat(mapped.getReached()).isEqualTo(Durability.DUR_MAPPED);
    }
}

package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.client.SpillwayClient;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.Hello;
import io.spillway.protocol.v1.OpenPublisher;
import io.spillway.protocol.v1.Publish;
import io.spillway.protocol.v1.PublishAck;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Quotas from the command line to the ack. */
@Timeout(120)
class QuotaTest {
    private static final int RATE = 1_000;

    @TempDir
    Path directory;

    private static RawPeer publisher(BrokerProcess broker, String client, String topic) throws IOException {
        RawPeer peer = RawPeer.open(broker);
        Hello hello = Hello.newBuilder().setClientId(client).setLang("go").build();
        assertThat(peer.ask(FrameKind.HELLO, 0, hello).isError()).isFalse();
        OpenPublisher open = OpenPublisher.newBuilder().setTopic(topic).build();
        assertThat(peer.ask(FrameKind.OPEN_PUBLISHER, 1, open).isError()).isFalse();
        return peer;
    }

    private static RawPeer.Answer publish(RawPeer peer, int bytes) throws IOException {
        RecordBatchWriter writer = new RecordBatchWriter(UnpooledByteBufAllocator.DEFAULT, 1 << 20);
        writer.add(RecordParts.of(1, new byte[bytes]));
        RecordBatchWriter.Batch batch = writer.finish(0, 0, 0);
        byte[] sent = ByteBufUtil.getBytes(
                Unpooled.wrappedBuffer(batch.head().slice(), batch.body().slice()));
        batch.release();
        return peer.ask(FrameKind.PUBLISH, 1, Publish.getDefaultInstance(), sent);
    }

    private static int throttleMs(RawPeer.Answer answer) throws IOException {
        assertThat(answer.isError()).isFalse();
        return PublishAck.parseFrom(answer.header()).getThrottleMs();
    }

    private static String quota(BrokerProcess broker, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("quota"));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--http", broker.http()));
        Cli run = Cli.run(command.toArray(String[]::new));
        assertThat(run.exit()).as(run.err()).isZero();
        return run.out();
    }

    @Test
    void whatIsOverTheQuotaIsTakenAndOwedAndTooMuchOfItRefused() throws IOException, InterruptedException {
        try (BrokerProcess broker = BrokerProcess.start(directory.resolve("data"))) {
            try (SpillwayClient client = broker.client()) {
                client.admin().createTopic("orders", 1, Map.of("durability", "mapped"));
                client.admin().createTopic("other", 1, Map.of("durability", "mapped"));
            }
            quota(broker, "set", "principal-topic", "billing/orders", "--rate", String.valueOf(RATE));
            try (RawPeer billing = publisher(broker, "billing", "orders");
                    RawPeer elsewhere = publisher(broker, "billing", "other");
                    RawPeer shipping = publisher(broker, "shipping", "orders")) {
                Awaitility.await("the quota is in effect").until(() -> throttleMs(publish(billing, 2_000)) > 0);
                assertThat(throttleMs(publish(billing, 10 * RATE)))
                        .as("taken all the same")
                        .isEqualTo(5_000);

                Error refused = Error.parseFrom(publish(billing, 1).header());

                assertThat(refused.getReason()).isEqualTo("THROTTLED");
                assertThat(refused.getRetryAfterMs()).isEqualTo(5_000);
                assertThat(refused.getMetadataMap())
                        .containsEntry("reason", "QUOTA")
                        .containsEntry("scope", "principal-topic:billing/orders");
                assertThat(throttleMs(publish(elsewhere, 10 * RATE))).isZero();
                assertThat(throttleMs(publish(shipping, 10 * RATE))).isZero();
            }
            try (RawPeer again = publisher(broker, "billing", "orders")) {
                assertThat(Error.parseFrom(publish(again, 1).header()).getReason())
                        .as("debt is not left behind by connecting again")
                        .isEqualTo("THROTTLED");
            }
        }
    }

    @Test
    void quotasAreShownAndKeptAndRemoved() throws IOException, InterruptedException {
        try (BrokerProcess broker = BrokerProcess.start(directory.resolve("data"))) {
            quota(broker, "set", "domain", "rust", "--rate", "5000", "--burst", "7000");
            broker.kill9();
            broker.start();

            assertThat(quota(broker, "show"))
                    .contains("domain")
                    .contains("rust")
                    .contains("5000")
                    .contains("7000");

            quota(broker, "remove", "domain", "rust");
            Awaitility.await("it is gone")
                    .untilAsserted(() -> assertThat(quota(broker, "show")).doesNotContain("rust"));
        }
    }
}

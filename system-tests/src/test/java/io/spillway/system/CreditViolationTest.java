package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.client.SpillwayClient;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.OpenPublisher;
import io.spillway.protocol.v1.Publish;
import java.io.IOException;
import java.net.SocketException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a broker does with a client that sends more than it has credit for. */
@Timeout(60)
class CreditViolationTest {
    @TempDir
    Path directory;

    private static byte[] batch() {
        RecordBatchWriter writer = new RecordBatchWriter(UnpooledByteBufAllocator.DEFAULT, 1 << 20);
        writer.add(RecordParts.of(1, new byte[8]));
        RecordBatchWriter.Batch batch = writer.finish(0, 0, 0);
        byte[] bytes = ByteBufUtil.getBytes(
                Unpooled.wrappedBuffer(batch.head().slice(), batch.body().slice()));
        batch.release();
        return bytes;
    }

    /** Publishes more than there is credit for; false when the connection is closed, and why is left to be read. */
    private static boolean tell(RawPeer peer, byte[] batch) throws IOException {
        try {
            for (int i = 0; i < 4; i++) {
                peer.tell(FrameKind.PUBLISH, 1, Publish.getDefaultInstance(), batch);
            }
            return true;
        } catch (SocketException e) {
            return false;
        }
    }

    @Test
    void whoPublishesWithoutCreditAgainAndAgainHasToGo() throws Exception {
        try (BrokerProcess strict = BrokerProcess.start(directory.resolve("strict"), "publish.window-batches=1");
                SpillwayClient client = strict.client()) {
            client.admin().createTopic("orders", 1, Map.of("durability", "synced"));
            try (RawPeer peer = RawPeer.connect(strict)) {
                OpenPublisher open =
                        OpenPublisher.newBuilder().setTopic("orders").build();
                assertThat(peer.ask(FrameKind.OPEN_PUBLISHER, 1, open).isError())
                        .isFalse();
                byte[] batch = batch();
                int violations = 0;
                boolean isSentAway = false;
                while (!isSentAway) {
                    boolean isClosed = !tell(peer, batch);
                    for (int answered = 0; (answered < 4 || isClosed) && !isSentAway; ) {
                        RawPeer.Answer next = peer.read();
                        isSentAway = next.kind() == FrameKind.GO_AWAY.code();
                        if (next.kind() == FrameKind.PUBLISH.code()) {
                            answered++;
                            violations += next.isError() && next.reason().equals("CREDIT_VIOLATION") ? 1 : 0;
                        }
                    }
                }

                assertThat(violations).isGreaterThanOrEqualTo(6);
            }
        }
    }
}

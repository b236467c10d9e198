package io.spillway.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.spillway.protocol.v1.Ping;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ProtocolVectorsTest {
    @Test
    void hashesKeys() {
        Vectors.run("key_hash", Set.of("key", "expect_hash", "expect_slot"), one -> {
            int hash = KeyHash.of(one.get("key").asText().getBytes(StandardCharsets.UTF_8));

            assertThat("%08x".formatted(hash)).isEqualTo(one.get("expect_hash").asText());
            assertThat(KeyHash.slot(hash)).isEqualTo(one.get("expect_slot").asInt());
        });
    }

    @Test
    void rollsOutToggles() {
        Set<String> keys =
                Set.of("name", "toggle", "instance_id", "rollout_bp", "value", "fallback", "expect_bucket", "expect");
        Vectors.run("toggle", keys, one -> {
            String toggle = one.get("toggle").asText();
            byte[] id = ByteBufUtil.decodeHexDump(one.get("instance_id").asText());
            boolean isIn = Rollout.includes(toggle, id, one.get("rollout_bp").asInt());

            assertThat(Rollout.bucket(toggle, id))
                    .isEqualTo(one.get("expect_bucket").asInt());
            assertThat(one.get(isIn ? "value" : "fallback")).isEqualTo(one.get("expect"));
        });
    }

    @Test
    void shakesHands() {
        Vectors.run(
                "handshake",
                Set.of(
                        "client",
                        "server",
                        "expect",
                        "client_offer",
                        "client_require",
                        "server_offer",
                        "server_require"),
                one -> {
                    if (one.has("client")) {
                        negotiatesVersion(one);
                    } else {
                        negotiatesFeatures(one);
                    }
                });
    }

    private static void negotiatesVersion(JsonNode one) {
        int version = Preface.choose(
                one.get("client").get(0).asInt(),
                one.get("client").get(1).asInt(),
                one.get("server").get(0).asInt(),
                one.get("server").get(1).asInt());

        assertThat(version).isEqualTo(one.get("expect").get("version").asInt());
    }

    private static void negotiatesFeatures(JsonNode one) {
        Features.Outcome outcome = Features.negotiate(
                numbers(one.get("client_offer")),
                numbers(one.get("client_require")),
                numbers(one.get("server_offer")),
                numbers(one.get("server_require")));

        JsonNode expect = one.get("expect");
        assertThat(outcome.isAgreed()).isEqualTo(!expect.has("code"));
        if (outcome.isAgreed()) {
            assertThat(outcome.active()).isEqualTo(List.copyOf(numbers(expect.get("active"))));
        } else {
            assertThat(outcome.clientNeeds()).isEqualTo(List.copyOf(numbers(expect.get("client_needs"))));
            assertThat(outcome.serverNeeds()).isEqualTo(List.copyOf(numbers(expect.get("server_needs"))));
        }
    }

    private static Set<Integer> numbers(JsonNode array) {
        Set<Integer> numbers = new LinkedHashSet<>();
        array.forEach(number -> numbers.add(number.asInt()));
        return numbers;
    }

    @Test
    void encodesFrames() {
        Vectors.run(
                "frame",
                Set.of("name", "kind", "flags", "channel", "correlation", "header_hex", "hex", "payload", "length"),
                one -> {
                    if (one.has("hex")) {
                        ByteBuf encoded = Frame.encode(
                                Unpooled.buffer().alloc(),
                                Objects.requireNonNull(
                                        FrameKind.of(one.get("kind").asInt())),
                                one.get("flags").asInt(),
                                one.get("channel").asInt(),
                                one.get("correlation").asInt(),
                                Ping.newBuilder().setNonce(5).build());
                        assertThat(ByteBufUtil.hexDump(encoded))
                                .isEqualTo(one.get("hex").asText());
                        encoded.release();
                    }
                    decodes(one);
                });
    }

    private static void decodes(JsonNode one) {
        byte[] header = ByteBufUtil.decodeHexDump(one.get("header_hex").asText());
        byte[] payload = one.has("payload") ? twoRecords() : new byte[0];
        ByteBuf bytes = Unpooled.buffer();
        bytes.writeInt(12 + header.length + payload.length)
                .writeByte(one.get("kind").asInt())
                .writeByte(one.get("flags").asInt())
                .writeShort(one.get("channel").asInt())
                .writeInt(header.length)
                .writeInt(one.get("correlation").asInt())
                .writeBytes(header)
                .writeBytes(payload);
        if (one.has("length")) {
            assertThat(bytes.readableBytes()).isEqualTo(one.get("length").asInt());
        }
        EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder(1 << 20, Limits.MAX_CLIENT_HEADER_BYTES));

        channel.writeInbound(bytes);

        Frame frame = channel.readInbound();
        assertThat(frame.kindCode()).isEqualTo(one.get("kind").asInt());
        assertThat(frame.channel()).isEqualTo(one.get("channel").asInt());
        assertThat(frame.correlation()).isEqualTo(one.get("correlation").asInt());
        assertThat(ByteBufUtil.getBytes(frame.header())).isEqualTo(header);
        assertThat(ByteBufUtil.getBytes(frame.payload())).isEqualTo(payload);
        frame.release();
        channel.finishAndReleaseAll();
    }

    /** The bytes of the record_batch suite's second case. */
    static byte[] twoRecords() {
        byte[][] found = new byte[1][];
        Vectors.run("record_batch", BATCH_KEYS, one -> {
            if (one.has("crc_hex")) {
                found[0] = ByteBufUtil.decodeHexDump(one.get("hex").asText());
            }
        });
        return found[0];
    }

    private static final Set<String> BATCH_KEYS = Set.of("name", "ascii", "expect_hex", "hex", "length", "crc_hex");

    @Test
    void readsAndStampsBatches() {
        ByteBuf stamped = Unpooled.copiedBuffer(twoRecords());
        RecordBatch.stamp(stamped, 0, 777, 9, 1_700_000_000_123L);

        Vectors.run("record_batch", BATCH_KEYS, one -> {
            if (one.has("ascii")) {
                int crc = Crc.crc32c(one.get("ascii").asText().getBytes(StandardCharsets.US_ASCII));
                assertThat("%08x".formatted(crc))
                        .isEqualTo(one.get("expect_hex").asText());
                return;
            }
            ByteBuf batch = Unpooled.wrappedBuffer(
                    ByteBufUtil.decodeHexDump(one.get("hex").asText()));
            assertThat(RecordBatch.validate(batch, 0, batch.readableBytes(), 1 << 20))
                    .isEqualTo(one.get("length").asInt());
            if (one.has("crc_hex")) {
                assertThat("%08x".formatted(RecordBatch.crc(batch, 0)))
                        .isEqualTo(one.get("crc_hex").asText());
                readsTwoRecords(batch);
            } else {
                assertThat(ByteBufUtil.hexDump(stamped))
                        .isEqualTo(one.get("hex").asText());
            }
        });
    }

    private static void readsTwoRecords(ByteBuf batch) {
        RecordView view = new RecordView().wrap(batch, 0);
        assertThat(view.next()).isTrue();
        assertThat(view.key()).asString().isEqualTo("k1");
        assertThat(view.value()).asString().isEqualTo("hello");
        assertThat(RecordBatch.keyHash(batch, 0, 0)).isEqualTo(KeyHash.of("k1".getBytes(StandardCharsets.UTF_8)));
        assertThat(view.next()).isTrue();
        assertThat(view.key()).isNull();
        assertThat(view.trace()).hasSize(RecordView.TRACE_BYTES);
        assertThat(view.headerCount()).isEqualTo(1);
        view.headers((name, buffer, at, bytes) -> {
            assertThat(name).isEqualTo("ct");
            assertThat(buffer.toString(at, bytes, StandardCharsets.UTF_8)).isEqualTo("text");
        });
        assertThat(view.value()).asString().isEqualTo("world!");
        assertThat(view.next()).isFalse();
    }

    @Test
    void writesTheSameBytesAsTheVectors() {
        RecordBatchWriter writer = new RecordBatchWriter(Unpooled.buffer().alloc(), 1 << 20);
        byte[] key = "k1".getBytes(StandardCharsets.UTF_8);
        byte[] trace = ByteBufUtil.decodeHexDump("004bf92f3577b34da6a3ce929d0e0e473600f067aa0ba902b701");
        long timeMs = 1_700_000_000_000L;
        writer.add(new RecordParts(timeMs, key, KeyHash.of(key), List.of(), bytes("hello"), null, null, -1, -1));
        writer.add(new RecordParts(
                timeMs + 5,
                null,
                0,
                List.of(java.util.Map.entry("ct", bytes("text"))),
                bytes("world!"),
                null,
                trace,
                -1,
                -1));

        RecordBatchWriter.Batch batch = writer.finish(42, 3, 1000);

        byte[] expected = twoRecords();
        // The vector's max_ts_delta is 0 though its second record has 5; everything else is the same.
        ByteBuf written = Unpooled.wrappedBuffer(batch.head(), batch.body());
        assertThat(written.readableBytes()).isEqualTo(expected.length);
        assertThat(ByteBufUtil.hexDump(written, 32, 32)).isEqualTo(ByteBufUtil.hexDump(expected, 32, 32));
        assertThat(ByteBufUtil.hexDump(written, 68, expected.length - 68))
                .isEqualTo(ByteBufUtil.hexDump(expected, 68, expected.length - 68));
        written.release();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}

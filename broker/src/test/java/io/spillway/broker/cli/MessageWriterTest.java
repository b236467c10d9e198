package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.client.Header;
import io.spillway.client.Message;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class MessageWriterTest {
    private static final byte[] NOT_UTF8 = {(byte) 0xff, 0, 1};

    @Test
    void writesAllOfAMessageAsOneLineOfJson() throws IOException {
        Delivered message = new Delivered(utf8("k"), utf8("a \"b\"\nc é"), List.of(new Header("h", utf8("v"))), false);

        assertThat(written(message, true))
                .isEqualTo("{\"topic\":\"orders\",\"partition\":3,\"offset\":42,\"key\":\"k\","
                        + "\"value\":\"a \\\"b\\\"\\nc é\",\"headers\":{\"h\":\"v\"},\"attempt\":2,"
                        + "\"timestamp\":1000,\"append_time\":2000}\n");
    }

    @Test
    void writesBytesThatAreNotTextInBase64() throws IOException {
        assertThat(written(new Delivered(NOT_UTF8, NOT_UTF8, List.of(new Header("h", NOT_UTF8)), false), true))
                .contains(
                        "\"key_base64\":\"/wAB\"",
                        "\"value_base64\":\"/wAB\"",
                        "\"headers\":{\"h\":{\"base64\":\"/wAB\"}}")
                .doesNotContain("\"key\":", "\"value\":");
    }

    @Test
    void writesNoKeyAsNullAndARepeatedHeaderAsAList() throws IOException {
        List<Header> headers =
                List.of(new Header("h", utf8("1")), new Header("i", utf8("2")), new Header("h", utf8("3")));

        assertThat(written(new Delivered(null, utf8(""), headers, false), true))
                .contains("\"key\":null", "\"value\":\"\"", "\"headers\":{\"h\":[\"1\",\"3\"],\"i\":\"2\"}");
    }

    @Test
    void saysOfATombstoneThatItIsOne() throws IOException {
        assertThat(written(new Delivered(utf8("k"), utf8(""), List.of(), true), true))
                .endsWith("\"append_time\":2000,\"tombstone\":true}\n");
    }

    @Test
    void writesTheBareValueAsText() throws IOException {
        assertThat(written(new Delivered(utf8("k"), utf8("value"), List.of(), false), false))
                .isEqualTo("value\n");
    }

    private static String written(Message message, boolean json) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Console console = new Console(
                new ByteArrayInputStream(new byte[0]), out, new PrintStream(new ByteArrayOutputStream()), false);
        MessageWriter writer = new MessageWriter(console, json);
        writer.write(message);
        writer.flush();
        return out.toString(StandardCharsets.UTF_8);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private record Delivered(byte @Nullable [] key, byte[] value, List<Header> headers, boolean isTombstone)
            implements Message {
        @Override
        public String topic() {
            return "orders";
        }

        @Override
        public int partition() {
            return 3;
        }

        @Override
        public long offset() {
            return 42;
        }

        @Override
        public ByteBuffer valueBuffer() {
            return ByteBuffer.wrap(value).asReadOnlyBuffer();
        }

        @Override
        public int attempt() {
            return 2;
        }

        @Override
        public int failures() {
            return 1;
        }

        @Override
        public @Nullable Instant expiresAt() {
            return null;
        }

        @Override
        public @Nullable Duration timeLeft() {
            return null;
        }

        @Override
        public long timestampMs() {
            return 1000;
        }

        @Override
        public long appendTimeMs() {
            return 2000;
        }

        @Override
        public byte @Nullable [] idempotencyKey() {
            return null;
        }

        @Override
        public byte @Nullable [] trace() {
            return null;
        }

        @Override
        public void ack() {
            throw new AssertionError("a writer does not settle");
        }

        @Override
        public void nack(Duration delay, String reason) {
            throw new AssertionError("a writer does not settle");
        }

        @Override
        public void extend(Duration lease) {
            throw new AssertionError("a writer does not settle");
        }

        @Override
        public void release() {
            throw new AssertionError("a writer does not settle");
        }

        @Override
        public void terminate(String reason) {
            throw new AssertionError("a writer does not settle");
        }
    }
}

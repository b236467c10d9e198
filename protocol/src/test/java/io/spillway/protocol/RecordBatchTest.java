package io.spillway.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RecordBatchTest {
    private record Sent(
            long timeMs,
            byte @Nullable [] key,
            List<Map.Entry<String, byte[]>> headers,
            byte[] value,
            byte @Nullable [] dedupId,
            byte @Nullable [] trace,
            long deliverAtMs,
            long expiresAtMs,
            boolean tombstone) {}

    static ByteBuf batch(int records) {
        RecordBatchWriter writer = new RecordBatchWriter(UnpooledByteBufAllocator.DEFAULT, 1 << 20);
        for (int i = 0; i < records; i++) {
            byte[] value = ("value-" + i).getBytes(StandardCharsets.UTF_8);
            writer.add(new RecordParts(1000 + i, value, KeyHash.of(value), List.of(), value, null, null, -1, -1));
        }
        return whole(writer.finish(5, 1, 77));
    }

    private static ByteBuf whole(RecordBatchWriter.Batch parts) {
        ByteBuf both = Unpooled.wrappedBuffer(parts.head(), parts.body());
        ByteBuf copy = Unpooled.copiedBuffer(both);
        both.release();
        return copy;
    }

    private static void refuses(ByteBuf batch, Code code) {
        assertThatThrownBy(() -> RecordBatch.validate(batch, 0, batch.readableBytes(), 1 << 20))
                .isInstanceOfSatisfying(
                        ProtocolException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    private static ByteBuf withRightCrc(ByteBuf batch) {
        batch.setInt(28, Crc.crc32c(batch, 32, batch.readableBytes() - 32));
        return batch;
    }

    @Seeded(runs = 20)
    void readsWhatWasWritten(RandomGenerator random) {
        List<Sent> sent = new ArrayList<>();
        RecordBatchWriter writer = new RecordBatchWriter(UnpooledByteBufAllocator.DEFAULT, 1 << 20);
        long timeMs = random.nextLong(1L << 40);
        for (int i = random.nextInt(1, 50); i > 0; i--) {
            Sent record = random(random, timeMs + random.nextInt(1000));
            sent.add(record);
            writer.add(new RecordParts(
                    i == 0 ? timeMs : record.timeMs,
                    record.key,
                    record.key == null ? 0 : KeyHash.of(record.key),
                    record.headers,
                    record.value,
                    record.dedupId,
                    record.trace,
                    record.deliverAtMs,
                    record.expiresAtMs,
                    record.tombstone));
        }

        ByteBuf batch = whole(writer.finish(9, 2, 33));

        assertThat(RecordBatch.validate(batch, 0, batch.readableBytes(), 1 << 20))
                .isEqualTo(batch.readableBytes());
        assertThat(RecordBatch.recordCount(batch, 0)).isEqualTo(sent.size());
        assertThat(RecordBatch.producerId(batch, 0)).isEqualTo(9);
        assertThat(RecordBatch.producerEpoch(batch, 0)).isEqualTo(2);
        assertThat(RecordBatch.baseSequence(batch, 0)).isEqualTo(33);
        RecordView view = new RecordView().wrap(batch, 0);
        for (Sent record : sent) {
            assertThat(view.next()).isTrue();
            reads(view, record, sent.get(0).timeMs);
        }
        assertThat(view.next()).isFalse();
    }

    private static void reads(RecordView view, Sent record, long firstMs) {
        assertThat(view.timestampMs()).isEqualTo(Math.max(firstMs, record.timeMs));
        assertThat(view.key()).isEqualTo(record.key);
        assertThat(view.value()).isEqualTo(record.value);
        assertThat(view.dedupId()).isEqualTo(record.dedupId);
        assertThat(view.trace()).isEqualTo(record.trace);
        assertThat(view.deliverAtMs()).isEqualTo(record.deliverAtMs);
        assertThat(view.expiresAtMs()).isEqualTo(record.expiresAtMs);
        assertThat(view.isTombstone()).isEqualTo(record.tombstone);
        List<String> names = new ArrayList<>();
        view.headers((name, buffer, at, bytes) ->
                names.add(name + "=" + buffer.toString(at, bytes, StandardCharsets.UTF_8)));
        assertThat(names)
                .isEqualTo(record.headers.stream()
                        .map(header -> header.getKey() + "=" + new String(header.getValue(), StandardCharsets.UTF_8))
                        .toList());
    }

    private static Sent random(RandomGenerator random, long timeMs) {
        List<Map.Entry<String, byte[]>> headers = new ArrayList<>();
        for (int i = random.nextInt(3); i > 0; i--) {
            headers.add(Map.entry("h\u00e9ader-" + i, ("\u4f60-" + i).getBytes(StandardCharsets.UTF_8)));
        }
        return new Sent(
                timeMs,
                random.nextBoolean() ? bytes(random, random.nextInt(Limits.MAX_KEY_BYTES + 1)) : null,
                headers,
                bytes(random, random.nextInt(300)),
                random.nextBoolean() ? bytes(random, random.nextInt(1, Limits.MAX_DEDUP_ID_BYTES + 1)) : null,
                random.nextBoolean() ? bytes(random, RecordView.TRACE_BYTES) : null,
                random.nextBoolean() ? random.nextLong(1L << 50) : -1,
                random.nextBoolean() ? random.nextLong(1L << 50) : -1,
                random.nextBoolean());
    }

    private static byte[] bytes(RandomGenerator random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    @Test
    void refusesEveryFlippedBitOfWhatTheChecksumCovers() {
        ByteBuf batch = batch(3);
        for (int bit = 32 * 8; bit < batch.readableBytes() * 8; bit++) {
            ByteBuf flipped = batch.copy();
            flipped.setByte(bit / 8, flipped.getByte(bit / 8) ^ (1 << (bit % 8)));

            refuses(flipped, Code.CHECKSUM_MISMATCH);
        }
    }

    @Test
    void refusesABatchCutAnywhere() {
        ByteBuf batch = batch(3);
        for (int bytes = 0; bytes < batch.readableBytes(); bytes++) {
            refuses(batch.copy(0, bytes), Code.MALFORMED_FRAME);
        }
    }

    @Test
    void refusesLiesUnderARightChecksum() {
        refuses(withRightCrc(batch(3).setInt(36, 0)), Code.MALFORMED_FRAME);
        refuses(withRightCrc(batch(3).setInt(36, 4)), Code.MALFORMED_FRAME);
        refuses(withRightCrc(batch(3).setInt(36, -1)), Code.TOO_LARGE);
        refuses(withRightCrc(batch(3).setInt(36, Limits.MAX_BATCH_RECORDS + 1)), Code.TOO_LARGE);
        refuses(withRightCrc(batch(3).setInt(68, -1)), Code.TOO_LARGE);
        refuses(withRightCrc(batch(3).setInt(68, 5)), Code.MALFORMED_FRAME);
        refuses(withRightCrc(batch(3).setInt(72, 3)), Code.MALFORMED_FRAME);
        refuses(withRightCrc(batch(3).setInt(72, -5)), Code.MALFORMED_FRAME);
        refuses(withRightCrc(batch(3).setLong(40, -1)), Code.MALFORMED_FRAME);
        refuses(withRightCrc(batch(3).setLong(48, -1)), Code.MALFORMED_FRAME);
        refuses(withRightCrc(batch(3).setLong(56, -1)), Code.MALFORMED_FRAME);
        refuses(batch(3).setByte(24, 2), Code.MALFORMED_FRAME);
    }

    /** A record whose value looks like any of the parts that a flag may announce; the value begins at byte 8. */
    private static ByteBuf record(int flags, int headers, int keyBytes, byte[] value) {
        RecordBatchWriter writer = new RecordBatchWriter(UnpooledByteBufAllocator.DEFAULT, 1 << 20);
        writer.add(RecordParts.of(0, value));
        ByteBuf batch = whole(writer.finish(0, 0, 0));
        int at = RecordBatch.bodyStart(batch, 0);
        return withRightCrc(
                batch.setByte(at + 4, flags).setByte(at + 5, headers).setShort(at + 6, keyBytes));
    }

    private static void refusesRecord(ByteBuf batch) {
        assertThat(RecordBatch.validate(batch, 0, batch.readableBytes(), 1 << 20))
                .isEqualTo(batch.readableBytes());
        assertThatThrownBy(() -> new RecordView().wrap(batch, 0).next())
                .isInstanceOfSatisfying(
                        ProtocolException.class, e -> assertThat(e.code()).isEqualTo(Code.MALFORMED_FRAME));
    }

    @Test
    void refusesRecordsWhosePartsTheirFlagsDoNotAnnounce() {
        byte[] zeros = new byte[40];
        byte[] ones = new byte[40];
        Arrays.fill(ones, (byte) 0xff);

        assertThat(new RecordView().wrap(record(0, 0, 0, zeros), 0).next()).isTrue();
        refusesRecord(record(128, 0, 0, zeros));
        refusesRecord(record(0, 0, 1, zeros));
        refusesRecord(record(0, 1, 0, zeros));
        refusesRecord(record(RecordView.HAS_DEDUP_ID, 0, 0, zeros));
        refusesRecord(record(RecordView.HAS_DELIVER_AT, 0, 0, ones));
        refusesRecord(record(RecordView.HAS_EXPIRES_AT, 0, 0, ones));
        refusesRecord(record(RecordView.HAS_TRACE, 0, 0, new byte[RecordView.TRACE_BYTES - 1]));
    }

    @Test
    void refusesALengthOverTheLimit() {
        ByteBuf batch = batch(3);

        assertThatThrownBy(() -> RecordBatch.validate(batch, 0, batch.readableBytes(), batch.readableBytes() - 1))
                .isInstanceOfSatisfying(
                        ProtocolException.class, e -> assertThat(e.code()).isEqualTo(Code.TOO_LARGE));
    }

    @Test
    void keepsTheChecksumRightWhenStamped() {
        ByteBuf batch = batch(3);

        RecordBatch.stamp(batch, 0, 123_456, 7, 99);

        assertThat(RecordBatch.validate(batch, 0, batch.readableBytes(), 1 << 20))
                .isEqualTo(batch.readableBytes());
        assertThat(RecordBatch.baseOffset(batch, 0)).isEqualTo(123_456);
        assertThat(RecordBatch.appendTimeMs(batch, 0)).isEqualTo(99);
    }
}

package io.spillway.chaos.check;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.spillway.broker.base.Clock;
import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.log.LogConfig;
import io.spillway.broker.log.ShardLog;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordView;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * All that a stopped node has on disk.
 *
 * @param records those of the clients of the round, partition by partition in the order of their offsets
 * @param deadLetters copies of such records that groups gave up
 * @param digests of each partition: its offsets and a checksum over its batches as they are stored
 */
public record StoredLog(
        List<StoredRecord> records, List<StoredDeadLetter> deadLetters, TreeMap<Integer, String> digests) {
    private static final String DEAD_LETTER = "spillway-dlq-";

    /** Throws when it cannot be read to its end. */
    public static StoredLog read(Path dataDir) {
        List<StoredRecord> records = new ArrayList<>();
        List<StoredDeadLetter> deadLetters = new ArrayList<>();
        TreeMap<Integer, String> digests = new TreeMap<>();
        try (ShardLog log = ShardLog.open(dataDir.resolve("shard-0"), LogConfig.defaults(), Clock.SYSTEM)) {
            for (int partition : log.partitions()) {
                digests.put(partition, read(log, partition, records, deadLetters));
            }
        }
        return new StoredLog(records, deadLetters, digests);
    }

    private static String read(
            ShardLog log, int partition, List<StoredRecord> records, List<StoredDeadLetter> deadLetters) {
        CRC32C crc = new CRC32C();
        ByteBuf buffer = Unpooled.buffer();
        BatchCursor cursor = log.cursor(partition);
        for (boolean has = cursor.seek(log.startOffset(partition)); has; has = cursor.next()) {
            buffer.clear();
            if (!cursor.copyTo(buffer)) {
                throw new IllegalStateException("partition " + partition + " cannot be read at " + cursor.baseOffset());
            }
            crc.update(ByteBufUtil.getBytes(buffer));
            add(partition, buffer, records, deadLetters);
        }
        return log.startOffset(partition) + ".." + log.endOffset(partition) + " crc "
                + Long.toHexString(crc.getValue());
    }

    private static void add(
            int partition, ByteBuf batch, List<StoredRecord> records, List<StoredDeadLetter> deadLetters) {
        RecordView view = new RecordView().wrap(batch, 0);
        while (view.next()) {
            byte[] key = view.key();
            String value = new String(view.value(), StandardCharsets.UTF_8);
            int colon = value.indexOf(':');
            if (key != null && colon > 0) {
                String id = value.substring(0, colon);
                boolean isWhole = value.substring(colon + 1).equals("x".repeat(100));
                StoredRecord record = new StoredRecord(
                        partition,
                        RecordBatch.baseOffset(batch, 0) + view.index(),
                        id,
                        new String(key, StandardCharsets.UTF_8),
                        isWhole);
                Map<String, String> why = whyDead(view);
                if (why.isEmpty()) {
                    records.add(record);
                } else {
                    deadLetters.add(new StoredDeadLetter(
                            record,
                            why.getOrDefault("group", ""),
                            Integer.parseInt(why.getOrDefault("partition", "-1")),
                            Long.parseLong(why.getOrDefault("offset", "-1")),
                            why.getOrDefault("cause", "")));
                }
            }
        }
    }

    /** What a dead letter says of itself; empty for any other record. */
    private static Map<String, String> whyDead(RecordView view) {
        Map<String, String> why = new HashMap<>();
        if ((view.flags() & RecordView.HAS_HEADERS) != 0) {
            view.headers((name, buffer, valueAt, valueBytes) -> {
                if (name.startsWith(DEAD_LETTER)) {
                    why.put(
                            name.substring(DEAD_LETTER.length()),
                            buffer.toString(valueAt, valueBytes, StandardCharsets.UTF_8));
                }
            });
        }
        return why;
    }
}

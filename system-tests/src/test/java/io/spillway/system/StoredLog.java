package io.spillway.system;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.spillway.broker.base.Clock;
import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.log.LogConfig;
import io.spillway.broker.log.ShardLog;
import io.spillway.protocol.RecordBatch;
import java.nio.file.Path;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/** What a stopped node of a cluster has on disk, to be compared with what others have. */
final class StoredLog {
    private StoredLog() {}

    /** Each partition's offsets and a checksum over all its batches as they are stored. */
    static TreeMap<Integer, String> digest(Path dataDir) {
        TreeMap<Integer, String> digests = new TreeMap<>();
        try (ShardLog log = ShardLog.open(dataDir.resolve("shard-0"), LogConfig.defaults(), Clock.SYSTEM)) {
            for (int partition : log.partitions()) {
                digests.put(partition, digest(log, partition));
            }
        }
        return digests;
    }

    private static String digest(ShardLog log, int partition) {
        CRC32C crc = new CRC32C();
        long records = 0;
        ByteBuf buffer = Unpooled.buffer();
        BatchCursor cursor = log.cursor(partition);
        for (boolean has = cursor.seek(log.startOffset(partition)); has; has = cursor.next()) {
            buffer.clear();
            if (!cursor.copyTo(buffer)) {
                throw new AssertionError("partition " + partition + " cannot be read at " + cursor.baseOffset());
            }
            crc.update(ByteBufUtil.getBytes(buffer));
            records += RecordBatch.recordCount(buffer, 0);
        }
        return log.startOffset(partition) + ".." + log.endOffset(partition) + " " + records + " records, crc "
                + Long.toHexString(crc.getValue());
    }
}

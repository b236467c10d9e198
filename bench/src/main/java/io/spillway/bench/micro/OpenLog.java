package io.spillway.bench.micro;

import io.netty.buffer.ByteBuf;
import io.spillway.bench.Directories;
import io.spillway.broker.base.Clock;
import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.log.LogConfig;
import io.spillway.broker.log.ShardLog;
import io.spillway.broker.log.SyncPoint;
import io.spillway.protocol.RecordBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A shard's log in a directory of its own, with the chores a shard does for it. Confined to one thread. */
final class OpenLog implements AutoCloseable {
    private static final int PARTITION = 1;
    /** A shard does its log's chores between turns, not after every batch. */
    private static final int APPENDS_PER_CHORE = 16;

    private final Path directory;
    private final ShardLog log;
    private long nextOffset;
    private int appends;

    OpenLog() throws IOException {
        directory = Files.createTempDirectory("log");
        log = ShardLog.open(directory, LogConfig.defaults(), Clock.SYSTEM);
    }

    /** Stamps the batch with the next offsets and appends it. */
    void append(ByteBuf batch, int records) {
        RecordBatch.stamp(batch, 0, nextOffset, 1, 0);
        log.append(null, PARTITION, batch);
        nextOffset += records;
        if (++appends % APPENDS_PER_CHORE == 0) {
            log.maintain(Clock.SYSTEM.nowMs(), log.nextSequence());
        }
    }

    void force() throws IOException {
        SyncPoint point = log.syncPoint();
        point.force();
        log.markSynced(point);
    }

    BatchCursor cursor() {
        return log.cursor(PARTITION);
    }

    /** Closes the log and deletes it. */
    @Override
    public void close() {
        log.close();
        Directories.delete(directory);
    }
}

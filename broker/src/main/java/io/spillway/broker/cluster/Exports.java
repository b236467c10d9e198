package io.spillway.broker.cluster;

import com.google.protobuf.ByteString;
import io.spillway.broker.base.Clock;
import io.spillway.broker.log.LogExport;
import io.spillway.broker.records.Chunk;
import io.spillway.broker.records.ChunkWanted;
import io.spillway.broker.records.Export;
import io.spillway.broker.records.ExportedFile;
import io.spillway.broker.records.Question;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files this node holds for others that fetch them. One that is not asked for during {@value #IDLE_MINUTES} minutes
 * is let go, so that the disk it holds comes back. Confined to the transfer's thread, but for {@link #close}.
 */
final class Exports implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Exports.class);
    private static final long IDLE_MINUTES = 2;
    private static final int MAX_CHUNK_BYTES = 4 << 20;

    private static final class Held {
        final LogExport export;
        final Map<String, LogExport.FileOf> files = new HashMap<>();
        long usedNs;

        Held(LogExport export, long nowNs) {
            this.export = export;
            usedNs = nowNs;
            export.files().forEach(file -> files.put(file.name().toString(), file));
        }
    }

    private final Path log;
    private final Clock clock;
    private final Map<String, Held> held = new HashMap<>();

    Exports(Path log, Clock clock) {
        this.log = log;
        this.clock = clock;
        try {
            LogExport.deleteStale(log);
        } catch (IOException e) {
            LOG.warn("event=export_not_deleted why=\"{}\" next=\"delete {}.export-* yourself\"", e.toString(), log);
        }
    }

    ByteBuffer answer(Question question) throws IOException {
        releaseIdle();
        return switch (question.getKindCase()) {
            case EXPORT -> ByteBuffer.wrap(open().toByteArray());
            case CHUNK -> ByteBuffer.wrap(chunk(question.getChunk()).toByteArray());
            case DONE -> {
                release(held.remove(question.getDone().getExportId()));
                yield ByteBuffer.allocate(0);
            }
            case NOTED, REHEARSED, KIND_NOT_SET -> throw new IllegalArgumentException("a question of a newer version");
        };
    }

    private Export open() throws IOException {
        String id = UUID.randomUUID().toString();
        LogExport export = LogExport.of(log, id);
        held.put(id, new Held(export, clock.nanoTime()));
        Export.Builder offered = Export.newBuilder().setId(id);
        export.files()
                .forEach(file -> offered.addFiles(ExportedFile.newBuilder()
                        .setName(file.name().toString())
                        .setBytes(file.bytes())
                        .setActive(file.active())));
        LOG.info("event=log_exported id={} files={}", id, export.files().size());
        return offered.build();
    }

    private Chunk chunk(ChunkWanted wanted) throws IOException {
        Held from = held.get(wanted.getExportId());
        LogExport.FileOf file = from == null ? null : from.files.get(wanted.getName());
        if (from == null || file == null) {
            throw new IllegalArgumentException("export " + wanted.getExportId() + " is not held any more");
        }
        from.usedNs = clock.nanoTime();
        ByteBuffer buffer = ByteBuffer.allocate(Math.min(wanted.getBytes(), MAX_CHUNK_BYTES));
        try (FileChannel channel = FileChannel.open(file.file(), StandardOpenOption.READ)) {
            long at = wanted.getOffset();
            while (buffer.hasRemaining()) {
                int read = channel.read(buffer, at + buffer.position());
                if (read < 0) {
                    break;
                }
            }
        }
        ByteString content = ByteString.copyFrom(buffer.flip());
        return Chunk.newBuilder()
                .setContent(content)
                .setCrc(FileTransfer.crc(content))
                .build();
    }

    private void releaseIdle() {
        long oldestNs = clock.nanoTime() - TimeUnit.MINUTES.toNanos(IDLE_MINUTES);
        for (Iterator<Held> all = held.values().iterator(); all.hasNext(); ) {
            Held one = all.next();
            if (one.usedNs - oldestNs < 0) {
                all.remove();
                release(one);
            }
        }
    }

    private static void release(@Nullable Held one) {
        if (one == null) {
            return;
        }
        try {
            one.export.close();
        } catch (IOException e) {
            LOG.warn("event=export_not_deleted why=\"{}\" next=\"the next start deletes it\"", e.toString());
        }
    }

    /** Lets everything go, when nobody asks any more. */
    @Override
    public void close() {
        held.values().forEach(Exports::release);
        held.clear();
    }
}

package io.spillway.broker.cluster;

import com.google.protobuf.ByteString;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Pace;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.log.LogCheck;
import io.spillway.broker.log.LogProblem;
import io.spillway.broker.log.LogReplacement;
import io.spillway.broker.log.Quarantine;
import io.spillway.broker.records.Agreed;
import io.spillway.broker.records.Chunk;
import io.spillway.broker.records.ChunkWanted;
import io.spillway.broker.records.Export;
import io.spillway.broker.records.ExportDone;
import io.spillway.broker.records.ExportWanted;
import io.spillway.broker.records.ExportedFile;
import io.spillway.broker.records.Question;
import io.spillway.broker.replication.Peer;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardCommand;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the files of the leader's log to a node that is too far behind, chunk by chunk, each with its checksum, no faster
 * than {@value #BYTES_PER_SECOND} bytes a second. Closed segments that are here whole from an earlier try are not asked
 * for again. Thread-safe; the thread {@code spillway-transfer} does the work of both sides.
 */
final class FileTransfer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FileTransfer.class);
    private static final int CHUNK_BYTES = 1 << 20;
    private static final long BYTES_PER_SECOND = 64L << 20;
    private static final long ANSWER_MS = 10_000;
    private static final long REOPEN_MS = 120_000;
    private static final long PAUSE_MS = 5;
    private static final String PARTIAL = ".partial";

    private final Path log;
    private final Quarantine quarantine;
    private final BiFunction<Peer, ByteBuffer, CompletableFuture<ByteBuffer>> ask;
    private final Mailbox shard;
    private final Clock clock;
    private final Exports exports;
    private final ExecutorService worker =
            Executors.newSingleThreadExecutor(task -> new Thread(task, "spillway-transfer"));

    FileTransfer(
            MemberFiles files,
            BiFunction<Peer, ByteBuffer, CompletableFuture<ByteBuffer>> ask,
            Mailbox shard,
            Clock clock) {
        log = files.log();
        quarantine = files.quarantine();
        this.ask = ask;
        this.shard = shard;
        this.clock = clock;
        exports = new Exports(log, clock);
    }

    /**
     * Replaces this node's log by the leader's; where the agreement stands in it.
     *
     * @param damage why the log here is to be kept in quarantine; empty = it is whole, only old, and is deleted
     */
    CompletableFuture<Agreed> install(Peer from, String damage) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return pull(from, damage);
                    } catch (IOException | ExecutionException | TimeoutException e) {
                        throw new IllegalStateException("the files of node " + from.id() + " did not come", e);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        throw new IllegalStateException("the node is about to stop", e);
                    }
                },
                worker);
    }

    private Agreed pull(Peer from, String damage)
            throws IOException, ExecutionException, TimeoutException, InterruptedException {
        long startNs = clock.nanoTime();
        Export export = Export.parseFrom(ask(from, Question.newBuilder().setExport(ExportWanted.getDefaultInstance())));
        LogReplacement replacement = new LogReplacement(log);
        Pace pace = new Pace(BYTES_PER_SECOND);
        long bytes = 0;
        try {
            clearStale(replacement.incoming(), export);
            for (ExportedFile file : export.getFilesList()) {
                bytes += pull(from, export.getId(), file, replacement.incoming(), pace);
            }
        } finally {
            done(from, export.getId());
        }
        verify(from, replacement.incoming());
        if (damage.isEmpty()) {
            replacement.complete();
        } else {
            replacement.complete(quarantine, damage, clock.nowMs());
        }
        LOG.info(
                "event=log_pulled from={} files={} bytes={} took_ms={}",
                from.id(),
                export.getFilesCount(),
                bytes,
                (clock.nanoTime() - startNs) / 1_000_000);
        CompletableFuture<Agreed> opened = new CompletableFuture<>();
        shard.end(new ShardCommand.Replace(replacement, new Reply<>() {
            @Override
            public void ok(Agreed agreed) {
                opened.complete(agreed);
            }

            @Override
            public void failed(SpillwayException why) {
                opened.completeExceptionally(why);
            }
        }));
        return opened.get(REOPEN_MS, TimeUnit.MILLISECONDS);
    }

    /** Each chunk came as it was sent; this is whether it was right there. What is not is asked for again. */
    private static void verify(Peer from, Path incoming) throws IOException {
        List<LogProblem> problems = LogCheck.closedSegments(incoming, bytes -> {});
        if (!problems.isEmpty()) {
            LogReplacement.clear(incoming);
            throw new IOException("the log of node " + from.id() + " is damaged itself: " + problems.get(0));
        }
    }

    /** Deletes what an earlier try left and the leader no longer has, and what may have changed since. */
    private static void clearStale(Path incoming, Export export) throws IOException {
        if (!Files.exists(incoming)) {
            return;
        }
        try (var paths = Files.walk(incoming)) {
            for (Path path : paths.filter(Files::isRegularFile).toList()) {
                String name = incoming.relativize(path).toString();
                boolean kept = export.getFilesList().stream()
                        .anyMatch(file -> file.getName().equals(name) && isImmutable(file));
                if (!kept) {
                    Files.delete(path);
                }
            }
        }
    }

    private static boolean isImmutable(ExportedFile file) {
        return file.getName().startsWith("segments/") && !file.getActive();
    }

    private long pull(Peer from, String export, ExportedFile file, Path incoming, Pace pace)
            throws IOException, ExecutionException, TimeoutException, InterruptedException {
        Path target = incoming.resolve(file.getName()).normalize();
        if (!target.startsWith(incoming)) {
            throw new IOException("node " + from.id() + " names a file outside of its log: " + file.getName());
        }
        if (Files.exists(target) && Files.size(target) == file.getBytes()) {
            return 0;
        }
        Files.createDirectories(Objects.requireNonNull(target.getParent()));
        Path partial = target.resolveSibling(target.getFileName() + PARTIAL);
        long bytes = 0;
        try (FileChannel out = FileChannel.open(
                partial, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            while (bytes < file.getBytes()) {
                ByteString content = chunk(from, export, file.getName(), bytes);
                if (content.isEmpty() || (file.getActive() && isZero(content))) {
                    break;
                }
                for (ByteBuffer part : content.asReadOnlyByteBufferList()) {
                    while (part.hasRemaining()) {
                        out.write(part);
                    }
                }
                bytes += content.size();
                pace.take(content.size());
                while (pace.available(1, clock.nowMs()) == 0) {
                    TimeUnit.MILLISECONDS.sleep(PAUSE_MS);
                }
            }
        }
        Files.move(partial, target);
        return bytes;
    }

    private ByteString chunk(Peer from, String export, String name, long offset)
            throws IOException, ExecutionException, TimeoutException, InterruptedException {
        Chunk chunk = Chunk.parseFrom(ask(
                from,
                Question.newBuilder()
                        .setChunk(ChunkWanted.newBuilder()
                                .setExportId(export)
                                .setName(name)
                                .setOffset(offset)
                                .setBytes(CHUNK_BYTES))));
        if (crc(chunk.getContent()) != chunk.getCrc()) {
            throw new IOException("a chunk of " + name + " at " + offset + " does not match its CRC32C");
        }
        return chunk.getContent();
    }

    static int crc(ByteString content) {
        CRC32C crc = new CRC32C();
        content.asReadOnlyByteBufferList().forEach(crc::update);
        return (int) crc.getValue();
    }

    private static boolean isZero(ByteString content) {
        for (int i = 0; i < content.size(); i++) {
            if (content.byteAt(i) != 0) {
                return false;
            }
        }
        return true;
    }

    private void done(Peer from, String export) {
        ask.apply(
                        from,
                        ByteBuffer.wrap(Question.newBuilder()
                                .setDone(ExportDone.newBuilder().setExportId(export))
                                .build()
                                .toByteArray()))
                .whenComplete((answer, failure) -> {
                    if (failure != null) {
                        LOG.warn(
                                "event=export_not_closed node={} why=\"{}\" next=\"none; the node closes it after a while\"",
                                from.id(),
                                failure.toString());
                    }
                });
    }

    private ByteBuffer ask(Peer from, Question.Builder question)
            throws ExecutionException, TimeoutException, InterruptedException {
        return ask.apply(from, ByteBuffer.wrap(question.build().toByteArray())).get(ANSWER_MS, TimeUnit.MILLISECONDS);
    }

    /** Answers another node's question. */
    CompletableFuture<ByteBuffer> answer(Question question) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return exports.answer(question);
                    } catch (IOException e) {
                        throw new IllegalStateException("the log's files cannot be read", e);
                    }
                },
                worker);
    }

    @Override
    public void close() {
        worker.shutdownNow();
        exports.close();
    }
}

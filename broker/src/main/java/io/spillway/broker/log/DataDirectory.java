package io.spillway.broker.log;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The root of a data directory: held by one broker at a time, with what is fixed when it is created.
 *
 * <pre>
 * LOCK            locked while a broker runs; holds its process id
 * spillway.meta   format=1, node=..., shards=...
 * shard-0/ ...    one log each
 * raft/           what a cluster agreed on, until it is in the shard's log
 * members         the nodes of the cluster, as known last
 * quarantine/     what was damaged, and was replaced by another node's
 * </pre>
 *
 * Thread-safe.
 */
public final class DataDirectory implements AutoCloseable {
    private static final int FORMAT = 1;
    private static final String META = "spillway.meta";
    private static final String LOCK = "LOCK";

    private final Path root;
    private final FileChannel lockChannel;
    private final String nodeId;
    private final int shards;

    private DataDirectory(Path root, FileChannel lockChannel, String nodeId, int shards) {
        this.root = root;
        this.lockChannel = lockChannel;
        this.nodeId = nodeId;
        this.shards = shards;
    }

    /**
     * Opens or creates the directory and locks it.
     *
     * @param nodeId the node's name; empty = the one it was created with, or a new random one
     * @param shards number of shards when it is created; afterwards the stored number holds
     * @throws SpillwayException INVALID_ARGUMENT when it cannot be used: no directory, not writable, held by another broker,
     *     of another node, or of an unknown format
     */
    public static DataDirectory open(Path path, String nodeId, int shards) {
        Path root = path.toAbsolutePath().normalize();
        try {
            if (Files.exists(root) && !Files.isDirectory(root)) {
                throw unusable(root, "it is a file, not a directory", "choose another with --data-dir", null);
            }
            Files.createDirectories(root);
            FileChannel lock = lock(root);
            try {
                Map<String, String> meta = readOrCreate(root, nodeId, shards);
                DataDirectory directory = new DataDirectory(
                        root, lock, meta.getOrDefault("node", ""), Integer.parseInt(meta.getOrDefault("shards", "1")));
                for (int i = 0; i < directory.shards; i++) {
                    Files.createDirectories(directory.shard(i));
                }
                return directory;
            } catch (IOException | RuntimeException e) {
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw unusable(root, e.toString(), "check that it is writable, or choose another with --data-dir", e);
        }
    }

    /** What is fixed of a directory. */
    public record Shape(Path root, String nodeId, int shards) {
        /** The directory of one shard's log. */
        public Path shard(int index) {
            return root.resolve("shard-" + index);
        }

        /** The file that says this. */
        public Path meta() {
            return root.resolve(META);
        }

        /** The directory of the cluster's log; there when it is of a node of a cluster. */
        public Path raft() {
            return root.resolve("raft");
        }
    }

    /** Of an existing directory, whether a broker has it open or not. Throws INVALID_ARGUMENT when it is none. */
    public static Shape shape(Path path) {
        Path root = path.toAbsolutePath().normalize();
        requireMeta(root);
        try {
            Map<String, String> meta = read(root.resolve(META));
            check(root, meta, "");
            return new Shape(root, meta.getOrDefault("node", ""), Integer.parseInt(meta.getOrDefault("shards", "1")));
        } catch (IOException e) {
            throw unusable(root, e.toString(), "check that it is readable", e);
        }
    }

    private static void requireMeta(Path root) {
        if (!Files.isRegularFile(root.resolve(META))) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    root + " is not a data directory",
                    "it has no file " + META,
                    "name the directory that the broker was given as --data-dir");
        }
    }

    /** Holds an existing directory against brokers without changing it; for tools that read it. */
    static DataDirectory openForReading(Path path) {
        Path root = path.toAbsolutePath().normalize();
        requireMeta(root);
        try {
            FileChannel channel = FileChannel.open(root.resolve(LOCK), StandardOpenOption.READ);
            try {
                if (!tryLock(root, channel, true)) {
                    throw held(root);
                }
                Map<String, String> meta = read(root.resolve(META));
                check(root, meta, "");
                return new DataDirectory(
                        root,
                        channel,
                        meta.getOrDefault("node", ""),
                        Integer.parseInt(meta.getOrDefault("shards", "1")));
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw unusable(root, e.toString(), "check that it is readable", e);
        }
    }

    private static FileChannel lock(Path root) throws IOException {
        Path file = root.resolve(LOCK);
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            if (!tryLock(root, channel, false)) {
                throw held(root);
            }
            channel.truncate(0);
            channel.write(
                    ByteBuffer.wrap(Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)));
            return channel;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static boolean tryLock(Path root, FileChannel channel, boolean shared) throws IOException {
        try {
            return channel.tryLock(0, Long.MAX_VALUE, shared) != null;
        } catch (OverlappingFileLockException e) {
            throw unusable(root, "a broker in this process uses it", "close that one first", e);
        }
    }

    private static SpillwayException held(Path root) throws IOException {
        String holder = Files.readString(root.resolve(LOCK)).trim();
        return unusable(
                root,
                "another broker uses it" + (holder.isEmpty() ? "" : ", process " + holder),
                "stop that one, or choose another directory with --data-dir",
                null);
    }

    private static Map<String, String> readOrCreate(Path root, String nodeId, int shards) throws IOException {
        Path file = root.resolve(META);
        if (!Files.exists(file)) {
            if (Files.exists(root.resolve("shard-0"))) {
                throw unusable(root, "it holds data but " + META + " is gone", "restore that file from a backup", null);
            }
            Map<String, String> fresh = new TreeMap<>();
            fresh.put("format", Integer.toString(FORMAT));
            fresh.put(
                    "node",
                    nodeId.isEmpty() ? "n-" + UUID.randomUUID().toString().substring(0, 8) : nodeId);
            fresh.put("shards", Integer.toString(shards));
            write(root, file, fresh);
            return fresh;
        }
        Map<String, String> meta = read(file);
        check(root, meta, nodeId);
        return meta;
    }

    private static Map<String, String> read(Path file) throws IOException {
        Map<String, String> meta = new TreeMap<>();
        for (String line : Files.readAllLines(file)) {
            int equals = line.indexOf('=');
            if (equals > 0) {
                meta.put(line.substring(0, equals), line.substring(equals + 1));
            }
        }
        return meta;
    }

    private static void check(Path root, Map<String, String> meta, String nodeId) {
        if (!Integer.toString(FORMAT).equals(meta.get("format"))
                || !meta.getOrDefault("shards", "").matches("[1-8]")
                || meta.getOrDefault("node", "").isEmpty()) {
            throw unusable(
                    root,
                    META + " holds " + meta + ", this broker reads format " + FORMAT,
                    "use the version that wrote it, or restore the file",
                    null);
        }
        if (!nodeId.isEmpty() && !nodeId.equals(meta.get("node"))) {
            throw unusable(
                    root,
                    "it belongs to node " + meta.get("node") + ", not " + nodeId,
                    "choose another directory or node id",
                    null);
        }
    }

    private static void write(Path root, Path file, Map<String, String> meta) throws IOException {
        StringBuilder text = new StringBuilder();
        meta.forEach((key, value) -> text.append(key).append('=').append(value).append('\n'));
        Path temporary = root.resolve(META + ".tmp");
        try (FileChannel channel = FileChannel.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8)));
            channel.force(true);
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        LogFiles.forceDirectory(root);
    }

    private static SpillwayException unusable(Path root, String why, String next, @Nullable Throwable cause) {
        return new SpillwayException(
                Code.INVALID_ARGUMENT, "the data directory " + root + " cannot be used", why, next, 0, cause);
    }

    public String nodeId() {
        return nodeId;
    }

    public int shards() {
        return shards;
    }

    /** The directory of one shard's log. */
    public Path shard(int index) {
        return root.resolve("shard-" + index);
    }

    /** The directory of the cluster's log. */
    public Path raft() {
        return root.resolve("raft");
    }

    /** The file with the nodes of the cluster. */
    public Path members() {
        return root.resolve("members");
    }

    /** Where damaged files are kept. */
    public Quarantine quarantine() {
        return new Quarantine(root.resolve("quarantine"));
    }

    /** Releases the directory. */
    @Override
    public void close() {
        try {
            lockChannel.close();
        } catch (IOException e) {
            throw unusable(root, "its lock cannot be released: " + e.getMessage(), "end the process", e);
        }
    }
}

package io.spillway.broker.shard;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDirFactory;

/**
 * Temporary directories in memory where the system has such a place: a test that syncs after every step then waits for
 * no disk. What a power cut leaves is a copy made at a sync, on any file system.
 */
final class MemoryDirectory implements TempDirFactory {
    private static final Path MEMORY = Path.of("/dev/shm");

    @Override
    public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext context) throws Exception {
        return Files.isWritable(MEMORY)
                ? Files.createTempDirectory(MEMORY, "spillway")
                : Files.createTempDirectory("spillway");
    }
}

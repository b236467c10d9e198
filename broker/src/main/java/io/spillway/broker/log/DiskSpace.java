package io.spillway.broker.log;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much the file system still takes. */
@FunctionalInterface
interface DiskSpace {
    /** Bytes that can still be written. */
    long usableBytes();

    /** Of the file system that holds a path. */
    static DiskSpace of(Path path) throws IOException {
        FileStore store = Files.getFileStore(path);
        return () -> {
            try {
                return store.getUsableSpace();
            } catch (IOException e) {
                throw new UncheckedIOException("the free space of " + store + " cannot be read", e);
            }
        };
    }
}

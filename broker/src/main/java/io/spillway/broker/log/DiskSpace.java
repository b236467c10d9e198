package io.spillway.broker.log;

import java.nio.file.Path;

/** How much the file system still takes. */
@FunctionalInterface
interface DiskSpace {
    /** Bytes that can still be written. */
    long usableBytes();

    /** Of the file system that holds a path. */
    static DiskSpace of(Path path) {
        return path.toFile()::getUsableSpace;
    }
}

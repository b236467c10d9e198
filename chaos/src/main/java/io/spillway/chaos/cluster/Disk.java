package io.spillway.chaos.cluster;

import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;

import io.spillway.chaos.Shell;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * What a node writes to: a file system of its own in an image file where that is allowed, so that it can be full and can lose
 * what was not synced; else a directory.
 */
final class Disk implements AutoCloseable {
    private static final int MEBIBYTES = 320;

    private final Path point;
    private final Path image;
    private final Path cut;
    private final boolean isMounted;

    private Disk(Path directory, String node, boolean isMounted) {
        point = directory.resolve(node);
        image = directory.resolve(node + ".image");
        cut = directory.resolve(node + ".cut");
        this.isMounted = isMounted;
    }

    static Disk make(Path directory, String node, boolean mounted) {
        Disk disk = new Disk(directory, node, mounted);
        try {
            Files.createDirectories(disk.point);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (mounted) {
            Shell.run("truncate", "-s", MEBIBYTES + "M", disk.image.toString());
            Shell.run("mkfs.ext4", "-q", "-F", disk.image.toString());
            disk.mount();
        }
        return disk;
    }

    private void mount() {
        Shell.run("mount", "-o", "loop", image.toString(), point.toString());
    }

    boolean isMounted() {
        return isMounted;
    }

    Path data() {
        return point.resolve("data");
    }

    /** Remembers what has reached the disk so far, and nothing that only the page cache holds. The node must be frozen. */
    void remember() {
        // The image's own pages are what was written below the loop device.
        Shell.run("cp", "--sparse=always", image.toString(), cut.toString());
    }

    /** Goes back to what was remembered. Nothing may use it. */
    void forgetTheRest() {
        Shell.run("umount", point.toString());
        try {
            Files.move(cut, image, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        mount();
    }

    /** A file beside it, which is on no disk of a node. */
    Path beside(String name) {
        return point.resolveSibling(name);
    }

    long freeBytes() {
        return point.toFile().getUsableSpace();
    }

    /** Takes all but so many bytes; with 0 the last byte, too. */
    void fill(long leftBytes) {
        byte[] block = new byte[64 << 10];
        try (OutputStream out = Files.newOutputStream(point.resolve("ballast"), CREATE, APPEND)) {
            while (leftBytes > 0 && freeBytes() > leftBytes + block.length) {
                out.write(block);
            }
            if (leftBytes > 0) {
                return;
            }
            for (int size = block.length; size > 0; size = size > 512 ? size / 8 : 0) {
                while (wrote(out, block, size)) {
                    // more
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean wrote(OutputStream out, byte[] block, int size) {
        try {
            out.write(block, 0, size);
            return true;
        } catch (IOException full) {
            return false;
        }
    }

    void free() {
        try {
            Files.deleteIfExists(point.resolve("ballast"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whoever still uses it keeps it until its end. */
    @Override
    public void close() {
        if (isMounted) {
            Shell.attempt("umount", "-l", point.toString());
        }
    }
}

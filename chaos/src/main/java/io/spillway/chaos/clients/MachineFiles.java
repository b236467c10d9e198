package io.spillway.chaos.clients;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

/**
 * The files in which a client reads how its machine is, under a directory of their own ({@code health_root} of
 * {@code client.open}), so that one client has no memory and the others on the machine do. Thread-safe.
 */
public final class MachineFiles {
    private static final long LIMIT_BYTES = 1L << 30;
    private static final long KIB = 1 << 10;

    private final Path root;

    /** Of a machine that is well. */
    public MachineFiles(Path root) {
        this.root = root;
        stalls(0, 0);
        memory(10);
    }

    public Path root() {
        return root;
    }

    /** Shares of the last 10 s in which some, and all, tasks waited for memory. They make a client DEGRADED. */
    public void stalls(int somePercent, int fullPercent) {
        write(
                "proc/pressure/memory",
                String.format(
                        Locale.ROOT,
                        "some avg10=%d.00 avg60=0.00 avg300=0.00 total=0%nfull avg10=%d.00 avg60=0.00 avg300=0.00 total=0%n",
                        somePercent,
                        fullPercent));
    }

    /** What of its limit the client has in memory. From 95 % on it is CRITICAL at once. Only the Rust client reads it here. */
    public void memory(int percent) {
        write("sys/fs/cgroup/memory.max", LIMIT_BYTES + "\n");
        write("proc/self/status", "VmRSS:\t" + LIMIT_BYTES / KIB * percent / 100 + " kB\n");
    }

    /** Whole or not at all: somebody may read it now. */
    private void write(String file, String text) {
        Path path = root.resolve(file);
        Path next = path.resolveSibling(path.getFileName() + ".next");
        try {
            Files.createDirectories(path.getParent());
            Files.writeString(next, text);
            Files.move(next, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

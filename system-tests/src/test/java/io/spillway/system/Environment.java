package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** What some tests need of the machine: root, and small file systems in image files. */
final class Environment {
    private Environment() {}

    static void assumeRoot() {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    }

    /** A file system of this size in an image file, mounted; skips the test where that is not possible. */
    static Mount mount(Path directory, int mebibytes) throws IOException, InterruptedException {
        assumeRoot();
        Path image = directory.resolve("image-" + mebibytes);
        run("truncate", "-s", mebibytes + "M", image.toString());
        run("mkfs.ext4", "-q", "-F", image.toString());
        return mountImage(image, Files.createDirectory(directory.resolve("mount")));
    }

    static Mount mountImage(Path image, Path point) throws IOException, InterruptedException {
        Process mount = new ProcessBuilder("mount", "-o", "loop", image.toString(), point.toString())
                .redirectErrorStream(true)
                .start();
        boolean ended = mount.waitFor(30, TimeUnit.SECONDS);
        assumeTrue(ended && mount.exitValue() == 0, "loop mounts do not work here");
        return new Mount(image, point);
    }

    static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as("%s: %s", String.join(" ", command), out)
                .isZero();
    }

    /** A mounted image; unmounted when closed. */
    record Mount(Path image, Path point) implements AutoCloseable {
        @Override
        public void close() throws IOException, InterruptedException {
            run("umount", "-l", point.toString());
        }
    }
}

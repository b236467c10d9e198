package io.spillway.chaos.cluster;

import io.spillway.chaos.Shell;
import io.spillway.chaos.network.Network;
import io.spillway.system.BrokerProcess;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One broker of the cluster, and what can be done to it. Thread-safe. */
public final class Node implements AutoCloseable {
    private static final long END_SECONDS = 30;

    private final String id;
    private final String zone;
    private final Network network;
    private final Path logs;
    private final Disk disk;
    private final List<String> seeds;
    private @Nullable Process process;
    private boolean isPaused;
    private boolean isFormer;

    /**
     * @param seeds the cluster addresses of the other nodes
     * @param isFormer whether its first start, without seeds, forms the cluster
     */
    Node(String id, String zone, Network network, Path directory, Disk disk, List<String> seeds, boolean isFormer) {
        this.id = id;
        this.zone = zone;
        this.network = network;
        this.disk = disk;
        this.seeds = seeds;
        this.isFormer = isFormer;
        logs = directory;
    }

    public String id() {
        return id;
    }

    public String zone() {
        return zone;
    }

    public Network.Endpoints endpoints() {
        return network.endpoints(id);
    }

    Disk disk() {
        return disk;
    }

    public Path data() {
        return disk.data();
    }

    /** Starts it and does not wait. Does nothing while it runs. */
    public synchronized void start() {
        if (isAlive()) {
            return;
        }
        List<String> command = new ArrayList<>(network.prefix(id));
        command.addAll(BrokerProcess.java("io.spillway.broker.cli.Main", "serve"));
        settings().forEach(setting -> command.addAll(List.of("--set", setting)));
        isFormer = false;
        try {
            Process started = new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.to(log("out")))
                    .redirectError(ProcessBuilder.Redirect.appendTo(log("err")))
                    .start();
            process = started;
            isPaused = false;
            network.started(id, started.pid());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private File log(String kind) {
        return logs.resolve(id + "." + kind).toFile();
    }

    private List<String> settings() {
        Network.Endpoints at = endpoints();
        List<String> all = new ArrayList<>(List.of(
                "node-id=" + id,
                "zone=" + zone,
                "data-dir=" + disk.data(),
                "cluster-listen=" + at.clusterListen(),
                "cluster-advertise=" + at.clusterAdvertise(),
                "listen=" + at.listen(),
                "advertise=" + at.advertise(),
                "http=" + at.http(),
                "log.segment-bytes=2MiB",
                "log.min-free-bytes=16MiB",
                "snapshot.interval-bytes=1MiB",
                "session.heartbeat-ms=1s",
                "drain-timeout-ms=1s"));
        if (!isFormer) {
            all.add("seed=" + String.join(",", seeds));
        }
        return all;
    }

    public synchronized boolean isAlive() {
        return process != null && process.isAlive();
    }

    /** Whether it has said, since it was started last, that it is up. */
    public synchronized boolean isUp() {
        try {
            return isAlive() && Files.readString(logs.resolve(id + ".out")).contains("spillway ready");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public synchronized boolean isPaused() {
        return isPaused;
    }

    private Process running() {
        if (process == null) {
            throw new IllegalStateException(id + " was never started");
        }
        return process;
    }

    public synchronized void kill9() {
        Process target = running();
        target.destroyForcibly();
        await(target);
        isPaused = false;
    }

    /** Ends it in order; by force when that takes too long, which is told. */
    public synchronized boolean terminate() {
        resume();
        Process target = running();
        target.destroy();
        if (await(target)) {
            return true;
        }
        kill9();
        return false;
    }

    private static boolean await(Process process) {
        try {
            return process.waitFor(END_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    public synchronized void pause() {
        if (isAlive() && !isPaused) {
            Shell.run("kill", "-STOP", Long.toString(running().pid()));
            isPaused = true;
        }
    }

    public synchronized void resume() {
        if (isAlive() && isPaused) {
            Shell.run("kill", "-CONT", Long.toString(running().pid()));
        }
        isPaused = false;
    }

    /** Whether its disk can be full and can lose what was not synced. */
    public boolean hasDisk() {
        return disk.isMounted();
    }

    public void fillDisk() {
        disk.fill();
    }

    public void freeDisk() {
        disk.free();
    }

    /** Freezes it, and remembers what has reached its disk. */
    public synchronized void freeze() {
        pause();
        disk.remember();
    }

    /** It dies, and what its disk had not got when it was frozen is lost. */
    public synchronized void losePower() {
        kill9();
        disk.forgetTheRest();
    }

    /** It loses this part of its directory; all of it when the name is empty. It must not run. */
    public synchronized void lose(String part) {
        Path root = part.isEmpty() ? disk.data() : disk.data().resolve(part);
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public synchronized void close() {
        if (process != null) {
            process.destroyForcibly();
            await(process);
        }
        disk.close();
    }
}

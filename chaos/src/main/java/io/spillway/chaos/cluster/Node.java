package io.spillway.chaos.cluster;

import io.spillway.chaos.Shell;
import io.spillway.chaos.network.Network;
import io.spillway.system.BrokerProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One broker of the cluster, and what can be done to it. Thread-safe. */
public final class Node implements AutoCloseable {
    private static final long END_SECONDS = 30;

    /**
     * How it is run.
     *
     * @param settings key to value, beside and in place of the usual ones
     * @param environment of its process; NODE in a value is its id
     */
    public record Terms(Map<String, String> settings, Map<String, String> environment) {
        public static final Terms USUAL = new Terms(Map.of(), Map.of());
    }

    /**
     * How it finds the others.
     *
     * @param seeds the cluster addresses of the other nodes
     * @param forms whether its first start, without seeds, forms the cluster
     */
    record Joining(List<String> seeds, boolean forms) {}

    private final String id;
    private final Network network;
    private final Disk disk;
    private final List<String> seeds;
    private final Terms terms;
    private @Nullable Process process;
    private boolean isPaused;
    private boolean isFormer;

    Node(String id, Network network, Disk disk, Joining joining, Terms terms) {
        this.id = id;
        this.network = network;
        this.disk = disk;
        this.terms = terms;
        seeds = joining.seeds;
        isFormer = joining.forms;
    }

    public String id() {
        return id;
    }

    public String zone() {
        return "zone-" + id;
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
        settings().forEach((key, value) -> command.addAll(List.of("--set", key + "=" + value)));
        isFormer = false;
        try {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.to(log("out").toFile()))
                    .redirectError(ProcessBuilder.Redirect.appendTo(log("err").toFile()));
            terms.environment.forEach((name, value) -> builder.environment().put(name, value.replace("NODE", id)));
            Process started = builder.start();
            process = started;
            isPaused = false;
            network.started(id, started.pid());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What it has said: of kind out since its last start, of kind err since its first. */
    public Path log(String kind) {
        return disk.beside(id + "." + kind);
    }

    private Map<String, String> settings() {
        Network.Endpoints at = endpoints();
        Map<String, String> all = new LinkedHashMap<>();
        all.put("node-id", id);
        all.put("zone", zone());
        all.put("data-dir", disk.data().toString());
        all.put("cluster-listen", at.clusterListen());
        all.put("cluster-advertise", at.clusterAdvertise());
        all.put("listen", at.listen());
        all.put("advertise", at.advertise());
        all.put("http", at.http());
        all.put("log.segment-bytes", "2MiB");
        all.put("log.min-free-bytes", "16MiB");
        all.put("snapshot.interval-bytes", "1MiB");
        all.put("session.heartbeat-ms", "1s");
        all.put("drain-timeout-ms", "1s");
        all.putAll(terms.settings);
        if (!isFormer) {
            all.put("seed", String.join(",", seeds));
        }
        return all;
    }

    public synchronized boolean isAlive() {
        return process != null && process.isAlive();
    }

    /** Whether it has said, since it was started last, that it is up. */
    public synchronized boolean isUp() {
        try {
            return isAlive() && Files.readString(log("out")).contains("spillway ready");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Of its process; that which was started last. */
    public synchronized long pid() {
        return running().pid();
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
        disk.fill(0);
    }

    /** Until so many bytes are free. */
    public void fillDisk(long freeBytes) {
        disk.fill(freeBytes);
    }

    public long freeBytes() {
        return disk.freeBytes();
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

package io.spillway.bench.replication;

import io.spillway.bench.Directories;
import io.spillway.broker.base.ListenAddress;
import io.spillway.broker.replication.ClusterId;
import io.spillway.broker.replication.Outsider;
import io.spillway.broker.replication.Peer;
import io.spillway.broker.replication.RaftNode;
import io.spillway.broker.replication.ReplicationConfig;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Ratis with a broker's settings and nothing behind or in front of it: three processes, the load in the leader's. Entries
 * are forced on a majority as in a cluster of brokers; nothing is stored beside them, and no client is served.
 */
public final class EngineAlone {
    private static final int NODES = 3;
    private static final int ROUNDS = 3;
    private static final int WARM_UP = 2_000;
    private static final int TIMED = 5_000;
    /** As large as the bundles of a busy shard, and as many of them under way. */
    private static final int BUNDLE_BYTES = 512 << 10;

    private static final int UNDER_WAY = 8;
    private static final long LOAD_BYTES = 256L << 20;
    /** Of proposals between two purges of the log. */
    private static final int PURGE_EVERY = 500;

    private static final long START_TIMEOUT_S = 60;

    private final RaftNode node;
    private int proposals;

    private EngineAlone(RaftNode node) {
        this.node = node;
    }

    /** Usage: none; the other nodes are started with DIRECTORY, their number, and the ports. */
    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            follow(Path.of(args[0]), Integer.parseInt(args[1]), args[2]);
        } else {
            lead();
        }
    }

    /** Until the leader's process closes the pipe. */
    private static void follow(Path directory, int number, String ports) throws Exception {
        ReplicationConfig config = config(directory, number, ports);
        try (RaftNode follower = RaftNode.start(config, clusterOf(config), new Forgetful())) {
            while (System.in.read() >= 0) {}
        }
    }

    private static Optional<ClusterId> clusterOf(ReplicationConfig config) throws Exception {
        try (Outsider asking = new Outsider(config, Optional.empty())) {
            asking.status(config.otherSeeds().get(0)).get(START_TIMEOUT_S, TimeUnit.SECONDS);
            return asking.cluster();
        }
    }

    private static void lead() throws Exception {
        Path directory = Files.createTempDirectory("spillway-engine");
        List<Process> others = new ArrayList<>();
        String ports = freePorts();
        Forgetful replica = new Forgetful();
        try (RaftNode node = RaftNode.start(config(directory, 0, ports), Optional.empty(), replica)) {
            replica.led().get(START_TIMEOUT_S, TimeUnit.SECONDS);
            for (int number = 1; number < NODES; number++) {
                others.add(start(directory, number, ports));
            }
            EngineAlone engine = new EngineAlone(node);
            engine.awaitVoters();
            for (int round = 1; round <= ROUNDS; round++) {
                engine.round(round);
            }
        } finally {
            others.forEach(Process::destroy);
            for (Process other : others) {
                other.waitFor();
            }
            Directories.delete(directory);
        }
    }

    private void round(int round) throws Exception {
        long[] oneByOne = new long[TIMED];
        for (int i = -WARM_UP; i < TIMED; i++) {
            long startNs = System.nanoTime();
            propose(1024).get(START_TIMEOUT_S, TimeUnit.SECONDS);
            if (i >= 0) {
                oneByOne[i] = System.nanoTime() - startNs;
            }
        }
        System.out.printf("round %d  1 KiB, one under way:       %s%n", round, percentiles(oneByOne));
        System.out.printf("round %d  1 KiB, 1,000 a second:      %s%n", round, percentiles(openLoop()));
        System.out.printf("round %d  512 KiB, %d under way:       %.1f MB/s%n", round, UNDER_WAY, throughput());
    }

    private long[] openLoop() throws Exception {
        long[] took = new long[TIMED];
        Semaphore answers = new Semaphore(0);
        AtomicReference<@Nullable Throwable> problem = new AtomicReference<>();
        long startNs = System.nanoTime();
        for (int i = 0; i < TIMED; i++) {
            int at = i;
            long dueNs = startNs + i * 1_000_000L;
            while (System.nanoTime() < dueNs) {
                LockSupport.parkNanos(dueNs - System.nanoTime());
            }
            propose(1024).whenComplete((point, failure) -> {
                took[at] = System.nanoTime() - dueNs;
                problem.compareAndSet(null, failure);
                answers.release();
            });
        }
        await(answers, TIMED, problem);
        return took;
    }

    private double throughput() throws Exception {
        Semaphore room = new Semaphore(UNDER_WAY);
        AtomicReference<@Nullable Throwable> problem = new AtomicReference<>();
        long startNs = System.nanoTime();
        for (long sent = 0; sent < LOAD_BYTES; sent += BUNDLE_BYTES) {
            await(room, 1, problem);
            propose(BUNDLE_BYTES).whenComplete((point, failure) -> {
                problem.compareAndSet(null, failure);
                room.release();
            });
        }
        await(room, UNDER_WAY, problem);
        return LOAD_BYTES / 1e6 / ((System.nanoTime() - startNs) / 1e9);
    }

    private static void await(Semaphore answers, int count, AtomicReference<@Nullable Throwable> problem)
            throws InterruptedException {
        if (!answers.tryAcquire(count, START_TIMEOUT_S, TimeUnit.SECONDS) || problem.get() != null) {
            throw new IllegalStateException(
                    "the cluster did not agree within " + START_TIMEOUT_S + " s", problem.get());
        }
    }

    private CompletableFuture<?> propose(int bytes) {
        if (++proposals % PURGE_EVERY == 0) {
            node.snapshotTaken();
        }
        return node.propose(ByteBuffer.wrap(new byte[bytes]));
    }

    private static String percentiles(long[] took) {
        Arrays.sort(took);
        return "p50 %.2f ms, p90 %.2f, p99 %.2f, p99.9 %.2f"
                .formatted(at(took, 500), at(took, 900), at(took, 990), at(took, 999));
    }

    private static double at(long[] sorted, int perMille) {
        return sorted[(int) ((long) sorted.length * perMille / 1000)] / 1e6;
    }

    private void awaitVoters() throws InterruptedException {
        long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_TIMEOUT_S);
        while (node.status().nodes().size() < NODES) {
            if (System.nanoTime() > endNs) {
                throw new IllegalStateException("the other nodes did not join within " + START_TIMEOUT_S + " s");
            }
            Thread.sleep(100);
        }
    }

    private static Process start(Path directory, int number, String ports) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), EngineAlone.class.getName()));
        command.addAll(List.of(directory.toString(), String.valueOf(number), ports));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static ReplicationConfig config(Path directory, int number, String ports) {
        String[] port = ports.split(",");
        String address = "127.0.0.1:" + port[number];
        Peer self = new Peer("n" + number, "z" + number, address, address);
        List<String> seeds = number == 0 ? List.of() : List.of("127.0.0.1:" + port[0]);
        return ReplicationConfig.of(
                self, ListenAddress.parse(address).orElseThrow(), seeds, directory.resolve("n" + number));
    }

    private static String freePorts() throws IOException {
        List<ServerSocket> sockets = new ArrayList<>();
        List<String> ports = new ArrayList<>();
        for (int i = 0; i < NODES; i++) {
            sockets.add(new ServerSocket(0));
            ports.add(String.valueOf(sockets.get(i).getLocalPort()));
        }
        for (ServerSocket socket : sockets) {
            socket.close();
        }
        return String.join(",", ports);
    }
}

package io.spillway.chaos.scenario;

import io.spillway.chaos.Shell;
import io.spillway.chaos.clients.Client;
import io.spillway.chaos.clients.Writer;
import io.spillway.chaos.cluster.Node;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The leader's disk syncs slowly, and then fails once. */
final class SlowSync implements Scenario {
    private static final int DELAY_MS = 500;
    private static final long GROWTH_KIB = 96 << 10;
    private static final long LEADER_MS = 10_000;
    private static final Writer.Pace PACE = new Writer.Pace(8, 12, 2, 100, 30_000);

    @Override
    public int number() {
        return 10;
    }

    @Override
    public String name() {
        return "slow-sync";
    }

    @Override
    public Setup setup() {
        return Setup.of(Net.ANY, "go", "rust");
    }

    /** A library in front of the C library's syncs; each node has its own orders. */
    @Override
    public Node.Terms terms(Path root, Path directory) {
        Path library = directory.resolve("slowsync.so");
        Shell.run(
                "cc",
                "-shared",
                "-fPIC",
                "-O2",
                "-o",
                library.toString(),
                root.resolve("chaos/src/main/native/slowsync.c").toString(),
                "-ldl");
        return new Node.Terms(
                Map.of(),
                Map.of(
                        "LD_PRELOAD",
                        library.toString(),
                        "SLOWSYNC",
                        directory.resolve("NODE.sync").toString()));
    }

    @Override
    public String missing() {
        return Shell.attempt("cc", "--version").exit() == 0 ? "" : "there is no C compiler for what delays syncs";
    }

    @Override
    public void play(Stage stage) throws InterruptedException {
        List<Client> clients = stage.writersAndReaders(PACE);
        stage.sleep(stage.ms(10_000, 3_000));
        Node leader = stage.leader();
        long residentKib = residentKib(leader);
        order(leader, "delay " + DELAY_MS);
        stage.injected("each sync of " + leader.id() + ", the leader, takes " + DELAY_MS + " ms longer, for 20 s");
        long slowNs = stage.history().nowNs();
        long toldMs = stage.until(20_000, () -> says(stage, leader));
        stage.expectWithin("ELEVATED or THROTTLED, why DISK_LATENCY", 15_000, toldMs);
        stage.sleep(Math.max(0, stage.ms(20_000, 8_000) - (stage.history().nowNs() - slowNs) / 1_000_000));
        long grownKib = residentKib(leader) - residentKib;
        stage.expect("memory stays flat", String.format(Locale.ROOT, "%+d MiB", grownKib >> 10), grownKib < GROWTH_KIB);
        order(leader, "");
        stage.sleep(3_000);

        Node sick = stage.leader();
        order(sick, "fail shard-0");
        stage.injected("one sync of the log of " + sick.id() + ", the leader, fails with EIO");
        long movedMs = stage.until(
                30_000,
                () -> stage.cluster().leader().filter(next -> next != sick).isPresent());
        stage.expectWithin("another node leads", LEADER_MS, movedMs);
        long failedNs = stage.history().nowNs();
        for (Client client : clients) {
            stage.expectWithin(
                    client.name() + " writes again",
                    LEADER_MS,
                    stage.until(30_000, () -> stage.writes(client, failedNs)));
        }
        String ready = stage.cluster()
                .asking()
                .get(sick, "/readyz")
                .join()
                .map(said ->
                        said.status() + " " + said.body().lines().findFirst().orElse(""))
                .orElse("no answer");
        stage.expect(
                sick.id() + " says that it takes no part any more",
                ready,
                ready.startsWith("503") && ready.contains("STORAGE_ERROR"));
        order(sick, "");
        sick.kill9();
        sick.start();
        stage.injected("restarted, as operators are told");
        stage.expectWithin("all nodes are whole", 60_000, stage.until(60_000, stage.cluster()::isWhole));
        stage.sleep(2_000);
        stage.end();
        for (Client client : clients) {
            Outcomes outcomes = new Outcomes(stage.history().events(), client.name(), 0, Long.MAX_VALUE);
            stage.expect(
                    client.name() + ": all calls end as ACKED or DUPLICATE",
                    outcomes.toString(),
                    outcomes.failed() == 0);
        }
    }

    private static boolean says(Stage stage, Node leader) {
        return stage.said("pressure").stream()
                .anyMatch(event -> event.node().equals(leader.id())
                        && event.get("why").contains("DISK_LATENCY")
                        && !event.get("to").endsWith("NORMAL"));
    }

    private static void order(Node node, String what) {
        try {
            Files.writeString(node.log("sync"), what);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long residentKib(Node node) {
        try (var lines = Files.lines(Path.of("/proc", Long.toString(node.pid()), "status"))) {
            return lines.filter(line -> line.startsWith("VmRSS"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package io.spillway.chaos.scenario;

import io.spillway.chaos.clients.Client;
import io.spillway.chaos.clients.Writer;
import io.spillway.chaos.cluster.Node;
import io.spillway.chaos.history.Event;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The disks of all nodes fill up to what the broker keeps free, and are freed again. */
final class FullDisk implements Scenario {
    private static final long MIB = 1 << 20;
    /** log.min-free-bytes of the nodes. */
    private static final long MIN_FREE_BYTES = 16 * MIB;

    private static final Set<String> HAND_OVER = Set.of("READ_ONLY", "OUTCOME_UNKNOWN", "DEADLINE_EXCEEDED");

    private static final long RECOVERY_MS = 5_000;
    /** It gives up early, so that it is told. */
    private static final Writer.Pace PACE = new Writer.Pace(4, 10, 2, 100, 3_000);

    @Override
    public int number() {
        return 9;
    }

    @Override
    public String name() {
        return "full-disk";
    }

    @Override
    public Setup setup() {
        return Setup.of(Net.DISKS, "go", "rust");
    }

    @Override
    public void play(Stage stage) throws InterruptedException {
        // Slower than what is written, so that there is something to read when nothing is written any more.
        List<Client> clients = stage.writersAndReaders(PACE);
        stage.sleep(stage.ms(5_000, 2_000));

        fill(stage, MIN_FREE_BYTES * 7 / 4);
        stage.injected("all disks but 1.75 times log.min-free-bytes are full");
        long throttledMs = stage.until(10_000, () -> says(stage, "P_THROTTLED"));
        stage.expectWithin("THROTTLED, why DISK_SPACE", 5_000, throttledMs);
        long fullNs = stage.history().nowNs();
        fill(stage, MIN_FREE_BYTES - MIB);
        stage.injected("all disks but less than log.min-free-bytes are full");
        long readOnlyMs = stage.until(10_000, () -> says(stage, "P_READ_ONLY"));
        stage.expectWithin("READ_ONLY before the disk is full", 5_000, readOnlyMs);
        stage.sleep(stage.ms(9_000, 5_000));
        List<Event.Failed> refused = stage.events(Event.Failed.class, fullNs)
                .filter(failed -> failed.failure().code() > 0)
                .filter(failed -> !failed.failure().reason().startsWith("IDEMPOTENCY"))
                .toList();
        Map<String, Long> reasons = refused.stream()
                .collect(Collectors.groupingBy(
                        failed -> failed.failure().reason(), TreeMap::new, Collectors.counting()));
        boolean saysWhen = refused.stream()
                .filter(failed -> failed.failure().reason().equals("READ_ONLY"))
                .allMatch(failed -> failed.failure().retryAfterMs() > 0);
        stage.expect(
                "publishes are refused with READ_ONLY and a time to come back; what is under way when a full leader"
                        + " hands over may end as OUTCOME_UNKNOWN or DEADLINE_EXCEEDED",
                reasons + (saysWhen ? "" : ", no time"),
                saysWhen && reasons.containsKey("READ_ONLY") && HAND_OVER.containsAll(reasons.keySet()));
        long confirmed = stage.events(Event.Confirmed.class, fullNs).count();
        stage.expect("consumers and acks go on", confirmed + " acks confirmed", confirmed > 0);
        long leastFree = stage.cluster().nodes().stream()
                .mapToLong(Node::freeBytes)
                .min()
                .orElse(0);
        stage.expect(
                "what is kept free is left alone, but for acks",
                leastFree / 1_024 + " KiB of 16,384 free at the fullest node",
                leastFree > MIN_FREE_BYTES * 9 / 10 - MIB);

        List<Long> pids = stage.cluster().nodes().stream().map(Node::pid).toList();
        stage.cluster().nodes().forEach(Node::freeDisk);
        long freedNs = stage.history().nowNs();
        stage.injected("freed");
        for (Client client : clients) {
            long againMs = stage.until(30_000, () -> stage.writes(client, freedNs));
            stage.expectWithin(client.name() + " writes again", RECOVERY_MS, againMs);
        }
        stage.expect(
                "no restart",
                "the same processes",
                pids.equals(stage.cluster().nodes().stream().map(Node::pid).toList())
                        && stage.cluster().nodes().stream().allMatch(Node::isAlive));
    }

    private static void fill(Stage stage, long freeBytes) {
        stage.cluster().nodes().forEach(node -> node.fillDisk(freeBytes));
    }

    private static boolean says(Stage stage, String state) {
        return stage.said("pressure").stream()
                .anyMatch(event ->
                        event.get("to").equals(state) && event.get("why").contains("DISK_SPACE"));
    }
}

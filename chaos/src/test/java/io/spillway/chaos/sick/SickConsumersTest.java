package io.spillway.chaos.sick;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.chaos.clients.MachineFiles;
import io.spillway.chaos.clients.Programs;
import io.spillway.client.GroupMode;
import io.spillway.conformance.driver.Language;
import io.spillway.system.BrokerProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * Consumers in processes of their own that get sick, a Go one whose collector never rests, a Rust one whose machine has no
 * memory: they lose their share, another takes over, and they get it back.
 */
@Tag("slow")
@Timeout(300)
class SickConsumersTest {
    /** A share is lost within this after the first bad report. */
    private static final long LOST_MS = 3_000;
    /** What a member holds stays its own for this. */
    private static final long DRAIN_MS = 5_000;
    /** How long a member is DEGRADED before another takes over. */
    private static final long DEGRADED_MS = 10_000;

    private static final long SPAN_MS = 4_000;
    /** Its weight is that of the others again, in per mille of their mean. */
    private static final int WHOLE_PM = 950;

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path directory;

    private BrokerProcess broker;
    private List<Language> languages;

    @BeforeEach
    void start() throws Exception {
        Path root = Path.of(System.getProperty("spillway.root", "..")).toAbsolutePath();
        languages = Programs.build(root, List.of("go", "rust"), directory);
        broker = BrokerProcess.start(Files.createDirectories(directory.resolve("broker")));
    }

    @AfterEach
    void end() {
        broker.close();
    }

    private Language language(String name) {
        return languages.stream()
                .filter(language -> language.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private SickGroup group(GroupMode mode) {
        return new SickGroup(broker.wire(), mode, directory);
    }

    @Test
    void aGoConsumerWhoseCollectorNeverRestsLosesItsShareAndGrowsBack() throws Exception {
        try (SickGroup group = group(GroupMode.SHARED)) {
            SickGroup.Consumer sick = group.join("sick", language("go"), null, false);
            group.join("well", language("go"), null, false);
            group.join("other", language("go"), null, false);
            group.publish(400);
            sharesFall(group, sick, sick.client::churn, sick.client::calm);
        }
    }

    @Test
    void aRustConsumerWhoseMachineHasNoMemoryLosesItsShareAndGrowsBack() throws Exception {
        MachineFiles machine = new MachineFiles(directory.resolve("machine"));
        try (SickGroup group = group(GroupMode.SHARED)) {
            SickGroup.Consumer sick = group.join("sick", language("rust"), machine.root(), false);
            group.join("well", language("go"), null, false);
            group.join("other", language("go"), null, false);
            group.publish(400);
            sharesFall(group, sick, () -> machine.stalls(40, 10), () -> machine.stalls(0, 0));

            System.out.println("and with nearly all its memory used:");
            sharesFall(group, sick, () -> machine.memory(97), () -> machine.memory(10));
        }
    }

    private static void sharesFall(SickGroup group, SickGroup.Consumer sick, Runnable sicken, Runnable heal)
            throws InterruptedException {
        Thread.sleep(SPAN_MS);
        // A machine that is busy with other things makes consumers sick that have nothing to do with the test.
        group.until(120_000, () -> group.member(sick).weightPm() >= WHOLE_PM);
        Thread.sleep(SPAN_MS);
        int before = group.share(sick, SPAN_MS);
        long sickenedMs = group.nowMs();
        sicken.run();
        group.until(20_000, () -> !group.member(sick).health().equals("READY"));
        long badMs = group.nowMs();
        System.out.printf(
                "%s: share before %d %%; %s for %s %d ms after it became sick%n",
                sick.name,
                before,
                group.member(sick).health(),
                group.member(sick).why(),
                badMs - sickenedMs);
        Thread.sleep(LOST_MS);
        Thread.sleep(SPAN_MS);
        int during = group.share(sick, SPAN_MS);
        System.out.printf("%s: share from %d ms after that on %d %%%n", sick.name, LOST_MS, during);

        heal.run();
        long healedMs = group.nowMs();
        group.until(60_000, () -> group.member(sick).health().equals("READY"));
        long readyMs = group.nowMs();
        int weight = group.member(sick).weightPm();
        System.out.printf("%s: READY %d ms after it was well, with weight %d%n", sick.name, readyMs - healedMs, weight);
        Thread.sleep(SPAN_MS);
        int first = group.share(sick, SPAN_MS);
        group.until(120_000, () -> group.member(sick).weightPm() >= WHOLE_PM);
        long wholeMs = group.nowMs();
        Thread.sleep(SPAN_MS);
        int after = group.share(sick, SPAN_MS);
        System.out.printf(
                "%s: share in the first %d ms %d %%, whole again %d ms after it was READY and then %d %%; %s%n",
                sick.name, SPAN_MS, first, wholeMs - readyMs, after, group);

        assertThat(before).as("share while it is well").isGreaterThan(20);
        assertThat(during).as("share while it is sick").isLessThanOrEqualTo(before / 2);
        assertThat(first).as("share when it has just become well").isLessThan(after);
        assertThat(after).as("share at the end").isGreaterThan(before / 2);
        group.check();
    }

    @Test
    void aStandbyTakesOverTheKeysOfAGoConsumerWhoseCollectorNeverRests() throws Exception {
        try (SickGroup group = group(GroupMode.KEY_ORDERED)) {
            SickGroup.Consumer sick = group.join("sick", language("go"), null, false);
            group.join("well", language("go"), null, false);
            SickGroup.Consumer standby = group.join("standby", language("go"), null, true);
            group.publish(200);
            takesOver(group, sick, standby, sick.client::churn, DEGRADED_MS + DRAIN_MS);
        }
    }

    @Test
    void aStandbyTakesOverTheKeysOfARustConsumerWithoutMemory() throws Exception {
        MachineFiles machine = new MachineFiles(directory.resolve("machine"));
        try (SickGroup group = group(GroupMode.KEY_ORDERED)) {
            SickGroup.Consumer sick = group.join("sick", language("rust"), machine.root(), false);
            group.join("well", language("go"), null, false);
            SickGroup.Consumer standby = group.join("standby", language("go"), null, true);
            group.publish(200);
            takesOver(group, sick, standby, () -> machine.memory(97), DRAIN_MS);
        }
    }

    @Test
    void theTurnGoesOnFromARustConsumerWithoutMemory() throws Exception {
        MachineFiles machine = new MachineFiles(directory.resolve("machine"));
        try (SickGroup group = group(GroupMode.EXCLUSIVE)) {
            SickGroup.Consumer sick = group.join("sick", language("rust"), machine.root(), false);
            SickGroup.Consumer standby = group.join("standby", language("go"), null, false);
            group.publish(100);
            takesOver(group, sick, standby, () -> machine.memory(97), DRAIN_MS);
        }
    }

    private static void takesOver(
            SickGroup group, SickGroup.Consumer sick, SickGroup.Consumer standby, Runnable sicken, long withinMs)
            throws InterruptedException {
        Thread.sleep(SPAN_MS);
        assertThat(group.received(standby)).as("while it stands by").isZero();
        assertThat(group.received(sick)).isPositive();
        long sickenedMs = group.nowMs();
        sicken.run();
        group.until(20_000, () -> !group.member(sick).health().equals("READY"));
        long badMs = group.nowMs();
        group.until(30_000, () -> group.received(standby) > 0);
        long takenMs = group.nowMs();
        System.out.printf(
                "%s: %s for %s %d ms after it became sick; the standby has its first record %d ms after that%n",
                sick.name, group.member(sick).health(), group.member(sick).why(), badMs - sickenedMs, takenMs - badMs);
        Thread.sleep(DRAIN_MS + SPAN_MS);
        int during = group.share(sick, SPAN_MS);
        System.out.printf("%s: share after that %d %%; %s%n", sick.name, during, group);

        assertThat(takenMs - badMs).as("ms to the first record of the standby").isLessThanOrEqualTo(withinMs);
        assertThat(during).as("share while it is sick").isZero();
        group.check();
    }
}

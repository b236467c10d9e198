package io.spillway.bench.endtoend;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.StringJoiner;

/** What the figures were measured on, and how much of it others used meanwhile. Linux only. */
final class Machine {
    private static final double TICKS_PER_SECOND = 100;
    private static final int IDLE = 4;
    private static final int IOWAIT = 5;
    private static final int STEAL = 8;

    private Machine() {}

    /** CPU seconds of all cores since boot. */
    record Cpu(double busySeconds, double stolenSeconds, double allSeconds) {}

    static String facts(Path data) throws IOException {
        StringJoiner facts = new StringJoiner(", ");
        facts.add(Runtime.getRuntime().availableProcessors() + " x "
                + field(Path.of("/proc/cpuinfo"), "model name").orElse(System.getProperty("os.arch")));
        facts.add(field(Path.of("/proc/meminfo"), "MemTotal").orElse("unknown") + " memory");
        FileStore store = Files.getFileStore(data);
        facts.add(store.type() + " on " + store.name());
        facts.add(System.getProperty("os.name") + " " + System.getProperty("os.version"));
        facts.add(System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
        return facts.toString();
    }

    private static Optional<String> field(Path file, String name) throws IOException {
        return Files.readAllLines(file).stream()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(line.indexOf(':') + 1).trim())
                .findFirst();
    }

    static Cpu cpu() throws IOException {
        String[] ticks = Files.readAllLines(Path.of("/proc/stat")).get(0).split("\\s+", -1);
        double all = 0;
        for (int i = 1; i <= STEAL; i++) {
            all += Long.parseLong(ticks[i]);
        }
        double stolen = Long.parseLong(ticks[STEAL]);
        double busy = all - stolen - Long.parseLong(ticks[IDLE]) - Long.parseLong(ticks[IOWAIT]);
        return new Cpu(busy / TICKS_PER_SECOND, stolen / TICKS_PER_SECOND, all / TICKS_PER_SECOND);
    }

    /** One sentence on what others took between two readings, given what these processes used themselves. */
    static String others(Cpu before, Cpu after, List<Duration> ownCpu) {
        double all = after.allSeconds - before.allSeconds;
        double own = ownCpu.stream().mapToDouble(time -> time.toMillis() / 1e3).sum();
        double others = Math.max(0, after.busySeconds - before.busySeconds - own);
        return String.format(
                Locale.ROOT,
                "Other processes and the kernel's own work used %.0f %% of the machine, the hypervisor took %.0f %%.",
                100 * others / all,
                100 * (after.stolenSeconds - before.stolenSeconds) / all);
    }
}

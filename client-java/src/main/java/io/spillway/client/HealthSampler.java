package io.spillway.client;

import io.spillway.client.core.HealthSample;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Measures how this process is: by the Java runtime, and by files of Linux, which may be missing. Confined to the network
 * thread.
 */
final class HealthSampler {
    private static final int FULL_PM = 1_000;

    private final Path root;
    private final List<GarbageCollectorMXBean> collectors = ManagementFactory.getGarbageCollectorMXBeans().stream()
            .filter(HealthSampler::stopsTheProgram)
            .toList();
    private final List<MemoryPoolMXBean> pools = ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(pool -> pool.getType() == MemoryType.HEAP && pool.isCollectionUsageThresholdSupported())
            .toList();
    private long collectedMs = collectionMs();

    /** @param root the directory under which proc/pressure is */
    HealthSampler(Path root) {
        this.root = root;
    }

    /** What a collector does beside the program is no time that the program lacks. */
    private static boolean stopsTheProgram(GarbageCollectorMXBean collector) {
        return !collector.getName().endsWith("Cycles") && !collector.getName().contains("Concurrent");
    }

    private long collectionMs() {
        return collectors.stream()
                .mapToLong(GarbageCollectorMXBean::getCollectionTime)
                .filter(ms -> ms > 0)
                .sum();
    }

    /** The share of the collector since the last time. */
    int gcPm(long elapsedMs) {
        long before = collectedMs;
        collectedMs = collectionMs();
        return (int) Math.min(FULL_PM, (collectedMs - before) * FULL_PM / Math.max(1, elapsedMs));
    }

    /** What was alive after the last collections, of what the heap may have. */
    HealthSample.Memory memory() {
        long limit = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getMax();
        long used = 0;
        for (MemoryPoolMXBean pool : pools) {
            MemoryUsage usage = pool.getCollectionUsage();
            used += usage == null ? 0 : usage.getUsed();
        }
        return new HealthSample.Memory(limit <= 0 ? 0 : (int) Math.min(FULL_PM, used * FULL_PM / limit), 0);
    }

    HealthSample.Stalls stalls() {
        List<String> memory = lines("memory");
        List<String> io = lines("io");
        return new HealthSample.Stalls(
                stalledPm(memory, "some"), stalledPm(memory, "full"), stalledPm(io, "some"), stalledPm(io, "full"));
    }

    private List<String> lines(String resource) {
        try {
            return Files.readAllLines(root.resolve("proc/pressure").resolve(resource));
        } catch (IOException e) {
            return List.of(); // this machine does not say
        }
    }

    /** The share of the last 10 s in which some, or all, tasks of the machine waited. */
    private static int stalledPm(List<String> lines, String kind) {
        for (String line : lines) {
            String[] words = line.split(" ");
            if (words.length > 1 && words[0].equals(kind) && words[1].startsWith("avg10=")) {
                try {
                    double percent = Double.parseDouble(words[1].substring("avg10=".length()));
                    return (int) Math.max(0, Math.min(FULL_PM, percent * 10));
                } catch (NumberFormatException e) {
                    return 0; // of another system
                }
            }
        }
        return 0;
    }
}

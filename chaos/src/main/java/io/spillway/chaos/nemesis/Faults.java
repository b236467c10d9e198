package io.spillway.chaos.nemesis;

import java.util.ArrayList;
import java.util.List;

/** All kinds of faults. */
public final class Faults {
    private static final List<Fault> ANYWHERE = List.of(
            Crashes.KILL_ONE,
            Crashes.KILL_LEADER,
            Crashes.KILL_LEADERS,
            Crashes.KILL_TWO,
            Crashes.PAUSE_ONE,
            Crashes.PAUSE_LEADER,
            Crashes.PAUSE_TWO,
            Partitions.HALVES,
            Partitions.LEADER,
            Partitions.ONE_WAY,
            Partitions.ONE_PAIR_ONE_WAY,
            Partitions.BRIDGE,
            Partitions.ALL,
            Partitions.CLIENTS,
            Partitions.SLOW,
            Losses.DIRECTORY,
            Losses.LOG,
            Losses.RAFT_LOG,
            Losses.BIT_FLIPS,
            Losses.RAFT_BIT_FLIPS,
            Operations.TRANSFER,
            Operations.MEMBERSHIP,
            Operations.RESTART);
    /** These need a file system for each node. */
    private static final List<Fault> WITH_DISKS = List.of(Crashes.POWER_ONE, Crashes.POWER_ALL, Losses.FULL);

    private Faults() {}

    /**
     * @param withDisks whether each node has a file system of its own
     * @param names only these; empty = all
     */
    static List<Fault> of(boolean withDisks, List<String> names) {
        List<Fault> all = new ArrayList<>(ANYWHERE);
        if (withDisks) {
            all.addAll(WITH_DISKS);
        }
        for (String name : names) {
            if (all.stream().noneMatch(fault -> fault.kind().equals(name))) {
                throw new IllegalArgumentException("there is no fault " + name + "; there are "
                        + String.join(", ", all.stream().map(Fault::kind).toList()));
            }
        }
        all.removeIf(fault -> !names.isEmpty() && !names.contains(fault.kind()));
        return all;
    }
}

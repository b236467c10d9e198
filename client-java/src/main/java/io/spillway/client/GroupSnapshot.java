package io.spillway.client;

import java.util.List;

/**
 * What a group had settled at one time, kept under a name.
 *
 * @param takenMs ms since 1970
 * @param reason why it was taken
 * @param partitions where the group was; only cursor and ackedAbove are of then
 */
public record GroupSnapshot(String name, long takenMs, String reason, List<GroupDescription.Partition> partitions) {}

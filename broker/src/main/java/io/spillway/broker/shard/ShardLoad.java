package io.spillway.broker.shard;

import java.util.Map;

/**
 * What a shard says of its load, ten times a second.
 *
 * @param waitedMs by failure domain: how long publishes wait at least, in each turn of the last interval. Without those
 *     that never waited
 * @param syncMs how long the slowest hundredth of the newest syncs took beyond the time of their bytes
 * @param stalledMs for how long the cluster has had no room for another entry
 * @param lagMs for how long the oldest entry has waited that a majority of the nodes does not have
 * @param cpuPm of the interval, per mille: how long the shard's thread was at work
 */
public record ShardLoad(Map<String, Integer> waitedMs, int syncMs, int stalledMs, int lagMs, int cpuPm) {
    static final ShardLoad NONE = new ShardLoad(Map.of(), 0, 0, 0, 0);
}

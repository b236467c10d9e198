package io.spillway.chaos.check;

/**
 * A record as a replica has it on disk.
 *
 * @param log the number of the partition in the replica's log
 * @param whole whether its value is the one that was written first under its name
 */
public record StoredRecord(int log, long offset, String id, String key, boolean whole) {}

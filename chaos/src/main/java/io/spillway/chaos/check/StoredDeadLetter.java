package io.spillway.chaos.check;

/**
 * What a group gave up, as a replica has it on disk.
 *
 * @param copy of the record, in the dead-letter topic
 * @param group that gave it up
 * @param partition of its topic, and the offset there, of the record itself
 * @param cause by the names of the protocol
 */
public record StoredDeadLetter(StoredRecord copy, String group, int partition, long offset, String cause) {}

package io.spillway.broker.session;

import io.spillway.protocol.v1.Start;

/**
 * What somebody in the house wants to read.
 *
 * @param start where, of kind OFFSET or TIME
 * @param end before which offset at most
 * @param limit of records
 */
public record HouseReading(String topic, int partition, Start start, long end, int limit) {}

package io.spillway.client;

import java.util.List;

/**
 * The broker has the record.
 *
 * @param offset its offset in the partition; -1 when it is a duplicate older than what the broker remembers
 * @param reached the durability it has
 * @param duplicate it was there before; offset and time are those of the first copy
 * @param degraded the durability asked for could not be reached and the producer allows less
 * @param appendTimeMs when the broker appended it, ms since 1970
 * @param zoneLag how far the zones of the cluster are that acks do not wait for; empty when there are none
 */
public record PublishAck(
        String topic,
        int partition,
        long offset,
        Durability reached,
        boolean duplicate,
        boolean degraded,
        long appendTimeMs,
        List<ZoneLag> zoneLag) {}

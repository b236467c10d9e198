package io.spillway.client;

import java.time.Duration;

/**
 * How far a zone of the cluster is that acks do not wait for.
 *
 * @param lag for how long it has lacked something that was agreed on, zero when it has everything; of up to 200 ms ago
 */
public record ZoneLag(String zone, Duration lag) {}

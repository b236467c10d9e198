package io.spillway.client;

import java.util.List;

/**
 * How a client is, as the broker is told.
 *
 * @param reasons why it is not ready, the worst first: GC, MEMORY, IO_WAIT, SCHED_LATENCY, MANUAL
 * @param utilPm the share of what is used most, per mille: busy handlers, memory, the collector's time, and so on
 * @param handoffRequested it asks that another member has its work
 */
public record Health(HealthState state, List<String> reasons, int utilPm, boolean handoffRequested) {}

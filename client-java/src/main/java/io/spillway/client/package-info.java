/**
 * The Java client of Spillway: publish, consume, administer.
 *
 * <p>Start at {@link io.spillway.client.SpillwayClient}. Every call has a deadline, every failure is a
 * {@link io.spillway.client.SpillwayException} that says what happened, why and what to do next.
 */
@NullMarked
package io.spillway.client;

import org.jspecify.annotations.NullMarked;

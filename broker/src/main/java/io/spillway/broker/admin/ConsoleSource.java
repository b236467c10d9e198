package io.spillway.broker.admin;

import io.spillway.broker.session.PressureMonitor;
import io.spillway.broker.session.SessionContext;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What the console shows, and through what it asks.
 *
 * @param connections clients that are connected
 */
public record ConsoleSource(
        SessionContext sessions, PressureMonitor pressure, Supplier<Traffic> traffic, LongSupplier connections) {}

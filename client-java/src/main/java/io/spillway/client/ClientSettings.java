package io.spillway.client;

import java.time.Duration;
import java.util.function.Consumer;

/** What a client was built with, beside its connections. */
record ClientSettings(
        String name,
        Timing timing,
        ClientMetrics metrics,
        HealthReporter.Settings health,
        Consumer<Pressure> onPressure) {
    /** @param metadataRefresh zero: never */
    record Timing(Duration requestTimeout, Duration metadataRefresh) {}
}

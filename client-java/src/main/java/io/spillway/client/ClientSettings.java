package io.spillway.client;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.function.Consumer;

/** What a client was built with, beside its connections. */
record ClientSettings(
        String name,
        Timing timing,
        ClientMetrics metrics,
        HealthReporter.Settings health,
        Consumer<Pressure> onPressure,
        ByteString instanceId,
        Consumer<Toggles> onToggles) {
    /** @param metadataRefresh zero: never */
    record Timing(Duration requestTimeout, Duration metadataRefresh) {}
}

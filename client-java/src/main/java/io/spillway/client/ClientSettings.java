package io.spillway.client;

import java.time.Duration;

/** What a client was built with, beside its connections. */
record ClientSettings(String name, Duration requestTimeout, ClientMetrics metrics, HealthReporter.Settings health) {}

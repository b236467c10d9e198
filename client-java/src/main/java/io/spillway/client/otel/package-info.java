/** Traces publishing and consuming with OpenTelemetry; needs opentelemetry-api, which the client itself does not bring. */
@NullMarked
package io.spillway.client.otel;

import org.jspecify.annotations.NullMarked;

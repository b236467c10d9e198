/** A receiver of spans, as a collector is one: OTLP over HTTP. */
@NullMarked
package io.spillway.system.otlp;

import org.jspecify.annotations.NullMarked;

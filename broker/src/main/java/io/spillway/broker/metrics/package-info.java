/** Names of all metrics. */
@NullMarked
package io.spillway.broker.metrics;

import org.jspecify.annotations.NullMarked;

/** Ground floor: the names of all metrics, and how plain counters are bound to them. Imports nothing of ours. */
@NullMarked
package io.spillway.broker.metrics;

import org.jspecify.annotations.NullMarked;

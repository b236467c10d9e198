/** Twelve partial failures, each with the figures that are expected of it and those that were seen. */
@NullMarked
package io.spillway.chaos.scenario;

import org.jspecify.annotations.NullMarked;

/** Scenario files: what they say, and whether an answer is as they say. */
@NullMarked
package io.spillway.conformance.scenario;

import org.jspecify.annotations.NullMarked;

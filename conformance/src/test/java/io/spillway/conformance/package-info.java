/** One suite of scenarios, run against a real broker through the client of every language and every pair of them. */
@NullMarked
package io.spillway.conformance;

import org.jspecify.annotations.NullMarked;

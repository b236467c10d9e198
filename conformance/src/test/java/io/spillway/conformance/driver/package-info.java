/** The drivers as processes: how each is built, started and talked to. */
@NullMarked
package io.spillway.conformance.driver;

import org.jspecify.annotations.NullMarked;

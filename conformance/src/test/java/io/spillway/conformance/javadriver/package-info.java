/** The driver of the Java client; conformance/DRIVER.md says what it understands. */
@NullMarked
package io.spillway.conformance.javadriver;

import org.jspecify.annotations.NullMarked;

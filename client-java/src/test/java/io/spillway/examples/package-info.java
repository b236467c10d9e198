/** Programs to start from; a test runs each. */
@NullMarked
package io.spillway.examples;

import org.jspecify.annotations.NullMarked;

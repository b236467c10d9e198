/** Faults that are injected on purpose, to rehearse: which there are, whom they hit, and when they must not be begun. */
@NullMarked
package io.spillway.broker.chaos;

import org.jspecify.annotations.NullMarked;

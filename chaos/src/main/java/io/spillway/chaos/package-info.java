/** A cluster under faults: rounds of a nemesis, with clients of three languages and a checker. */
@NullMarked
package io.spillway.chaos;

import org.jspecify.annotations.NullMarked;

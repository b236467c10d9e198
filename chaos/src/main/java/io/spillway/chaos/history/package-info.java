/** What was called and what came of it, in one order, by one clock. */
@NullMarked
package io.spillway.chaos.history;

import org.jspecify.annotations.NullMarked;

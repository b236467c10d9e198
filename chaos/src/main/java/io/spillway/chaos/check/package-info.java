/** The verdict: what the history and the stored logs must fulfil. */
@NullMarked
package io.spillway.chaos.check;

import org.jspecify.annotations.NullMarked;

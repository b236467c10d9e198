/** Toggles: what can be changed while the broker runs, for a share of those it concerns, and taken back. */
@NullMarked
package io.spillway.broker.toggles;

import org.jspecify.annotations.NullMarked;

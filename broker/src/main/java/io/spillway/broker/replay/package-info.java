/**
 * Records delivered again on purpose: a plan names exact records and changes nothing, a job delivers them, at a rate, with
 * conditions to stop, and goes on after a crash. One thread does all of it.
 */
@NullMarked
package io.spillway.broker.replay;

import org.jspecify.annotations.NullMarked;

/** What happened, why, and what to do next: facts in, one cause out. Pure: it asks nobody. */
@NullMarked
package io.spillway.broker.diagnose;

import org.jspecify.annotations.NullMarked;

/** What goes wrong: faults, and the seeded plan of a round. */
@NullMarked
package io.spillway.chaos.nemesis;

import org.jspecify.annotations.NullMarked;

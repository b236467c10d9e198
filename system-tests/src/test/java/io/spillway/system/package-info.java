/** The broker as its users meet it: a process of its own, killed, paused, starved of disk, and what must be true then. */
@NullMarked
package io.spillway.system;

import org.jspecify.annotations.NullMarked;

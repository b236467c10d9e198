/** The broker as a whole: its configuration, and the wiring of its parts. */
@NullMarked
package io.spillway.broker;

import org.jspecify.annotations.NullMarked;

/** The resilience contract without sockets, clocks or threads: time and randomness come in, decisions come out. */
@NullMarked
package io.spillway.client.core;

import org.jspecify.annotations.NullMarked;

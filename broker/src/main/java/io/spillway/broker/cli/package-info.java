/** The command line: serve, and everything that talks to a broker. */
@NullMarked
package io.spillway.broker.cli;

import org.jspecify.annotations.NullMarked;

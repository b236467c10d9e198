/** The commands of {@code spillway}: what a person types, and the lines, codes and exit codes that come back. */
@NullMarked
package io.spillway.broker.cli;

import org.jspecify.annotations.NullMarked;

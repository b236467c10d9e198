/** A copy of a data directory, while a broker writes it, that a broker can be started on. */
@NullMarked
package io.spillway.broker.backup;

import org.jspecify.annotations.NullMarked;

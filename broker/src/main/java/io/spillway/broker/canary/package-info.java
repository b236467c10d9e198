/** A record that the broker publishes to itself and takes again, to know that it could do the same for others. */
@NullMarked
package io.spillway.broker.canary;

import org.jspecify.annotations.NullMarked;

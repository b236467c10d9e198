/** Credit: how much a peer may send before it has to wait. Pure: no threads, locks, clock or sockets. */
@NullMarked
package io.spillway.broker.flow;

import org.jspecify.annotations.NullMarked;

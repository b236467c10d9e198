/** Netty: sockets, event loops, outbound queues. */
@NullMarked
package io.spillway.broker.transport;

import org.jspecify.annotations.NullMarked;
